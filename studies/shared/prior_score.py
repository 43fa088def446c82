"""How far a prior is from the demo's truth."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.prior import Prior


@dataclass(frozen=True)
class PriorScore:
    """Errors of a prior as shares of the true keypoints' bounding-box diagonal.

    Attributes
    ----------
    sparse : root mean square distance of the keypoints, after similarity alignment.
    dense : symmetric chamfer distance, the sum of the next two. 1000 points drawn at random from
        the surface itself have 1.3 % (chair) and 0.9 % (aeroplane), evenly spread ones 1.1 and 0.7.
    there : mean distance from the dense points to the visible surface.
    back : mean distance from the visible surface to the dense points.
    mirrored : root mean square distance if a reflection were allowed; below `sparse` only where
        the handedness is wrong.
    unused : keypoints without a place.
    """

    sparse: float
    dense: float
    there: float
    back: float
    mirrored: float
    unused: int


def score_prior(prior: Prior, truth: dict[str, np.ndarray]) -> PriorScore:
    """Compare a prior with the mean shape of the training instances.

    Parameters
    ----------
    prior : of the demo.
    truth : `keypoints` (K, 3), `surface` (n, 3) and `surface_seen` (n,) bool of the mean shape.
    """
    used = prior.sparse.used
    target = truth["keypoints"][used]
    diagonal = float(np.linalg.norm(np.ptp(truth["keypoints"], axis=0)))
    similarity = similarity_procrustes(prior.sparse.xyz[used], target)
    reflected = similarity_procrustes(prior.sparse.xyz[used], target, allow_reflection=True)
    there, back = surface_errors(similarity.apply(prior.dense.xyz), truth)
    return PriorScore(
        sparse=_rmse(similarity.apply(prior.sparse.xyz[used]), target) / diagonal,
        dense=there + back,
        there=there,
        back=back,
        mirrored=_rmse(reflected.apply(prior.sparse.xyz[used]), target) / diagonal,
        unused=int(np.count_nonzero(~used)),
    )


def surface_errors(points: np.ndarray, truth: dict[str, np.ndarray]) -> tuple[float, float]:
    """Mean distance from points (n, 3) to the visible surface and back, as shares of the diagonal.

    Parameters
    ----------
    points : laid over the truth.
    truth : see `score_prior`.
    """
    diagonal = float(np.linalg.norm(np.ptp(truth["keypoints"], axis=0)))
    surface = truth["surface"][truth["surface_seen"]]
    there = float(cKDTree(surface).query(points)[0].mean())
    back = float(cKDTree(points).query(surface)[0].mean())
    return there / diagonal, back / diagonal


def _rmse(points: np.ndarray, target: np.ndarray) -> float:
    return float(np.sqrt(np.square(points - target).sum(axis=1).mean()))
