"""Where photos are seen from, told by their annotated keypoints alone (METHOD.md 1.5).

A symmetric shape and scaled orthographic cameras are fitted to the keypoints of all photos by
alternating least squares. No depth is needed. Photos may have left and right swapped: a camera
explains that just as well, from another side (`SWAPPED`), so that the shape does not suffer.
"""

from dataclasses import dataclass

import numpy as np

SWAPPED = np.array([1.0, -1.0, -1.0])
"""What swapping left and right does to the direction from which a photo seems to be seen."""
MIRRORED = np.array([-1.0, 1.0, 1.0])
"""What mirroring a photo does to it."""
_STARTS, _ROUNDS = 4, 40
_WEAK = 1e-3
"""Of the ridge that keeps cameras of few keypoints finite."""
_MOST_FITTED = 300
_LEAST_MISFIT = 1e-4
"""A hundredth of the spread, squared: labels are no better."""


@dataclass(frozen=True)
class Factorisation:
    """A symmetric shape seen in photos, in a frame whose x is across the mirror plane.

    Attributes
    ----------
    direction : (N, 3) of photos, unit vectors, all towards the camera or all away from it.
    residual : root mean square distance of keypoints from the fitted ones, over their spread.
    shape : (K, 3) up to an affine map that keeps the symmetry.
    places : (N, K, 2) keypoints about their mean, in units of their spread; 0 where there is none.
    weight : (N, K) 1 where there is one, else 0.
    """

    direction: np.ndarray
    residual: float
    shape: np.ndarray
    places: np.ndarray
    weight: np.ndarray


