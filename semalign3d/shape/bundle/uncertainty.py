"""How sure a refined shape is: what it would be without each of the images (METHOD.md 7)."""

from dataclasses import dataclass

import numpy as np

from semalign3d.shape.bundle.model import SymmetricShape
from semalign3d.shape.bundle.objective import Curvature

_IN_SPAN = 1e-9
_RIDGE = 1e-9


def shape_basis(shape: SymmetricShape, used: np.ndarray) -> np.ndarray:
    """What each free coordinate of the used keypoints (K,) bool changes: (K, 3, F)."""
    count = len(used)
    unit = np.eye(3 * count).reshape(3 * count, count, 3)
    changes = np.array([shape.expand(change) for change in unit])
    changes[:, ~used] = 0.0
    return np.moveaxis(changes[np.abs(changes).sum(axis=(1, 2)) > 0.0], 0, 2)


def similarity_directions(xyz: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Orthonormal changes (K, 3, 7) of a shape that shift, turn and scale the used keypoints."""
    points = np.where(used[:, None], xyz - xyz[used].mean(axis=0), 0.0)
    shifts = [np.where(used[:, None], axis, 0.0) for axis in np.eye(3)]
    turns = [np.cross(axis, points) for axis in np.eye(3)]
    every = np.stack([*shifts, *turns, points], axis=2).reshape(-1, 7)
    return np.linalg.qr(every)[0].reshape(*xyz.shape, 7)


@dataclass(frozen=True)
class Spread:
    """Changes of a shape whose outer products add up to a covariance.

    Attributes
    ----------
    left_out : (n, K, 3) how the shape changes without each of n images, scaled.
    modelled : (F, K, 3) from the curvature alone, scaled by how large the residuals are.
    """

    left_out: np.ndarray
    modelled: np.ndarray


def spread(curvature: Curvature, basis: np.ndarray, xyz: np.ndarray, used: np.ndarray) -> Spread:
    """How the images leave a shape open, up to a similarity.

    Parameters
    ----------
    curvature
        Shares of n images over F coordinates.
    basis
        (K, 3, F) what the coordinates change, see `shape_basis`.
    xyz
        (K, 3) the shape.
    used
        (K,) bool, keypoints that the coordinates place.
    """
    count, size = len(curvature.slope), basis.shape[2]
    flat = basis.reshape(-1, size)
    similar = similarity_directions(xyz, used).reshape(-1, 7)
    coordinates = np.linalg.lstsq(flat, similar, rcond=None)[0]
    # Those similarities that keep the shape's symmetry: the images say nothing about them.
    _, apart, combined = np.linalg.svd(similar - flat @ coordinates)
    free = coordinates @ combined[apart < _IN_SPAN].T
    total = curvature.second.sum(axis=0)
    typical = np.trace(total) / size
    # What one image alone determines would be singular without it.
    total = total + typical * (free @ free.T + _RIDGE * np.eye(size))
    changes = np.linalg.solve(total - curvature.second, curvature.slope[..., None])[..., 0]
    left_out = np.sqrt((count - 1) / count) * (changes @ flat.T)
    values, vectors = np.linalg.eigh(total)
    modelled = np.sqrt(curvature.dispersion / values)[:, None] * (flat @ vectors).T
    return Spread(left_out.reshape(count, -1, 3), modelled.reshape(size, -1, 3))


def covariance(found: Spread, xyz: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Covariance (K, 3, 3) of each keypoint's place, NaN for unused ones.

    A linearised jackknife: each image is left out in turn, and one Newton step tells where the
    shape would go. Images are taken for independent, keypoints of an image are not: instances that
    differ from the mean shape, and errors that a whole image shares, count. Shapes are compared
    after similarity alignment of the used keypoints (K,) bool.

    A keypoint that few images show can look surer than it is: where the curvature alone gives a
    larger covariance, that one is taken.
    """
    similar = similarity_directions(xyz, used).reshape(-1, 7)

    def aligned(changes: np.ndarray) -> np.ndarray:
        flat = changes.reshape(len(changes), -1)
        apart = (flat - (flat @ similar) @ similar.T).reshape(changes.shape)
        return np.einsum("nki,nkj->kij", apart, apart)

    left_out, modelled = aligned(found.left_out), aligned(found.modelled)
    larger = np.trace(modelled - left_out, axis1=1, axis2=2) > 0.0
    chosen = np.where(larger[:, None, None], modelled, left_out)
    return np.where(used[:, None, None], chosen, np.nan)
