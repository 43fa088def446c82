"""Datasets: one adapter per layout, all giving the same records."""

from collections.abc import Iterable
from pathlib import Path

from ..errors import InputError
from .records import Dataset, ImageRecord, PairRecord
from .spair import SpairDataset

__all__ = ["Dataset", "ImageRecord", "PairRecord", "load_records", "open_dataset"]

SPAIR_LAYOUT = ("spair-71k", "demo")


def open_dataset(name: str, root: str | Path) -> Dataset:
    """Open a dataset by the name that the configuration uses; reads nothing yet.

    Raises
    ------
    InputError : unknown name (lists the known ones).
    """
    if name not in SPAIR_LAYOUT:
        raise InputError(f"unknown dataset {name!r}; known are: {', '.join(SPAIR_LAYOUT)}")
    return SpairDataset(root, name)


def load_records(dataset: Dataset, category: str, splits: Iterable[str]) -> tuple[ImageRecord, ...]:
    """All images of some splits of a category, in the order of splits, then of stems.

    Raises
    ------
    InputError : lists the problems of all the annotations together.
    """
    by_split = dataset.splits(category)
    records: list[ImageRecord] = []
    problems: list[str] = []
    for split in splits:
        for stem in by_split[split]:
            try:
                records.append(dataset.record(category, stem, split))
            except InputError as error:
                problems += error.problems
    if problems:
        raise InputError(problems)
    return tuple(records)
