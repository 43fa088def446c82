"""Names of splits, categories and images; every name becomes part of a path."""

import functools
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..errors import InputError

SPLITS = ("trn", "val", "test")
MAX_SHOWN = 20
_NOT_PLAIN = re.compile(r"[/\\\x00-\x1f:{}]|^\.|^\s|\s$")


@functools.lru_cache(maxsize=1 << 16)
def is_plain_name(name: str) -> bool:
    """Whether a name can be a file's name: not hidden, no folder, nothing that climbs out.

    Braces are refused as well: in the targets of the pipeline they stand for a placeholder.
    """
    return bool(name) and not _NOT_PLAIN.search(name)


def is_plain_path(name: str) -> bool:
    """Whether a relative path of plain names, with slashes between them, stays in its folder."""
    return all(is_plain_name(part) for part in name.removeprefix("./").split("/"))


def require_category(category: str, known: Iterable[str], where: Path) -> None:
    """Raise an InputError that lists the known categories if this is none of them."""
    names = sorted(known)
    if category not in names:
        raise InputError(
            f"no category {category!r} in {where}; there are: {', '.join(names) or 'none'}"
        )


def require_split(split: str, known: Mapping[str, object]) -> None:
    """Raise an InputError that lists the known splits if this is none of them."""
    if split not in known:
        raise InputError(f"no split {split!r}; there are: {', '.join(known)}")


def shared_stems(by_split: Mapping[str, Iterable[str]]) -> list[tuple[str, list[str]]]:
    """Images in more than one split, sorted, each with its splits."""
    splits: dict[str, list[str]] = {}
    for split, stems in by_split.items():
        for stem in stems:
            splits.setdefault(stem, []).append(split)
    return sorted((stem, found) for stem, found in splits.items() if len(found) > 1)


def first_of(problems: list[str]) -> list[str]:
    """As many as a terminal can show; a damaged list has thousands of wrong lines."""
    more = len(problems) - MAX_SHOWN
    return [*problems[:MAX_SHOWN], *([f"and {more} more"] if more > 0 else [])]
