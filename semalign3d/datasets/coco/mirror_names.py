"""Which keypoints swap when an image is mirrored, from their names or as the user says."""

import re
from collections.abc import Sequence

import numpy as np

from ...errors import InputError

Entry = str | int | Sequence[str | int]

_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_SWAP = {"left": "right", "right": "left", "l": "r", "r": "l"}


def mirror_from_names(names: Sequence[str]) -> np.ndarray | None:
    """Mirror table (K,) of keypoints named left_ear and right_ear, LeftEar, ear.L, ear-r and alike.

    Keypoints without a side stay. None if no name has a side: then nothing says that the object
    is symmetric.

    Raises
    ------
    InputError : a left or right keypoint whose counterpart is missing, or could be one of several.
    """
    keys = [tuple(word.lower() for word in _WORDS.findall(name)) for name in names]
    swapped = [tuple(_SWAP.get(word, word) for word in key) for key in keys]
    numbers = {key: number for number, key in enumerate(keys)}
    alone = [
        f"keypoint {name!r}: no other keypoint is its mirror image"
        for name, key, other in zip(names, keys, swapped, strict=True)
        if other not in numbers and {"left", "right"} & set(key)
    ]
    several = [
        f"keypoint {name!r}: more than one keypoint could be its mirror image"
        for name, key, other in zip(names, keys, swapped, strict=True)
        if other != key and keys.count(other) > 1
    ]
    if alone or several:
        raise InputError(alone + several, hint="Say with dataset.mirror which keypoints swap.")
    pairs = zip(keys, swapped, strict=True)
    table = np.array(
        [i if other == key else numbers.get(other, i) for i, (key, other) in enumerate(pairs)],
        dtype=np.int64,
    )
    return None if np.array_equal(table, np.arange(len(names))) else table


def mirror_from_entries(entries: Sequence[Entry], names: Sequence[str]) -> np.ndarray:
    """Mirror table (K,) as a user writes it: pairs that swap, and single keypoints that stay.

    Parameters
    ----------
    entries : names or ids of keypoints, alone or two in a list. Who is not named stays.
    names : K names of the category's keypoints.

    Raises
    ------
    InputError : lists entries that are neither, unknown keypoints, and those named twice.
    """
    table = np.arange(len(names))
    problems: list[str] = []
    taken: set[int] = set()
    for entry in entries:
        members = [entry] if isinstance(entry, str | int) else list(entry)
        ids = [i for i in (_number(member, names) for member in members) if i is not None]
        if not 1 <= len(members) <= 2:
            problems.append(f"dataset.mirror: expected a keypoint or two that swap, found {entry}")
        elif len(ids) < len(members):
            problems.append(
                f"dataset.mirror: {entry} names no keypoint; there are: {', '.join(names)}"
            )
        elif taken & set(ids) or len(set(ids)) < len(ids):
            problems.append(f"dataset.mirror: {entry} names a keypoint for the second time")
        else:
            taken |= set(ids)
            table[ids] = ids[::-1]
    if problems:
        raise InputError(problems)
    return table


def _number(member: str | int, names: Sequence[str]) -> int | None:
    if isinstance(member, str):
        return list(names).index(member) if member in names else None
    return member if 0 <= member < len(names) else None
