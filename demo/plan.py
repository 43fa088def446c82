"""Which images, splits and pairs a demo category has; standard library only.

The workflow imports this each time it is parsed. Stems and pairs depend on the counts alone, and an
added image of one split changes no other image.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

CATEGORIES = ("chair", "aeroplane", "bottle")
"""In this order the pairs are numbered: new ones go to the end."""
SPLITS = ("trn", "val", "test")
_FIRST = {"trn": 0, "val": 700, "test": 800}
"""Number of a split's first image."""
_NEIGHBOURS = 4
"""Training pairs: each image with so many that follow it."""
_SIZES = ((360, 270), (270, 360), (320, 320), (380, 254), (300, 340))
"""Widths and heights in turn: landscape, portrait, square, wide, nearly square."""


class Counts(NamedTuple):
    """Number of images of each split."""

    trn: int = 24
    val: int = 6
    test: int = 10


DEFAULT = Counts()


def check_category(category: str) -> None:
    """Raise ValueError unless the demo has this category."""
    if category not in CATEGORIES:
        raise ValueError(f"category: expected one of {', '.join(CATEGORIES)}, found {category!r}")


def splits(category: str, counts: Counts = DEFAULT) -> dict[str, tuple[str, ...]]:
    """Stems of each split, sorted, such as ``chair_000``.

    Raises
    ------
    ValueError : an unknown category, fewer than 2 images in a split or too many
    """
    check_category(category)
    limits = {"trn": 700, "val": 100, "test": 200}
    for split, count in zip(SPLITS, counts, strict=True):
        if not 2 <= count <= limits[split]:
            raise ValueError(f"counts: expected 2 to {limits[split]} {split} images, found {count}")
    return {
        split: tuple(f"{category}_{_FIRST[split] + i:03d}" for i in range(count))
        for split, count in zip(SPLITS, counts, strict=True)
    }


def pairs(category: str, counts: Counts = DEFAULT) -> dict[str, list[tuple[str, str]]]:
    """Source and target stems of each split's pairs.

    Validation and test take all ordered pairs, training each image with the few that follow it.
    """
    stems = splits(category, counts)
    trn = stems["trn"]
    steps = range(1, min(_NEIGHBOURS, len(trn) - 1) + 1)
    return {
        "trn": [(trn[i], trn[(i + step) % len(trn)]) for i in range(len(trn)) for step in steps],
        "val": list(permutations(stems["val"], 2)),
        "test": list(permutations(stems["test"], 2)),
    }


def pair_name(number: int, source: str, target: str, category: str) -> str:
    """A pair's name in SPair-71k's form, such as ``000001-chair_000-chair_001:chair``."""
    return f"{number:06d}-{source}-{target}:{category}"


def pair_names(
    category: str, counts: Counts = DEFAULT
) -> dict[str, list[tuple[int, str, str, str]]]:
    """Number, name, source and target of each split's pairs; numbers are unique over categories."""
    of_splits = pairs(category, counts)
    number = CATEGORIES.index(category) * sum(len(p) for p in of_splits.values())
    named: dict[str, list[tuple[int, str, str, str]]] = {}
    for split in SPLITS:
        named[split] = []
        for source, target in of_splits[split]:
            number += 1
            named[split].append(
                (number, pair_name(number, source, target, category), source, target)
            )
    return named


def layout_lines(
    categories: Sequence[str] = CATEGORIES, counts: Counts = DEFAULT
) -> dict[str, list[str]]:
    """Lines of ``Layout/*/{trn,val,test}.txt``: the pair names of all categories."""
    named = [pair_names(category, counts) for category in categories]
    return {split: [name for of in named for _, name, _, _ in of[split]] for split in SPLITS}


def image_number(category: str, stem: str) -> int:
    """The number at the end of a stem; ValueError if it is not a stem of the category."""
    head, _, tail = stem.rpartition("_")
    if head != category or not tail.isdigit():
        raise ValueError(f"stem: expected {category}_<number>, found {stem!r}")
    return int(tail)


def split_of(category: str, stem: str) -> str:
    """The split that a stem's number belongs to."""
    number = image_number(category, stem)
    return max((s for s in SPLITS if _FIRST[s] <= number), key=_FIRST.__getitem__)


def image_size(category: str, stem: str) -> tuple[int, int]:
    """Width and height of an image in pixels."""
    return _SIZES[image_number(category, stem) % len(_SIZES)]
