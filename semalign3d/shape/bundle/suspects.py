"""Annotations that disagree with the refined prior: left and right swapped, or displaced."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from semalign3d.geometry.cameras import mirror_or_identity, project
from semalign3d.shape.bundle.refinement import Bundle
from semalign3d.shape.bundle.rejection import MEDIAN_OF_RAYLEIGH
from semalign3d.shape.cameras.estimation import Cameras

SHOWN = 5
"""Images that are named."""
SWAPPED, DISPLACED = "left and right swapped", "displaced"


@dataclass(frozen=True)
class AnnotationCheck:
    """How each annotated keypoint agrees with the refined prior.

    Attributes
    ----------
    expected_px : (N, K, 2) where the prior's keypoints lie in the image, pixels; NaN without pose.
    residual : (N, K) distance of the annotation from there, relative to the object's size in the
        image; NaN where not seen.
    deviations : (N, K) the same in units of the typical one (a robust standard deviation over all
        annotations of the category).
    suspicion : (N, K) texts: empty, or what the annotation looks like.
    """

    expected_px: np.ndarray
    residual: np.ndarray
    deviations: np.ndarray
    suspicion: np.ndarray


def check_annotations(
    cameras: Cameras, bundle: Bundle, mirror: np.ndarray | None, *, suspicious: float = 5.0
) -> AnnotationCheck:
    """Compare all annotations with the refined prior.

    An annotation looks displaced if its residual is larger than `suspicious` deviations. It looks
    swapped if the squares of its residual and of that of the mirror keypoint, where that is seen,
    fall by more than the square of `suspicious` deviations when left and right are exchanged, and
    its own is then at most so many deviations. This finds smaller errors, too, where both are seen.

    Parameters
    ----------
    cameras : of N images.
    bundle : their refinement.
    mirror : (K,) mirror table, or None: no keypoint can be swapped.
    suspicious : deviations.
    """
    table = mirror_or_identity(mirror, len(bundle.xyz))
    expected = _expected(cameras, bundle)
    # Residuals are relative to the object's size in pixels.
    length = np.linalg.norm(expected - cameras.annotated_px, axis=2)
    residual = np.linalg.norm(bundle.reprojection, axis=2)
    size = np.nanmedian(length / residual, axis=1, keepdims=True)
    exchanged = np.linalg.norm(expected[:, table] - cameras.annotated_px, axis=2) / size
    deviation = float(np.nanmedian(residual)) / MEDIAN_OF_RAYLEIGH
    as_named, as_exchanged = (np.nan_to_num(r / deviation) ** 2 for r in (residual, exchanged))
    gain = as_named - as_exchanged
    gain = gain + np.where(table == np.arange(len(table)), 0.0, gain[:, table])
    swapped = (gain > suspicious**2) & (exchanged <= np.minimum(residual, suspicious * deviation))
    bad = residual > suspicious * deviation
    suspicion = np.where(swapped, SWAPPED, np.where(bad, DISPLACED, ""))
    return AnnotationCheck(expected, residual, residual / deviation, suspicion)


def _expected(cameras: Cameras, bundle: Bundle) -> np.ndarray:
    """Pixels (N, K, 2) of the prior's keypoints; NaN for images without a pose."""
    placed = bundle.scale[:, None, None] * (bundle.xyz @ bundle.rotation.transpose(0, 2, 1))
    placed = placed + bundle.translation[:, None]
    return np.stack(
        [
            project(points, (int(width), int(height)), float(p), principal)
            for points, (width, height), p, principal in zip(
                placed, cameras.sizes, bundle.p, cameras.principal_px, strict=True
            )
        ]
    )


def suspects_table(cameras: Cameras, check: AnnotationCheck) -> pd.DataFrame:
    """One row an annotated keypoint of the prior, worst first."""
    seen = np.isfinite(check.deviations)
    image, keypoint = np.nonzero(seen)
    annotated, expected = cameras.annotated_px[seen], check.expected_px[seen]
    table = pd.DataFrame(
        {
            "image": np.array(cameras.stems, dtype=object)[image],
            "keypoint": keypoint,
            "x": annotated[:, 0].round(1),
            "y": annotated[:, 1].round(1),
            "expected_x": expected[:, 0].round(1),
            "expected_y": expected[:, 1].round(1),
            "residual": check.residual[seen].round(4),
            "deviations": check.deviations[seen].round(2),
            "suspicion": check.suspicion[seen],
        }
    )
    return table.iloc[np.argsort(-check.deviations[seen], kind="stable")]


def named_suspects(cameras: Cameras, check: AnnotationCheck) -> str:
    """How many annotations are suspicious, and the images with most of them; empty if none is."""
    counts = np.count_nonzero(check.suspicion, axis=1)
    worst = [n for n in np.argsort(-counts, kind="stable") if counts[n]]
    if not worst:
        return ""
    named = ", ".join(f"{cameras.stems[n]} ({counts[n]})" for n in worst[:SHOWN])
    more = f" and {len(worst) - SHOWN} more images" if len(worst) > SHOWN else ""
    return f"{counts.sum()} suspicious annotations: {named}{more}"
