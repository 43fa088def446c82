"""Dense prior: the surface of a category, from object points of all views (METHOD.md section 8)."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from semalign3d.arrays import Array, beside, to_device, to_numpy
from semalign3d.errors import InputError
from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.neighbours import Neighbours
from semalign3d.geometry.plane import Plane
from semalign3d.shape.dense.colors import pca_colors
from semalign3d.shape.dense.consensus import pull_together
from semalign3d.shape.dense.fusion import FusedPoints
from semalign3d.shape.dense.silhouettes import Silhouette, outside_silhouettes
from semalign3d.shape.dense.surface import SurfacePoints, draw_surface
from semalign3d.shape.dense.warp import Anchoring, anchor_points
from semalign3d.shape.sparse.attention import Attention, Cosines, MeanDescriptors

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class DensePrior:
    """Surface points in the canonical frame: n points, the used keypoints last.

    Attributes
    ----------
    xyz : (n, 3) float64
    normals : (n, 3) float64
        Unit normals, on the side that the photos show; a keypoint has that of the nearest point.
    keypoint : (n,) int64
        Id of the keypoint that the point is; -1 for the others.
    weights : (n,) float64
        Share of the fused points that are nearest to the point; 1 for keypoints.
    descriptors : (n, C) float16
        Mean descriptors, normalised.
    attention_mean, attention_variance : (n,) float64
        Of the cosine of the members' descriptors with the mean one.
    counts : (n,) int64
        Descriptors that the mean is made from.
    tetrahedra : (n, m, 4) int64, keypoint ids; K stands for the normal of flat keypoints.
    barycentric : (n, m, 4) float64, coordinates in them.
    tetrahedron_weights : (n, m) float64
        Each row adds up to 1: how the points follow the keypoints, see `Anchoring`.
    colors : (n, 3) float32
        RGB in [0, 1], principal components of the descriptors.
    plane_axes : (2, K) float64 or None
        None unless the keypoints lie in a plane. Then points follow its normal, too: with
        a, b = plane_axes @ keypoints and c = cross(a, b), it is c / sqrt(|c|). See `Plane`.
    """

    xyz: np.ndarray
    normals: np.ndarray
    keypoint: np.ndarray
    weights: np.ndarray
    descriptors: np.ndarray
    attention_mean: np.ndarray
    attention_variance: np.ndarray
    counts: np.ndarray
    tetrahedra: np.ndarray
    barycentric: np.ndarray
    tetrahedron_weights: np.ndarray
    colors: np.ndarray
    plane_axes: np.ndarray | None = None

    @property
    def anchoring(self) -> Anchoring:
        """The points as followers of the keypoints."""
        plane = None if self.plane_axes is None else Plane(self.plane_axes)
        return Anchoring(self.tetrahedra, self.barycentric, self.tetrahedron_weights, plane)


Descriptors = Callable[[int], Array]
"""Of an image's number: descriptors (2, n, C) of all its points, row by row, in the image and in
its mirror image."""


def dense_prior(
    fused: FusedPoints,
    descriptors: Descriptors,
    keypoints: np.ndarray,
    keypoint_attention: Attention,
    rng: np.random.Generator,
    *,
    silhouettes: Iterable[Silhouette] = (),
    mirror: np.ndarray | None = None,
    points: int = 1000,
    nearest: int = 1000,
    outliers: float = 3.0,
    margin: float = 0.01,
    smoothing: float = 0.03,
    tolerance: float = 0.25,
    flat: float = 0.03,
    device: str | None = None,
) -> DensePrior:
    """Dense prior of a category from the fused points of its images.

    Descriptors are asked for image by image, twice; only the points themselves are held for all
    images together.

    Parameters
    ----------
    fused
        See `fuse_points`.
    descriptors
        See `Descriptors`.
    keypoints
        (K, 3) of the prior in the canonical frame, NaN where unused.
    keypoint_attention
        Of the K keypoints, for the anchors.
    rng
        Chooses the points that are looked at.
    silhouettes
        Of the images, one at a time; with none, all points are in doubt.
    mirror
        (K,) mirror table, or None: silhouettes of the images alone count, not their mirror images.
    points
        Surface points, at most, besides the keypoints.
    nearest
        A point's descriptor is the mean of so many of the fused points nearest to it, at most.
    outliers, smoothing
        Of the surface, see `pull_together` and `draw_surface`.
    margin
        Of the silhouettes, see `outside_silhouettes`.
    tolerance, flat
        Of the anchoring, see `anchor_points`.
    device
        Where it is computed, see `arrays.compute_device`; random choices are the same everywhere.

    Raises
    ------
    InputError
        If no point of any view lies inside the keypoints' tetrahedra.
    ValueError
        If shapes differ or a number is out of its range.
    """
    require_shape("keypoints", keypoints, (None, 3))
    if len(fused) == 0:
        raise InputError(
            "no object point of any image lies inside tetrahedra of keypoints",
            hint="Images need 4 or more keypoints that are not in one plane (dense.flat), unless "
            "all of the category are, and masks and depth that fit them.",
        )
    used = keypoints[np.isfinite(keypoints).all(axis=1)]
    fused = pull_together(fused.to(device), points=points, radius=smoothing)
    outside = outside_silhouettes(fused.xyz, silhouettes, keypoints, mirror, margin=margin)
    surface, fused = draw_surface(
        fused,
        outside,
        rng,
        points=points,
        first=used,
        outliers=outliers,
        radius=smoothing,
    )
    surface, labels = _with_members(surface, fused)
    places = anchor_points(surface.xyz, keypoints, tolerance=tolerance, flat=flat)
    surface, fused = surface.to(None), fused.to(None)
    members = nearest_members(fused.xyz, surface.xyz, labels, nearest)
    attention = _attention(
        fused.take(members),
        labels[members],
        len(surface),
        lambda number: to_device(descriptors(number), device),
    )
    logger.info("%d fused points, %d on the surface", len(labels), len(surface))
    share = np.bincount(labels, minlength=len(surface)) / len(labels)
    return _assemble(surface, share, attention, places, keypoints, keypoint_attention)


def _with_members(surface: SurfacePoints, fused: FusedPoints) -> tuple[SurfacePoints, np.ndarray]:
    """The surface points that are nearest to some fused point, and which (P,) each belongs to."""
    nearest = to_numpy(Neighbours(surface.xyz).query(fused.xyz, 1)[1][:, 0])
    filled, labels = np.unique(nearest, return_inverse=True)
    return surface.take(filled), labels.reshape(-1)


def nearest_members(
    points: np.ndarray, centres: np.ndarray, labels: np.ndarray, most: int
) -> np.ndarray:
    """Which points (n,) are among the `most` of their centre that lie nearest to it."""
    distance = np.linalg.norm(points - centres[labels], axis=1)
    order = np.lexsort((distance, labels))
    starts = np.searchsorted(labels[order], np.arange(len(centres)))
    rank = np.empty(len(points), dtype=np.int64)
    rank[order] = np.arange(len(points)) - starts[labels[order]]
    return rank < most


def _attention(
    members: FusedPoints, labels: np.ndarray, groups: int, descriptors: Descriptors
) -> Attention:
    """Mean descriptors of the members of groups and their attention, in two passes."""
    images = np.unique(members.image).tolist()
    means = MeanDescriptors(groups)
    for image in images:
        means.add(*_of_image(image, members, labels, descriptors))
    cosines = Cosines(means.result())
    for image in images:
        cosines.add(*_of_image(image, members, labels, descriptors))
    return cosines.result()


def _of_image(
    image: int, members: FusedPoints, labels: np.ndarray, descriptors: Descriptors
) -> tuple[np.ndarray, Array]:
    """Groups (m,) and descriptors (m, C) of the points that an image and its mirror bring."""
    chosen = np.flatnonzero(members.image == image)
    found = descriptors(image)
    require_shape("descriptors", found, (2, None, None))
    side, row = (beside(numbers[chosen], found) for numbers in (members.side, members.row))
    return labels[chosen], found[side, row]


def _assemble(
    surface: SurfacePoints,
    share: np.ndarray,
    attention: Attention,
    places: Anchoring,
    keypoints: np.ndarray,
    keypoint_attention: Attention,
) -> DensePrior:
    """Surface points and used keypoints in one."""
    ids = np.flatnonzero(np.isfinite(keypoints).all(axis=1))
    own = _own_corners(ids, places.weights.shape[1])
    near = Neighbours(surface.xyz).query(keypoints[ids], 1)[1][:, 0]

    def joined(points: np.ndarray, anchors: np.ndarray) -> np.ndarray:
        return np.concatenate([points, anchors])

    descriptors = joined(attention.descriptors, keypoint_attention.descriptors[ids])
    return DensePrior(
        xyz=joined(surface.xyz, keypoints[ids]),
        normals=joined(surface.normals, surface.normals[near]),
        keypoint=joined(np.full(len(surface), -1), ids),
        weights=joined(share, np.ones(len(ids))),
        descriptors=descriptors.astype(np.float16),
        attention_mean=joined(attention.mean, keypoint_attention.mean[ids]),
        attention_variance=joined(attention.variance, keypoint_attention.variance[ids]),
        counts=joined(attention.counts, keypoint_attention.counts[ids]),
        tetrahedra=joined(places.tetrahedra, own.tetrahedra),
        barycentric=joined(places.barycentric, own.barycentric),
        tetrahedron_weights=joined(places.weights, own.weights),
        colors=pca_colors(descriptors),
        plane_axes=None if places.plane is None else places.plane.axes,
    )


def _own_corners(ids: np.ndarray, most: int) -> Anchoring:
    """Keypoints as points that lie at themselves: the first corner of one tetrahedron."""
    others = np.array([np.roll(ids, -place)[:4] for place in range(len(ids))])
    tetrahedra = np.repeat(others[:, None], most, axis=1)
    barycentric = np.zeros((len(ids), most, 4))
    barycentric[:, :, 0] = 1.0
    weights = np.zeros((len(ids), most))
    weights[:, 0] = 1.0
    return Anchoring(tetrahedra, barycentric, weights)
