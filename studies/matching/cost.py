"""CPU time of alignment and matching on one thread, and the memory that they take.

python -m studies.matching cost results/priors/chair.h5 results/priors/aeroplane.h5

Descriptors are widened with zeros to the published 768 channels: the same cosines, and the same
numbers, for the work of full size.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
from threadpoolctl import threadpool_limits

from semalign3d.alignment.photo.descriptors import DescriptorFrame
from semalign3d.evaluation.methods import AlignedPhoto
from semalign3d.prior import Prior
from semalign3d.seeds import generator
from studies.matching.cases import CASES, Setup
from studies.matching.commands import open_setup, options, report
from studies.matching.queries import surface_pair

CHANNELS = 768
Result = TypeVar("Result")


@threadpool_limits.wrap(limits=1)
def main(arguments: Sequence[str] | None = None) -> None:
    given = options(str(__doc__).splitlines()[0]).parse_args(arguments)
    setups = (open_setup(given, path, "test", CASES[0]) for path in given.priors)
    rows = [costs(setup, given.surface_points) for setup in setups]
    report(rows, given)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024
    print(f"\nPeak memory of this process: {peak * unit / 1e9:.2f} GB")


def costs(setup: Setup, points: int) -> dict[str, object]:
    """A row of the table: CPU seconds for a category's photos, and for `points` surface queries."""
    prior = widened_prior(setup.prior)
    aligner, once = timed(prior.aligner)
    placed, spent = [], []
    for photo, found in setup.photos:
        descriptors = widened(found)
        start = time.process_time()
        alignment = aligner(descriptors, photo.size)
        spent.append(time.process_time() - start)
        placed.append(AlignedPhoto(descriptors, alignment))
    (first, _), (second, _) = setup.photos[:2]
    queries = surface_pair(first, second, points, generator(0, "cost")).source_keypoints
    match = prior.matcher()
    a, b = placed[:2]
    _, matched = timed(
        lambda: match(a.alignment, a.descriptors, b.alignment, b.descriptors, queries)
    )
    figures = {
        "prepare a category [s]": once,
        "align an image: median [s]": float(np.median(spent)),
        "slowest [s]": max(spent),
        f"match {len(queries)} points [s]": matched,
    }
    head: dict[str, object] = {
        "category": prior.category,
        "keypoints": int(prior.sparse.used.sum()),
        "points": len(prior.points.keypoint),
        "images": len(placed),
    }
    return {**head, **{name: round(value, 2) for name, value in figures.items()}}


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """What a piece of work returns, and its CPU seconds."""
    start = time.process_time()
    return work(), time.process_time() - start


def widened(values: np.ndarray) -> np.ndarray:
    """Descriptors (..., C) with zeros up to `CHANNELS`; as they are if they have as many."""
    missing = max(CHANNELS - values.shape[-1], 0)
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])


def widened_prior(prior: Prior) -> Prior:
    """The prior for widened descriptors; the axes of the new channels are zeros, too."""
    known = prior.statistics
    axes = widened(widened(known.frame.axes).T).T
    frame = DescriptorFrame(widened(known.frame.mean), np.ascontiguousarray(axes))
    wide = replace(known, frame=frame, descriptors=widened(known.descriptors))
    return replace(prior, alignment=wide)
