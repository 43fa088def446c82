"""Beta distributions of the relations between a category's keypoints (METHOD.md section 6)."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from semalign3d.arrays import Array, chunk_values, namespace, to_device, to_numpy
from semalign3d.geometry.arguments import require_shape
from semalign3d.shape.relations.beta import fit_beta
from semalign3d.shape.relations.measures import (
    RelationIndex,
    distinct_rows,
    edge_directions,
    pair_values,
    relation_index,
    triangle_frames,
    vertex_cosines,
)

logger = logging.getLogger(__name__)

SMALLEST_SAMPLE = 1e-9
"""Samples of the Beta distributions are kept at least this far from 0 and 1."""

_CHUNK_VALUES = 1 << 15


@dataclass(frozen=True)
class Relations:
    """Relations with their Beta distributions; parameters are NaN where none was fitted.

    A cosine c stands as x = (1 + c) / 2 in its Beta distribution, a ratio as it is.

    Attributes
    ----------
    keypoints : int
        K.
    edges : (E, 2) int64
        Keypoint ids of each edge.
    pairs : (R, 2) int64
        Edge numbers of each edge pair.
    pair_alpha, pair_beta : (R, 2) float64
        Of the cosine and of the length ratio.
    pair_images : (R,) int64
        Images that see all keypoints of the relation, an image and its mirror image being one.
    pair_copies : (R,) int64
        Noisy copies that the fit is made from.
    pair_kept : (R,) bool
    triangles : (T, 4) int64
        Keypoint ids (a, b, c, v).
    triangle_alpha, triangle_beta : (T, 3) float64
        Of the cosines with x, y and z.
    triangle_images, triangle_copies : (T,) int64
    triangle_kept : (T,) bool
    """

    keypoints: int
    edges: np.ndarray
    pairs: np.ndarray
    pair_alpha: np.ndarray
    pair_beta: np.ndarray
    pair_images: np.ndarray
    pair_copies: np.ndarray
    pair_kept: np.ndarray
    triangles: np.ndarray
    triangle_alpha: np.ndarray
    triangle_beta: np.ndarray
    triangle_images: np.ndarray
    triangle_copies: np.ndarray
    triangle_kept: np.ndarray

    @property
    def pair_keypoints(self) -> np.ndarray:
        """Keypoint ids (R, 4) of each edge pair: first edge, second edge."""
        return self.edges[self.pairs].reshape(-1, 4)

    def kept(self) -> "Relations":
        """The kept relations only."""
        pair, triangle = self.pair_kept, self.triangle_kept
        return Relations(
            self.keypoints,
            self.edges,
            *(
                array[pair]
                for array in (
                    self.pairs,
                    self.pair_alpha,
                    self.pair_beta,
                    self.pair_images,
                    self.pair_copies,
                    self.pair_kept,
                )
            ),
            *(
                array[triangle]
                for array in (
                    self.triangles,
                    self.triangle_alpha,
                    self.triangle_beta,
                    self.triangle_images,
                    self.triangle_copies,
                    self.triangle_kept,
                )
            ),
        )


class _Sums:
    """Running sums over views of log x and log(1 - x) of each parameter of each relation."""

    def __init__(self, relations: int, parameters: int, device: str | None) -> None:
        self.logs = to_device(np.zeros((2, relations, parameters)), device)
        self.copies = to_device(np.zeros(relations, dtype=np.int64), device)
        self.images = to_device(np.zeros(relations, dtype=np.int64), device)
        self._last_image = to_device(np.full(relations, -1), device)

    def add(self, rows: Array, samples: Array, image: int) -> None:
        """Samples (n, parameters, S) in [0, 1] of the relations `rows` (n,) in a view of `image`.

        The views of one image must follow each other.
        """
        xp = namespace(samples)
        x = xp.clip(samples, SMALLEST_SAMPLE, 1.0 - SMALLEST_SAMPLE)
        self.logs[0, rows] += xp.einsum("nps->np", xp.log(x))
        self.logs[1, rows] += xp.einsum("nps->np", xp.log(1.0 - x))
        self.copies[rows] += samples.shape[2]
        self.images[rows] += xp.where(self._last_image[rows] != image, 1, 0)
        self._last_image[rows] = image

    def fit(self, copies: int) -> tuple[np.ndarray, np.ndarray]:
        """alpha and beta (relations, parameters), NaN where fewer than `copies` were added."""
        enough = self.copies >= max(copies, 1)
        means = self.logs[:, enough] / self.copies[enough][:, None]
        fitted = fit_beta(means[0], means[1])
        alpha, beta = np.full((2, *self.logs.shape[1:]), np.nan)
        alpha[to_numpy(enough)], beta[to_numpy(enough)] = map(to_numpy, fitted)
        return alpha, beta


def fit_relations(
    views: np.ndarray,
    images: np.ndarray,
    generators: Sequence[np.random.Generator],
    index: RelationIndex | None = None,
    *,
    copies: int = 10,
    noise: float = 0.2,
    min_images: int = 4,
    ratio_mode_min: float = 0.01,
    ratio_mode_max: float = 0.99,
    device: str | None = None,
) -> Relations:
    """Fit a Beta distribution to each parameter of relations.

    Each view brings `copies` noisy copies of its keypoints. A relation is kept if at least
    `min_images` different images see it (an image and its mirror image are one), alpha and beta
    of all its parameters are above 1, and the mode of the length ratio lies between
    `ratio_mode_min` and `ratio_mode_max`.

    Parameters
    ----------
    views
        (M, K, 3) keypoints in camera coordinates, NaN where unseen.
    images
        (M,) number of the image that a view shows; a mirrored view has its image's number.
    generators
        M generators of the noise, one per view.
    index
        The relations between the K keypoints that are fitted, see `choose_relations`; None: all.
    copies
        Noisy copies of each view.
    noise
        Standard deviation of the noise, in units of the view's shortest keypoint edge.
    min_images, ratio_mode_min, ratio_mode_max
        See above.
    device
        Where it is computed, see `arrays.compute_device`; the noise is the same everywhere.

    Raises
    ------
    ValueError
        If shapes differ, a keypoint is infinite, or a number is out of range.
    """
    require_shape("views", views, (None, None, 3))
    require_shape("images", images, (len(views),))
    if len(generators) != len(views):
        raise ValueError(f"generators: expected {len(views)}, found {len(generators)}")
    if np.isinf(views).any():
        raise ValueError("views: expected finite keypoints, or NaN where unseen")
    if copies < 1 or noise < 0.0 or min_images < 1:
        raise ValueError("expected copies >= 1, noise >= 0 and min_images >= 1")
    index = index or relation_index(views.shape[1])
    pair_sums = _Sums(len(index.pairs), 2, device)
    triangle_sums = _Sums(len(index.triangles), 3, device)
    indices = index.on(device)
    corners, frame_of = (
        to_device(rows, device) for rows in distinct_rows(index.triangles[:, :3], views.shape[1])
    )
    for number in np.argsort(images, kind="stable"):
        keypoints = np.asarray(views[number], dtype=np.float64)
        noisy = noisy_copies(keypoints, copies, noise, generators[number])
        points = to_device(noisy, device)
        _add_pairs(pair_sums, points, indices, int(images[number]))
        _add_triangles(triangle_sums, points, indices, corners, frame_of, int(images[number]))
    pair_images, triangle_images = to_numpy(pair_sums.images), to_numpy(triangle_sums.images)
    enough = min_images * copies
    pair_alpha, pair_beta = pair_sums.fit(enough)
    triangle_alpha, triangle_beta = triangle_sums.fit(enough)
    mode = (pair_alpha[:, 1] - 1.0) / (pair_alpha[:, 1] + pair_beta[:, 1] - 2.0)
    pair_kept = _peaked(pair_alpha, pair_beta) & (pair_images >= min_images)
    pair_kept &= (mode >= ratio_mode_min) & (mode <= ratio_mode_max)
    triangle_kept = _peaked(triangle_alpha, triangle_beta) & (triangle_images >= min_images)
    logger.info(
        "kept %d of %d edge pairs, %d of %d triangle and vertex relations",
        *(pair_kept.sum(), len(pair_kept), triangle_kept.sum(), len(triangle_kept)),
    )
    return Relations(
        keypoints=views.shape[1],
        edges=index.edges,
        pairs=index.pairs,
        pair_alpha=pair_alpha,
        pair_beta=pair_beta,
        pair_images=pair_images,
        pair_copies=to_numpy(pair_sums.copies),
        pair_kept=pair_kept,
        triangles=index.triangles,
        triangle_alpha=triangle_alpha,
        triangle_beta=triangle_beta,
        triangle_images=triangle_images,
        triangle_copies=to_numpy(triangle_sums.copies),
        triangle_kept=triangle_kept,
    )


def noisy_copies(
    keypoints: np.ndarray, copies: int, noise: float, rng: np.random.Generator
) -> np.ndarray:
    """Noisy copies (K, 3, copies) of a view's keypoints (K, 3), NaN where unseen.

    The noise is Gaussian with a standard deviation of `noise` times the shortest distance between
    two keypoints of the view that do not coincide.
    """
    seen = keypoints[np.isfinite(keypoints).all(axis=1)]
    distances = np.linalg.norm(seen[:, None] - seen[None], axis=2)
    shortest = np.min(distances[distances > 0.0], initial=np.inf)
    deviation = noise * shortest if np.isfinite(shortest) else 0.0
    return keypoints[:, :, None] + deviation * rng.standard_normal((*keypoints.shape, copies))


def _add_pairs(sums: _Sums, points: Array, index: RelationIndex, image: int) -> None:
    """Add a view's copies (K, 3, S), NaN where unseen, to the sums over edge pairs."""
    xp = namespace(points)
    seen = xp.all(xp.isfinite(points), axis=(1, 2))
    directions, lengths = edge_directions(points, index.edges)
    edge_seen = xp.all(seen[index.edges], axis=1)
    rows = xp.nonzero(xp.all(edge_seen[index.pairs], axis=1))[0]
    for part in _chunks(rows, 2 * points.shape[2]):
        cosines, ratios = pair_values(directions, lengths, index.pairs[part])
        sums.add(part, xp.stack([(1.0 + cosines) / 2.0, ratios], axis=1), image)


def _add_triangles(
    sums: _Sums, points: Array, index: RelationIndex, corners: Array, frame_of: Array, image: int
) -> None:
    """Add a view's copies (K, 3, S), NaN where unseen, to the sums over triangles.

    `corners` (F, 3) are the distinct triangles, `frame_of` (T,) says which a relation has.
    """
    xp = namespace(points)
    seen = xp.all(xp.isfinite(points), axis=(1, 2))
    rows = xp.nonzero(xp.all(seen[index.triangles], axis=1))[0]
    frames = triangle_frames(points, corners)
    for part in _chunks(rows, 3 * points.shape[2]):
        cosines = vertex_cosines(points, index.triangles[part], frames[frame_of[part]])
        sums.add(part, (1.0 + cosines) / 2.0, image)


def _chunks(rows: Array, values: int) -> list[Array]:
    """Rows in parts of a size that keeps temporary arrays small, with `values` samples a row."""
    size = max(chunk_values(rows, _CHUNK_VALUES) // values, 1)
    return [rows[start : start + size] for start in range(0, rows.shape[0], size)]


def _peaked(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Which relations have alpha and beta above 1 for all their parameters; NaN counts as no."""
    return np.asarray(((alpha > 1.0) & (beta > 1.0)).all(axis=1))
