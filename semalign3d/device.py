"""The device that networks run on."""

import re
from typing import TYPE_CHECKING

from .errors import InputError

if TYPE_CHECKING:
    import torch


def pick_device(name: str) -> "torch.device":
    """The torch device of a name in the configuration.

    Parameters
    ----------
    name : `auto` (CUDA, MPS or CPU, the first that is there), `cpu`, `cuda`, `cuda:<n>` or `mps`.

    Raises
    ------
    InputError : another name, or a device that is not there.
    """
    import torch

    if name == "auto":
        return torch.device(_best())
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", name):
        raise InputError(f"device {name!r}: expected auto, cpu, cuda, cuda:<n> or mps")
    device = torch.device(name)
    if not _present(device):
        raise InputError(
            f"device {name!r} was asked for, but torch {torch.__version__} finds none here",
            hint="Set runtime.device to auto or cpu, or install a torch build for the device.",
        )
    return device


def _best() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _present(device: "torch.device") -> bool:
    import torch

    if device.type == "cuda":
        return torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count()
    return device.type == "cpu" or torch.backends.mps.is_available()
