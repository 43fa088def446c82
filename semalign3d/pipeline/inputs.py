"""What the scripts of several stages read: the dataset, and files of training images."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from semalign3d.datasets import Dataset, open_dataset
from semalign3d.files import store
from semalign3d.maps.masks.sam import RANKING, select_mask
from semalign3d.shape.cameras.estimation import Cameras

Settings = TypeVar("Settings")


def opened_dataset(params: Any) -> Dataset:
    """Open the dataset of the parameters dataset_name, dataset_root and so on."""
    start = "dataset_"
    settings = {k.removeprefix(start): v for k, v in params.items() if k.startswith(start)}
    return open_dataset(**settings)


def settings_of(kind: type[Settings], params: Any) -> Settings:
    """A dataclass of settings from the parameters of its fields; others keep their defaults."""
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in params.items() if name in names})


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
