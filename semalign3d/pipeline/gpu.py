"""Whether jobs ask Snakemake for a GPU."""

import os
import platform
from pathlib import Path

DEVICES = Path("/dev")
PATTERNS = ("nvidia[0-9]*", "dxg")
"""What the drivers of NVIDIA and of Windows' subsystem for Linux put there."""


def asks_for_gpu(device: str) -> bool:
    """Whether a job that computes on the device has to ask for a GPU.

    Jobs that ask run one at a time on a machine (profiles/default); on a cluster each gets a GPU.

    Parameters
    ----------
    device : ``runtime.device`` of the configuration. ``auto`` asks if this machine has a GPU, which
        is looked up without torch: its import would cost every start of Snakemake two seconds.
    """
    return _has_gpu() if device == "auto" else device != "cpu"


def _has_gpu() -> bool:
    if (platform.system(), platform.machine()) == ("Darwin", "arm64"):
        return True
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in {"", "-1"}:
        return False
    return any(True for pattern in PATTERNS for _ in DEVICES.glob(pattern))
