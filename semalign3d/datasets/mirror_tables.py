"""Keypoint mirror tables of SPair-71k, AP-10K and PF-Pascal (METHOD.md 1.1 to 1.3).

A pair swaps when the image is mirrored, a single id stays, an id that is not listed does not
occur.
"""

import numpy as np

Table = tuple[int | tuple[int, int], ...]

_FOUR_LEGS: Table = ((0, 1), (2, 3), (4, 5), (6, 7), 8, (9, 10), (11, 12), 13, 14)
_WHEELED: Table = ((10, 20), (11, 21), (12, 22), (13, 23), (14, 24), (15, 25))
_WHEELED += ((16, 17), (18, 19), (26, 27), (28, 29))

SPAIR: dict[str, Table] = {
    "aeroplane": (
        *(0, 1, 2, 3, (4, 5), (6, 7), (8, 9), (10, 11), (12, 13)),
        *((14, 15), (16, 17), (18, 19), (20, 21), 22, 23, 24),
    ),
    "bicycle": (0, 1, (2, 3), 4, 5, (6, 7), 8, (9, 10), 13),
    "bird": (0, (1, 2), 3, (4, 5), 6, (7, 8), 9, (10, 11), (12, 13), (14, 15), 16),
    "boat": (0, (1, 2), (3, 4), (5, 6), (7, 8), (9, 10), (11, 12), 13),
    "bottle": ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9)),
    "bus": ((0, 1), (2, 3), 4, (5, 6), 7, *_WHEELED),
    "car": ((0, 1), (2, 3), 4, 5, (6, 7), 8, 9, *_WHEELED),
    "cat": _FOUR_LEGS,
    "chair": ((0, 1), (2, 3), (4, 5), (6, 7), (8, 9), (10, 11), (12, 13)),
    "cow": (*_FOUR_LEGS, (15, 16), (17, 18), (19, 20)),
    "dog": ((0, 1), (2, 3), (4, 5), 6, 7, 8, (9, 10), (11, 12), 13, 14, 15),
    "horse": (
        *((0, 1), (2, 3), (4, 5), (6, 7), 8, 9, (10, 11), (12, 13)),
        *(14, 15, (16, 17), (18, 19)),
    ),
    "motorbike": ((0, 1), (2, 3), 4, 5, 6, 7, 8, 9, 10, 11, 12),
    "person": (
        *((0, 1), (2, 3), 4, 5, 6, 7, (8, 9), (10, 11)),
        *((12, 13), (14, 15), (16, 17), (18, 19)),
    ),
    "pottedplant": ((0, 2), 1, 3, (4, 5), (6, 8), 7),
    "sheep": (*_FOUR_LEGS, (15, 16), (17, 18), (19, 20)),
    "train": (
        *((0, 1), (2, 3), (4, 5), (6, 7), (8, 9)),
        *((10, 11), (12, 13), (14, 15), (16, 17)),
    ),
    "tvmonitor": ((0, 2), (4, 6), 1, 5, (3, 7), (8, 10), (12, 14), 9, 13, (11, 15)),
}

_LEGS: Table = ((0, 1), 2, (3, 4), 5, 6, 7, (8, 9), (10, 11), (12, 13), (14, 15))
_BOX: Table = ((0, 1), (2, 3), (4, 5), (6, 7))

PF_PASCAL: dict[str, Table] = {
    "aeroplane": (0, 1, (2, 3), (4, 5), 6, 7, 8, (9, 10), 11, (12, 14), 13, 15),
    "bicycle": ((0, 1), *range(2, 11)),
    "bird": ((0, 1), *range(2, 7), (7, 8), (9, 10), 11),
    "boat": (*range(4), (4, 6), (5, 7), 8, 9, 10),
    "bottle": _BOX,
    "bus": _BOX,
    "car": (*_BOX, (8, 9), (10, 11), (12, 13)),
    "cat": _LEGS,
    "chair": ((0, 2), (1, 3), (4, 6), (5, 7), (8, 9)),
    "cow": _LEGS,
    "diningtable": ((0, 2), (1, 3), (4, 6), (5, 7)),
    "dog": _LEGS,
    "horse": _LEGS,
    "motorbike": ((0, 1), *range(2, 10)),
    "person": ((0, 3), (1, 4), (2, 5), (6, 9), (7, 10), (8, 11), (12, 13), (14, 15), 16),
    "pottedplant": ((0, 1), 2, 3, (4, 5)),
    "sheep": ((0, 1), 2, (3, 4), 5, 6),
    "sofa": (*_BOX, (8, 9), (10, 11)),
    "train": ((0, 1), 2, (3, 5), (4, 6)),
    "tvmonitor": _BOX,
}

AP_10K: Table = ((0, 1), 2, 3, 4, (5, 8), (6, 9), (7, 10), (11, 14), (12, 15), (13, 16))


def listed_ids(table: Table) -> tuple[int, ...]:
    """Sorted ids that a table lists, those that may occur.

    Raises
    ------
    ValueError : an id is negative or listed twice.
    """
    ids = sorted(i for entry in table for i in (entry if isinstance(entry, tuple) else (entry,)))
    if len(set(ids)) != len(ids) or (ids and ids[0] < 0):
        raise ValueError(f"a mirror table must list each id once, none negative; found {ids}")
    return tuple(ids)


def mirror_permutation(table: Table) -> np.ndarray:
    """(K,) int64 permutation: `mirror[i]` is the id that i becomes when the image is mirrored.

    K is the largest listed id + 1. Ids that are not listed stay; they are never seen.
    """
    mirror = np.arange(listed_ids(table)[-1] + 1, dtype=np.int64)
    for entry in table:
        if isinstance(entry, tuple):
            first, second = entry
            mirror[[first, second]] = second, first
    return mirror
