"""Features and a post-processor network of the published sizes, with random numbers."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch

from semalign3d.maps.descriptors import INPUTS
from semalign3d.maps.descriptors.post_processor import PostProcessor

FULL_SIZE = {"s3": (640, 60), "s4": (1280, 30), "s5": (1280, 15), "dino": (768, 60)}
"""Channels and grid of the published features."""
WIDTH = 768
"""Channels of the published post-processor's descriptors."""
DIFFERENT = 2
"""Images with features of their own; the other images' files are links to these."""


def write_features(folder: Path, stems: Sequence[str]) -> None:
    """Random features of full size, 52 MB for each of two images, linked for the others."""
    folder.mkdir(parents=True)
    rng = torch.Generator().manual_seed(0)
    for number, stem in enumerate(stems):
        for end in ("", "_flip"):
            names = [f"{stem}_dino{end}.pt", f"{stem}_sd{end}.pt"]
            if number < DIFFERENT:
                tensors = {
                    name: torch.randn(1, channels, side, side, generator=rng)
                    for name, (channels, side) in FULL_SIZE.items()
                }
                torch.save(tensors.pop("dino"), folder / names[0])
                torch.save(tensors, folder / names[1])
            else:
                for name in names:
                    os.link(folder / name.replace(stem, stems[number % DIFFERENT]), folder / name)


def write_checkpoint(path: Path) -> None:
    """A post-processor network of the published one's size, with random weights."""
    rng = torch.Generator().manual_seed(1)
    network = PostProcessor([FULL_SIZE[name][0] for name in INPUTS], WIDTH // 4, WIDTH)
    for parameter in network.parameters():
        if parameter.ndim == 4:
            torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5, generator=rng)
    torch.save(network.state_dict(), path)
