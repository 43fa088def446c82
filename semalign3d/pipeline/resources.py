"""What a stage's jobs ask a cluster for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .gpu import asks_for_gpu

if TYPE_CHECKING:
    from ..config import Configuration


def stage_resources(
    configuration: Configuration, stage: str, *, on_gpu: bool = False
) -> dict[str, int | str]:
    """Memory in MB and minutes; a GPU where the device is one and the stage can use it."""
    runtime, wanted = configuration.runtime, getattr(configuration.resources, stage)
    resources: dict[str, int | str] = {"mem_mb": wanted.mem_mb, "runtime": wanted.minutes}
    if on_gpu and asks_for_gpu(runtime.device):
        resources["gpu"] = 1
        if runtime.gpu_partition:
            resources["slurm_partition"] = runtime.gpu_partition
    return resources
