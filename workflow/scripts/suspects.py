"""Every annotation against the refined prior, as a table and in a line."""

from collections.abc import Iterator

import numpy as np
from csv_files import write_rows

from semalign3d.prior.cameras import Cameras
from semalign3d.prior.suspects import AnnotationCheck

SHOWN = 5
"""Images that are named."""
COLUMNS = (
    *("image", "keypoint", "x", "y", "expected_x", "expected_y"),
    *("residual", "deviations", "suspicion"),
)


def write_suspects(path: str, cameras: Cameras, check: AnnotationCheck) -> None:
    """One row an annotated keypoint of the prior, worst first."""
    write_rows(path, COLUMNS, _rows(cameras, check))


def _rows(cameras: Cameras, check: AnnotationCheck) -> Iterator[tuple[object, ...]]:
    order = np.argsort(-check.deviations, axis=None, kind="stable")
    for image, keypoint in np.stack(np.unravel_index(order, check.deviations.shape), axis=1):
        if np.isfinite(check.deviations[image, keypoint]):
            pixels = [*cameras.annotated_px[image, keypoint], *check.expected_px[image, keypoint]]
            yield (
                *(cameras.stems[image], keypoint, *(f"{pixel:.1f}" for pixel in pixels)),
                f"{check.residual[image, keypoint]:.4f}",
                f"{check.deviations[image, keypoint]:.2f}",
                check.suspicion[image, keypoint],
            )


def named_suspects(cameras: Cameras, check: AnnotationCheck) -> str:
    """How many annotations are suspicious, and the images with most of them; empty if none is."""
    counts = np.count_nonzero(check.suspicion, axis=1)
    worst = [n for n in np.argsort(-counts, kind="stable") if counts[n]]
    if not worst:
        return ""
    named = ", ".join(f"{cameras.stems[n]} ({counts[n]})" for n in worst[:SHOWN])
    more = f" and {len(worst) - SHOWN} more images" if len(worst) > SHOWN else ""
    return f"{counts.sum()} suspicious annotations: {named}{more}"
