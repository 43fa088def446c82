"""Pairs of images for evaluation, where a dataset has no list of them."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .records import ImageRecord, PairRecord

TARGETS = 20
"""Targets of each source image, at most; all ordered pairs of up to 21 images are taken."""


def pair_of(name: str, source: ImageRecord, target: ImageRecord) -> PairRecord:
    """A pair with the keypoints that both images show."""
    ids = np.flatnonzero(source.visible & target.visible)
    return PairRecord(
        name=name,
        category=source.category,
        split=source.split,
        source=source.stem,
        target=target.stem,
        source_keypoints=source.keypoints[ids],
        target_keypoints=target.keypoints[ids],
        ids=ids,
        target_box=target.box,
        flags=None,
    )


def all_pairs(
    category: str, stems: Sequence[str], record: Callable[[str], ImageRecord]
) -> Iterator[PairRecord]:
    """Every image with the others; with `TARGETS` of them, evenly spread, if there are more.

    Pairs without a common keypoint are left out. Names are numbered as SPair-71k's.
    """
    records = {stem: record(stem) for stem in stems}
    number = 0
    for place, source in enumerate(stems):
        others = [stems[(place + step) % len(stems)] for step in range(1, len(stems))]
        chosen = np.linspace(0, len(others) - 1, min(TARGETS, len(others))).round().astype(int)
        for target in (others[i] for i in chosen):
            number += 1
            name = f"{number:06d}-{source}-{target}:{category}"
            pair = pair_of(name, records[source], records[target])
            if len(pair.ids):
                yield pair
