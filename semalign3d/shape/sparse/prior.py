"""Sparse prior: the keypoints of a category in object space (METHOD.md section 7)."""

import logging
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from semalign3d.errors import InputError
from semalign3d.geometry.cameras import mirror_or_identity, mirror_points
from semalign3d.geometry.frames import canonical_frame
from semalign3d.limits import MIN_KEYPOINTS
from semalign3d.shape.relations.fitting import Relations
from semalign3d.shape.sparse.embedding import MIN_KNOWN_EDGES, edge_lengths, embed, well_connected
from semalign3d.shape.sparse.energy import EnergyTerms, ShapeEnergy

logger = logging.getLogger(__name__)

_UNSEEN = "no kept relation has it: too few images see it together with others"
_LOOSE = f"fewer than {MIN_KNOWN_EDGES} of its distances to used keypoints are known"
_UNDETERMINED = "the kept relations leave its place open"
_OPEN_CURVATURE = 1e-6
CLEAR_HANDEDNESS = 0.02
"""Least difference of energy to the mirror image that decides: a factor of 1.1 in the likelihood of
each z cosine. The demo's categories have 0.4 and more."""


@dataclass(frozen=True)
class KeypointShape:
    """Keypoints in the canonical frame.

    Attributes
    ----------
    xyz : (K, 3) float64
        NaN for keypoints that are not used.
    used : (K,) bool
    reasons : tuple of K str
        Why a keypoint is not used; empty for the used ones.
    """

    xyz: np.ndarray
    used: np.ndarray
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class SparseShape(KeypointShape):
    """The shape of lowest energy, in the canonical frame.

    Attributes
    ----------
    energy : EnergyTerms
        Of this shape.
    mirrored_energy : float
        Total energy of this shape's mirror image. Only the z cosines tell the two apart.
    """

    energy: EnergyTerms
    mirrored_energy: float

    @property
    def handed(self) -> bool:
        """Whether the relations say which of the shape and its mirror image is the right one.

        They don't where all keypoints lie near one plane, or too few see each other.
        """
        return self.mirrored_energy - self.energy.total > CLEAR_HANDEDNESS


def fit_sparse(
    relations: Relations,
    mirror: np.ndarray | None,
    *,
    max_iterations: int = 2000,
    device: str | None = None,
) -> SparseShape:
    """Shape of lowest energy, in the canonical frame.

    Edge lengths from the ratios, coordinates by multidimensional scaling, then L-BFGS on the
    energy from both mirror images; the lower one is kept.

    Parameters
    ----------
    relations
        Of K keypoints.
    mirror
        (K,) mirror table, or None where it is not known.
    max_iterations
        Of L-BFGS, from each mirror image.
    device
        Where the energy is computed, see `arrays.compute_device`.

    Raises
    ------
    InputError
        If the relations determine fewer than 4 keypoints.
    """
    table = mirror_or_identity(mirror, relations.keypoints)
    lengths = edge_lengths(relations)
    used = well_connected(lengths)
    reasons = _reasons(relations, used)
    _require_enough(used, reasons)
    energy = ShapeEnergy(relations, used, device)
    start = embed(lengths[np.ix_(used, used)])
    start = start / np.sqrt(np.square(start).sum(axis=1).mean())
    shapes = [
        _minimise(energy, used, start * side, max_iterations)
        for side in (np.ones(3), np.array([-1.0, 1.0, 1.0]))
    ]
    (lowest, xyz), (other, _) = sorted(shapes, key=lambda shape: shape[0])
    logger.info("energy %.4f, from the other mirror image %.4f", lowest, other)
    undetermined = _undetermined(energy, used, xyz)
    reasons = [
        _UNDETERMINED if loose else text for loose, text in zip(undetermined, reasons, strict=True)
    ]
    used = used & ~undetermined
    _require_enough(used, reasons)
    for number in np.flatnonzero(~used):
        logger.warning("keypoint %d is not used: %s", number, reasons[number])
    placed = np.where(used[:, None], xyz, np.nan)
    canonical = canonical_frame(placed, used, table).apply(placed)
    energy = ShapeEnergy(relations, used, device)
    mirrored = energy.terms(mirror_points(canonical)).total
    shape = SparseShape(canonical, used, tuple(reasons), energy.terms(canonical), mirrored)
    if not shape.handed:
        logger.warning("the handedness is not determined: the mirror image fits as well")
    return shape


def _reasons(relations: Relations, used: np.ndarray) -> list[str]:
    """Why keypoints outside `used` (K,) have no place; empty for the others."""
    ends = relations.edges[relations.pairs[relations.pair_kept]]
    count = np.bincount(ends.ravel(), minlength=relations.keypoints)
    return ["" if u else _LOOSE if n else _UNSEEN for u, n in zip(used, count, strict=True)]


def _require_enough(used: np.ndarray, reasons: list[str]) -> None:
    if used.sum() < MIN_KEYPOINTS:
        missing = [f"keypoint {i}: {text}" for i, text in enumerate(reasons) if text]
        raise InputError(
            missing,
            hint=f"Only {used.sum()} keypoints can be placed, a prior needs at least "
            f"{MIN_KEYPOINTS}: give more images with more keypoints, or set "
            "relations.min_images lower.",
        )


def _minimise(
    energy: ShapeEnergy, used: np.ndarray, start: np.ndarray, max_iterations: int
) -> tuple[float, np.ndarray]:
    """Lowest energy and shape (K, 3) from a start (n, 3) of the used keypoints, others at 0."""
    xyz = np.zeros((len(used), 3))

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        xyz[used] = flat.reshape(-1, 3)
        value, gradient = energy.value_and_gradient(xyz)
        return value, gradient[used].ravel()

    result = minimize(
        objective,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iterations, "maxcor": 30, "ftol": 1e-11, "gtol": 1e-7},
    )
    logger.info("energy %.4f after %d steps: %s", result.fun, result.nit, result.message)
    xyz[used] = result.x.reshape(-1, 3)
    return float(result.fun), xyz


def _undetermined(energy: ShapeEnergy, used: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    """Used keypoints (K,) bool that can move, others at rest, without a change of the energy.

    The least curvature of the energy with respect to each keypoint's place is compared with the
    median curvature. Its sign plays no part: near parallel edges, whose energy is a steep barrier,
    differences give large curvatures of either sign, and only one near zero leaves a place open.
    """
    hessian = energy.hessian(xyz).reshape(len(used), 3, len(used), 3)
    own = np.einsum("kakb->kab", hessian)
    least = np.abs(np.linalg.eigvalsh(own)).min(axis=1)
    typical = float(np.median(np.einsum("kaa->k", own)[used] / 3.0))
    return used & (least < _OPEN_CURVATURE * typical)
