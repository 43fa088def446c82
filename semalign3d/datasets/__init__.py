"""Datasets: one adapter per layout, all giving the same records."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import InputError
from .ap10k.dataset import Ap10kDataset
from .ap10k.pairs import Ap10kPairsDataset
from .coco.dataset import CocoDataset
from .orientation import AS_ANNOTATED, Reading
from .pf_pascal.dataset import PfPascalDataset
from .records import Dataset, ImageRecord, PairRecord, Remark
from .spair.dataset import SpairDataset

__all__ = [
    "OPTIONS",
    "Dataset",
    "ImageRecord",
    "PairRecord",
    "Remark",
    "load_records",
    "open_dataset",
    "require_categories",
]

_OF_PHOTOS = ("exif", "max_megapixels")
OPTIONS: dict[str, tuple[str, ...]] = {
    "spair-71k": _OF_PHOTOS,
    "demo": _OF_PHOTOS,
    "ap-10k": ("partition", "hidden", *_OF_PHOTOS),
    "pf-pascal": _OF_PHOTOS,
    "coco": ("annotations", "val", "test", "mirror", "hidden", "seed", *_OF_PHOTOS),
}
"""The known datasets, each with the options that its adapter takes besides root and name."""


def open_ap10k(
    root: str | Path,
    *,
    partition: int = 1,
    hidden: bool = True,
    name: str = "ap-10k",
    reading: Reading = AS_ANNOTATED,
) -> Dataset:
    """AP-10K, in the layout that the folder has: annotations/ (official), or PairAnnotation/.

    Parameters
    ----------
    root : the folder.
    partition : of the official files, which of the three: ap10k-train-split<partition>.json.
    hidden : whether keypoints that are labelled but hidden (v = 1) count as seen, as they do in the
        benchmark.
    name : how the dataset is called in results.
    reading : of the photos.
    """
    if (Path(root) / "PairAnnotation").is_dir():
        return Ap10kPairsDataset(root, hidden=hidden, name=name, reading=reading)
    return Ap10kDataset(root, partition=partition, hidden=hidden, name=name, reading=reading)


_OPEN: dict[str, Callable[..., Dataset]] = {
    "spair-71k": SpairDataset,
    "demo": SpairDataset,
    "ap-10k": open_ap10k,
    "pf-pascal": PfPascalDataset,
    "coco": CocoDataset,
}


def open_dataset(name: str, root: str | Path, **options: Any) -> Dataset:
    """Open a dataset by the name that the configuration uses; reads nothing yet.

    Parameters
    ----------
    name : one of `OPTIONS`.
    root : its folder; for `coco` that of the photos.
    options : of the adapter, see its class, and of `Reading`; those that are None keep their
        default.

    Raises
    ------
    InputError : unknown name (lists the known ones), or an option that the adapter does not have.
    """
    if name not in OPTIONS:
        raise InputError(f"unknown dataset {name!r}; known are: {', '.join(OPTIONS)}")
    given = {key: value for key, value in options.items() if value is not None}
    unknown = sorted(set(given) - set(OPTIONS[name]))
    if unknown:
        known = ", ".join(OPTIONS[name]) or "none"
        raise InputError(f"dataset {name} has no option {', '.join(unknown)}; it has: {known}")
    if name == "coco" and "annotations" not in given:
        raise InputError("dataset coco needs annotations, the path of a COCO-keypoint JSON file")
    reading = Reading(**{key: given.pop(key) for key in _OF_PHOTOS if key in given})
    return _OPEN[name](root, name=name, reading=reading, **given)


def require_categories(dataset: Dataset) -> tuple[str, ...]:
    """The dataset's categories, of which there must be some.

    Raises
    ------
    InputError : there are none.
    """
    found = dataset.categories()
    if not found:
        raise InputError(f"dataset.root: the lists of images under {dataset.root} are empty.")
    return found


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
