"""How much of the descriptors stage is its convolutions.

`python -m benchmarks.convolutions <features> <category> <checkpoint> <repeats>` prints
JSON. The stage's script runs as it is; what its start costs is taken out by the difference of a
run over some images and one over a single image. The convolutions are those of the post-processor
network, one call of `torch.nn.functional.conv2d` each, on maps of the sizes that the stage has.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch.nn import functional

from semalign3d.models.descriptors import read_features
from semalign3d.models.post_processor import INPUTS, PostProcessor, load_post_processor

from .dataset import stems
from .startup import SCRIPTS

IMAGES = 3
"""Images by which the two runs of the stage differ."""


def convolution_calls(
    network: PostProcessor, features: dict[str, torch.Tensor]
) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Input and kernel of each convolution."""
    side = features["dino"].shape[-1]
    calls = []
    for name, layers in zip(INPUTS, network.bottleneck_layers, strict=True):
        block: Any = layers[0]  # type: ignore[index]
        inner = torch.randn(1, block.conv2.weight.shape[1], side, side)
        calls += [(features[name], block.conv1.weight), (inner, block.conv2.weight)]
        calls.append((inner, block.conv3.weight))
        if block.shortcut is not None:
            calls.append((features[name], block.shortcut.weight))
    return calls


def convolve(calls: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    with torch.inference_mode():
        for features, weight in calls:
            functional.conv2d(features, weight, padding=weight.shape[-1] // 2)


def run_stage(root: Path, category: str, checkpoint: Path, names: list[str]) -> None:
    """The script of the stage, on some images, in a folder that vanishes.

    The features are reached through a new link, as digests of known paths are remembered.
    """
    import descriptors

    with tempfile.TemporaryDirectory() as folder:
        linked = Path(folder) / "features"
        linked.symlink_to(root.resolve(), target_is_directory=True)
        job = SimpleNamespace(
            output=[f"{folder}/{name}.h5" for name in names],
            params=SimpleNamespace(
                root=str(linked),
                category=category,
                checkpoint=str(checkpoint),
                code="",
                marker=f"{folder}/.whole",
            ),
            config={"runtime": {"device": "cpu"}},
            rule="descriptors",
        )
        descriptors.main(job)


def measure(root: Path, category: str, checkpoint: Path, repeat: int) -> dict[str, float]:
    """Median CPU seconds per map, alternating: stage, encoder, convolutions; and two shares."""
    sys.path.insert(0, str(SCRIPTS))
    import job

    from semalign3d.models.descriptors import DescriptorEncoder

    job._limit_threads(1)
    job._keep_freed_memory()
    names = stems(1 + IMAGES)
    features = read_features(root / category, names[0], mirrored=False)
    encoder = DescriptorEncoder(checkpoint, torch.device("cpu"))
    calls = convolution_calls(load_post_processor(checkpoint), features)
    stage, encode, alone = [], [], []
    convolve(calls)
    for _ in range(repeat):
        one = _cpu_seconds(lambda: run_stage(root, category, checkpoint, names[:1]))
        all_of_them = _cpu_seconds(lambda: run_stage(root, category, checkpoint, names))
        stage.append((all_of_them - one) / IMAGES / 2)
        encode.append(_cpu_seconds(lambda: encoder.encode(features)))
        alone.append(_cpu_seconds(lambda: convolve(calls)))
    medians = [statistics.median(times) for times in (stage, encode, alone)]
    return {
        "stage": medians[0],
        "encoder": medians[1],
        "convolutions": medians[2],
        "share_of_stage": medians[2] / medians[0],
        "share_of_encoder": medians[2] / medians[1],
    }


def _cpu_seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


if __name__ == "__main__":
    root, category, checkpoint, repeat = sys.argv[1:]
    print(json.dumps(measure(Path(root), category, Path(checkpoint), int(repeat))))
