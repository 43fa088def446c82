"""What several stages read of a category's training images."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from semalign3d.files import store
from semalign3d.maps.masks.sam import RANKING, select_mask
from semalign3d.shape.cameras.estimation import Cameras


def image_sizes(cameras: Cameras) -> list[tuple[int, int]]:
    """(W, H) of each image."""
    return [(int(width), int(height)) for width, height in cameras.sizes]


def by_stem(paths: list[str]) -> dict[str, str]:
    return {Path(path).stem: path for path in paths}


def object_mask(path: str, candidate: str) -> np.ndarray:
    """(H, W) bool: the chosen one of an image's candidates."""
    ranking = RANKING[candidate]
    found = store.read(path, "masks", ranking)
    return select_mask(found["masks"], found[ranking], candidate)


def object_masks(paths: list[str], stems: tuple[str, ...], candidate: str) -> Iterator[np.ndarray]:
    """`object_mask` of each image in turn."""
    files = by_stem(paths)
    for stem in stems:
        yield object_mask(files[stem], candidate)


def descriptor_maps(paths: list[str], stems: tuple[str, ...]) -> Iterator[np.ndarray]:
    """(2, G, G, C) float16 of each image in turn: original, mirrored."""
    files = by_stem(paths)
    for stem in stems:
        yield store.read(files[stem], "descriptors")["descriptors"]
