"""How long the published construction takes on a run's data, beside ours.

`python -m studies.speed.published.yardstick <results folder> <category>` prints JSON. Parts that
would take hours are timed on a share of their work and multiplied: every figure says how much was
timed.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from semalign3d.files.records import read_record
from semalign3d.shape.relations.fitting import Relations
from semalign3d.shape.sparse.prior import SparseShape

from . import construction as published

FITS = 60
"""Beta distributions that are fitted."""
EVALUATIONS = 60
"""Relations that are at least evaluated on the grid."""
ADAM_STEPS = 40


def measure(results: Path, category: str) -> dict[str, dict[str, float]]:
    """CPU seconds of `fit`, `place` and `refine`: whole (extrapolated), timed, share timed."""
    relations = read_record(results / "relations" / f"{category}.h5", Relations)
    shape = read_record(results / "sparse" / f"{category}.h5", SparseShape, "shape").xyz
    return {
        "fit": _fits(relations),
        "place": _placing(relations),
        "refine": _steps(relations, shape),
    }


def _fits(relations: Relations) -> dict[str, float]:
    """Each set of samples is drawn from the Beta distribution that was fitted to the real ones."""
    alpha = np.concatenate([relations.pair_alpha.ravel(), relations.triangle_alpha.ravel()])
    beta = np.concatenate([relations.pair_beta.ravel(), relations.triangle_beta.ravel()])
    copies = np.concatenate(
        [np.repeat(relations.pair_copies, 2), np.repeat(relations.triangle_copies, 3)]
    )
    fitted = np.flatnonzero(np.isfinite(alpha) & (alpha > 0.0))
    rng = np.random.default_rng(0)
    chosen = rng.choice(fitted, size=min(FITS, len(fitted)), replace=False)
    samples = [rng.beta(alpha[i], beta[i], size=copies[i]) for i in chosen]
    seconds = _cpu_seconds(lambda: published.fit_one_by_one(samples))
    return _extrapolated(seconds, len(chosen), len(fitted))


def _placing(relations: Relations) -> dict[str, float]:
    steps = published.plan(relations)
    counts = np.cumsum([step.evaluations for step in steps])
    timed = int(np.searchsorted(counts, EVALUATIONS)) + 1
    seconds = _cpu_seconds(lambda: published.place(relations, steps[:timed]))
    return _extrapolated(seconds, int(counts[:timed][-1]), int(counts[-1]))


def _steps(relations: Relations, shape: np.ndarray) -> dict[str, float]:
    published.refine(relations, shape, steps=2)
    seconds = _cpu_seconds(lambda: published.refine(relations, shape, steps=ADAM_STEPS))
    return _extrapolated(seconds, ADAM_STEPS, published.STEPS)


def _extrapolated(seconds: float, timed: int, whole: int) -> dict[str, float]:
    return {"seconds": seconds * whole / timed, "timed": timed, "of": whole}


def _cpu_seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


if __name__ == "__main__":
    print(json.dumps(measure(Path(sys.argv[1]), sys.argv[2])))
