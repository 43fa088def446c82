"""How much of the descriptors stage is its convolutions.

`python -m studies.speed.convolutions <features> <category> <checkpoint> <repeats>` prints JSON: the
encoder, and the post-processor network's convolutions alone, one call of
`torch.nn.functional.conv2d` each: as the network is defined (METHOD.md 1.4: all maps are resized
before it), and with small maps before their resize, as the stage has them. The stage itself runs
through Snakemake, over some images and over more of them: the difference is free of its start.
"""

import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from semalign3d.maps.descriptors import INPUTS
from semalign3d.maps.descriptors.geoaware import DescriptorEncoder, read_features
from semalign3d.maps.descriptors.post_processor import PostProcessor, load_post_processor
from semalign3d.pipeline.job import keep_freed_memory, limit_threads

from . import chain
from .data.dataset import stems

IMAGES = (8, 32)
"""Of the two runs of the stage; after the first of them its memory hardly grows any more."""


def stage_seconds(
    base: Path, category: str, config: Callable[[int], Mapping[str, Any]], repeat: int
) -> float:
    """Median CPU seconds that the stage takes for one map, from file to file.

    `config` gives the settings for a number of images; runs happen in a folder below `base`.
    """
    target = f"results/descriptors/{category}/{stems(1)[0]}.h5"
    folder = base / "run-convolutions"
    found = []
    for _ in range(repeat):
        seconds = []
        for images in IMAGES:
            processes = chain.run(folder, [target], config(images), 1)
            seconds.append(sum(p.cpu for p in processes if p.stage == "descriptors"))
            shutil.rmtree(folder)
        found.append((seconds[1] - seconds[0]) / (IMAGES[1] - IMAGES[0]) / 2)
    return statistics.median(found)


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


def resized(features: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """All maps on the grid of `dino`."""
    size = features["dino"].shape[-2:]
    return {
        name: functional.interpolate(of_input, size, mode="bilinear", align_corners=False)
        for name, of_input in features.items()
    }


def convolve(calls: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    with torch.inference_mode():
        for features, weight in calls:
            functional.conv2d(features, weight, padding=weight.shape[-1] // 2)


def measure(root: Path, category: str, checkpoint: Path, repeat: int) -> dict[str, float]:
    """Median CPU seconds for one map of the encoder and of the convolutions alone, in turn.

    Threads and memory are set up as in the stage.
    """
    limit_threads(1)
    keep_freed_memory()
    features = read_features(root / category, stems(1)[0], mirrored=False)
    encoder = DescriptorEncoder(checkpoint, torch.device("cpu"))
    network = load_post_processor(checkpoint)
    defined = convolution_calls(network, resized(features))
    small_first = convolution_calls(network, features)
    parts = {
        "encoder": lambda: encoder.encode(features),
        "defined": lambda: convolve(defined),
        "small_first": lambda: convolve(small_first),
    }
    rounds = [{name: _cpu_seconds(part) for name, part in parts.items()} for _ in range(repeat + 1)]
    return {name: statistics.median(found[name] for found in rounds[1:]) for name in parts}


def _cpu_seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


if __name__ == "__main__":
    root, category, checkpoint, repeat = sys.argv[1:]
    print(json.dumps(measure(Path(root), category, Path(checkpoint), int(repeat))))