def factorise(points: np.ndarray, mirror: np.ndarray) -> Factorisation:
    """Fit a shape and cameras to keypoints.

    Parameters
    ----------
    points : (N, K, 2) pixels, NaN where there is none; each photo has 4 or more.
    mirror : (K,) mirror table.
    """
    seen = np.isfinite(points).all(axis=2)
    weight = seen.astype(float)
    places = _normalised(points, seen)
    rows = np.arange(0, len(points), -(-len(points) // _MOST_FITTED))
    rng = np.random.default_rng(0)
    fits = [_alternate(places[rows], weight[rows], mirror, rng) for _ in range(_STARTS)]
    shape = min(fits, key=lambda shape: _residual(places[rows], weight[rows], shape))
    direction = _upgraded(_cameras(places, weight, shape)[0])
    residual = _residual(places, weight, shape)
    return Factorisation(direction, residual, shape, places, weight)


def pair_gains(fit: Factorisation, mirror: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How much better photos fit the shape with one pair of keypoints swapped.

    Returns
    -------
    tuple of (P, 2) the pairs, and (N, P) the fall of the sum of squared misfits, in units of what
    is usual: of all keypoints, or of the pair's if that is more, as of legs that swing. 0 where a
    photo does not show both.
    """
    pairs = np.array([(a, b) for a, b in enumerate(mirror) if a < b]).reshape(-1, 2)
    before = _misfits(fit.places, fit.weight, fit.shape)
    usual = max(np.median(before[fit.weight > 0.0]), _LEAST_MISFIT)
    gains = np.zeros((len(fit.places), len(pairs)))
    for number, pair in enumerate(pairs):
        order = np.arange(len(mirror))
        order[pair] = pair[::-1]
        after = _misfits(fit.places[:, order], fit.weight[:, order], fit.shape)
        both = fit.weight[:, pair].all(axis=1)
        if both.any():
            of_pair = max(usual, np.median(before[both][:, pair]))
            gains[:, number] = both * (before.sum(axis=1) - after.sum(axis=1)) / of_pair
    return pairs, gains


def _normalised(points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Each photo's places about their mean, with a root mean square of 1; 0 where there is none."""
    count = seen.sum(axis=1)[:, None]
    places = np.where(seen[..., None], points, 0.0)
    places = np.where(seen[..., None], places - (places.sum(axis=1) / count)[:, None], 0.0)
    size = np.sqrt(np.square(places).sum(axis=(1, 2)) / count[:, 0])
    return np.asarray(places / np.maximum(size, np.finfo(float).tiny)[:, None, None])


def _alternate(
    places: np.ndarray, weight: np.ndarray, mirror: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """A shape (K, 3), symmetric under the mirror table, from a random start."""
    count = len(mirror)
    first = np.minimum(np.arange(count), mirror)
    side = np.where(np.arange(count) > mirror, -1.0, 1.0)[:, None] * [1.0, 0.0, 0.0] + [0, 1, 1]
    middle = mirror == np.arange(count)
    shape = _in_scale(rng.normal(size=(count, 3))[first] * side, middle)
    for _ in range(_ROUNDS):
        cameras, offset = _cameras(places, weight, shape)
        sided = cameras[:, None] * side[:, None]
        normal = np.einsum("nk,nkca,nkcb->kab", weight, sided, sided)
        right = np.einsum("nk,nkca,nkc->ka", weight, sided, places - offset[:, None])
        both, sums = np.zeros_like(normal), np.zeros_like(right)
        np.add.at(both, first, normal)
        np.add.at(sums, first, right)
        solved = np.linalg.solve(both + _WEAK * np.eye(3), sums[..., None])[..., 0]
        shape = _in_scale(solved[first] * side, middle)
    return shape


def _in_scale(shape: np.ndarray, middle: np.ndarray) -> np.ndarray:
    """The shape, with x of unit size, y and z of unit spread: any affine one will do."""
    x = np.where(middle, 0.0, shape[:, 0])
    flat = shape[:, 1:] - shape[:, 1:].mean(axis=0)
    axes, _, _ = np.linalg.svd(flat, full_matrices=False)
    size = max(np.sqrt(np.square(x).mean()), np.finfo(float).tiny)
    return np.column_stack([x / size, axes * np.sqrt(len(shape))])


def _cameras(
    places: np.ndarray, weight: np.ndarray, shape: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Affine cameras (N, 2, 3) and offsets (N, 2) that fit a shape best."""
    with_one = np.column_stack([shape, np.ones(len(shape))])
    normal = np.einsum("nk,ka,kb->nab", weight, with_one, with_one)
    right = np.einsum("nk,ka,nkc->nac", weight, with_one, places)
    solved = np.linalg.solve(normal + _WEAK * np.eye(4), right)
    return solved[:, :3].transpose(0, 2, 1), solved[:, 3]


def _residual(places: np.ndarray, weight: np.ndarray, shape: np.ndarray) -> float:
    return float(np.sqrt(_misfits(places, weight, shape).sum() / weight.sum()))


def _misfits(places: np.ndarray, weight: np.ndarray, shape: np.ndarray) -> np.ndarray:
    """(N, K) squared distances from the shape in its best cameras; 0 where there is no keypoint."""
    cameras, offset = _cameras(places, weight, shape)
    fitted = np.einsum("nca,ka->nkc", cameras, shape) + offset[:, None]
    return np.asarray(weight * np.square(places - fitted).sum(axis=2))


def _upgraded(cameras: np.ndarray) -> np.ndarray:
    """Directions (N, 3) of affine cameras (N, 2, 3), made as nearly orthographic as they can be.

    The frame may be changed by a scale of x and a linear map of y and z, or it would not be
    symmetric; its Gram matrix follows from rows that should be of one length and orthogonal.
    """
    first, second = cameras[:, 0], cameras[:, 1]
    lengths = _products(first, first) + _products(second, second)
    wanted = np.concatenate(
        [_products(first, first) - _products(second, second), 2.0 * _products(first, second)]
    )
    wanted /= np.tile(np.linalg.norm(lengths, axis=1), 2)[:, None]
    mean = lengths.mean(axis=0)
    gram = np.linalg.solve(wanted.T @ wanted + 1e-6 * np.eye(4), mean)
    gram /= mean @ gram
    values, vectors = np.linalg.eigh([[gram[1], gram[2]], [gram[2], gram[3]]])
    least = _WEAK * max(values.max(), gram[0])
    frame = np.zeros((3, 3))
    frame[0, 0] = np.sqrt(max(gram[0], least))
    frame[1:, 1:] = vectors * np.sqrt(np.maximum(values, least))
    left, _, right = np.linalg.svd(cameras @ frame, full_matrices=False)
    rotated = left @ right
    return np.cross(rotated[:, 0], rotated[:, 1])


def _products(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(N, 4) factors of the Gram matrix's xx, yy, yz and zz in the product of rows (N, 3)."""
    mixed = a[:, 1] * b[:, 2] + a[:, 2] * b[:, 1]
    return np.stack([a[:, 0] * b[:, 0], a[:, 1] * b[:, 1], mixed, a[:, 2] * b[:, 2]], axis=1)
