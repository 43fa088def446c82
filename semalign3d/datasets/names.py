"""Names of splits, categories and images; every name becomes part of a path."""

import difflib
import functools
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import InputError

SPLITS = ("trn", "val", "test")
MAX_SHOWN = 20
MAX_BYTES = 200
"""Of a name, so that endings such as _masks.npy fit into the 255 that file systems have."""
_REFUSED = re.compile(r"[/\\\x00-\x1f:{}\ud800-\udfff]")


@functools.lru_cache(maxsize=1 << 16)
def fault_of(name: str) -> str:
    """What keeps a text from being a file's name; empty where nothing does.

    A name is not hidden, no folder, and nothing that climbs out. Braces are refused as well: in
    the targets of the pipeline they stand for a placeholder.
    """
    if not name:
        return "it is empty"
    refused = _REFUSED.search(name)
    if refused:
        return f"the character {refused.group()!r} can't be in it"
    if len(name.encode()) > MAX_BYTES:
        return f"it is longer than {MAX_BYTES} bytes"
    if name.startswith("."):
        return "it starts with a dot"
    if name != name.strip():
        return f"there is a blank at its {'start' if name[0].isspace() else 'end'}"
    return ""


def is_plain_name(name: str) -> bool:
    """Whether a text can be a file's name, see `fault_of`."""
    return not fault_of(name)


def as_written(name: str) -> str:
    """A name without blanks at its ends, in Unicode's composed form (NFC).

    Two names that look alike are then equal.
    """
    return unicodedata.normalize("NFC", name).strip()


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question with the nearest of some names; empty where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"; did you mean {near[0]!r}?" if near else ""


def is_plain_path(name: str) -> bool:
    """Whether a relative path of plain names, with slashes between them, stays in its folder."""
    return all(is_plain_name(part) for part in name.removeprefix("./").split("/"))


def require_category(category: str, known: Iterable[str], where: Path) -> None:
    """Raise an InputError that lists the known categories if this is none of them."""
    names = sorted(known)
    if category not in names:
        raise InputError(
            f"no category {category!r} in {where}{did_you_mean(category, names)}; there are: "
            f"{', '.join(names) or 'none'}"
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


def first_of(problems: Sequence[str], shown: int = MAX_SHOWN) -> list[str]:
    """As many as a terminal can show; a damaged list has thousands of wrong lines."""
    more = len(problems) - shown
    return [*problems[:shown], *([f"and {more} more"] if more > 0 else [])]


def some_of(names: Sequence[str], shown: int = 6) -> str:
    """Names in a line; of many, the first and how many more."""
    return ", ".join(first_of(names, shown))
