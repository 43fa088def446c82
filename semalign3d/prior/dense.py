"""Dense prior: object points of all views fused in object space (METHOD.md section 8)."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from semalign3d.errors import InputError
from semalign3d.geometry.cameras import mirror_or_identity
from semalign3d.geometry.shapes import require_shape
from semalign3d.prior.attention import Attention, Cosines, MeanDescriptors
from semalign3d.prior.clusters import k_means, nearest_members
from semalign3d.prior.sparse import KeypointShape
from semalign3d.prior.warp import Anchoring, anchor_points, warp_weights

logger = logging.getLogger(__name__)

_NEIGHBOURS = 20


@dataclass(frozen=True)
class ViewPoints:
    """Sampled object points of an image in camera space.

    Attributes
    ----------
    xyz : (n, 3) float64
        Points in camera coordinates.
    keypoints : (K, 3) float64
        The image's keypoints in camera coordinates, NaN where unseen.
    """

    xyz: np.ndarray
    keypoints: np.ndarray


@dataclass(frozen=True)
class FusedPoints:
    """Points of all images and their mirror images, carried to the sparse prior.

    Attributes
    ----------
    xyz : (P, 3) float64
        Places in the prior's frame.
    image : (P,) int64
        Number of the image, in the order given.
    side : (P,) int64
        0 for the image, 1 for its mirror image.
    row : (P,) int64
        Row of the point in the image's `ViewPoints.xyz`.
    """

    xyz: np.ndarray
    image: np.ndarray
    side: np.ndarray
    row: np.ndarray

    def take(self, chosen: np.ndarray) -> "FusedPoints":
        """Some of the points, by a mask (P,) or by numbers."""
        return FusedPoints(
            self.xyz[chosen], self.image[chosen], self.side[chosen], self.row[chosen]
        )


@dataclass(frozen=True)
class DenseShape:
    """The dense prior: n points, cluster centres first, then the used keypoints as anchors.

    Attributes
    ----------
    xyz : (n, 3) float64
        In the sparse prior's frame.
    keypoint : (n,) int64
        Id of the keypoint that the point is; -1 for cluster centres.
    weights : (n,) float64
        Share of the fused points that belong to the centre; 1 for keypoints.
    descriptors : (n, C) float32
        Mean descriptors, normalised.
    attention_mean, attention_variance : (n,) float64
        Of the cosine of the members' descriptors with the mean one.
    counts : (n,) int64
        Descriptors that the mean is made from.
    tetrahedra : (n, m, 4) int64
    barycentric : (n, m, 4) float64
    tetrahedron_weights : (n, m) float64
        Where the point lies with respect to the keypoints, see `Anchoring`.
    """

    xyz: np.ndarray
    keypoint: np.ndarray
    weights: np.ndarray
    descriptors: np.ndarray
    attention_mean: np.ndarray
    attention_variance: np.ndarray
    counts: np.ndarray
    tetrahedra: np.ndarray
    barycentric: np.ndarray
    tetrahedron_weights: np.ndarray

    @property
    def anchoring(self) -> Anchoring:
        """The points as followers of the keypoints."""
        return Anchoring(self.tetrahedra, self.barycentric, self.tetrahedron_weights)


Descriptors = Callable[[int], np.ndarray]
"""Of an image's number: descriptors (2, n, C) of all its points, row by row, in the image and in
its mirror image."""


def fuse(
    views: Iterable[ViewPoints],
    descriptors: Descriptors,
    sparse: KeypointShape,
    keypoint_attention: Attention,
    mirror: np.ndarray | None,
    rng: np.random.Generator,
    *,
    clusters: int = 1000,
    nearest: int = 1000,
    outliers: float = 0.15,
    tolerance: float = 0.1,
    flat: float = 0.03,
) -> DenseShape:
    """Dense prior of a category.

    Views come one at a time, and descriptors are asked for image by image, twice; only the points
    themselves are held for all images together.

    Parameters
    ----------
    views
        Points of each image; images that share fewer than 4 keypoints with the prior bring none.
    descriptors
        See `Descriptors`.
    sparse
        The sparse prior of K keypoints.
    keypoint_attention
        Of the K keypoints, for the anchors.
    mirror
        (K,) mirror table, or None: no mirror images.
    rng
        Chooses the first cluster centres.
    clusters
        Number of cluster centres, at most.
    nearest
        A centre's descriptor is the mean of so many of its points at most, the nearest ones.
    outliers
        Share of the fused points, those furthest from others, that are dropped.
    tolerance, flat
        Of the warp, see `warp_weights`.

    Raises
    ------
    InputError
        If no point of any view lies inside the keypoints' tetrahedra.
    ValueError
        If shapes differ.
    """
    fused = fuse_points(views, sparse, mirror, tolerance=tolerance, flat=flat)
    if len(fused.xyz) == 0:
        raise InputError(
            "no object point of any image lies inside tetrahedra of keypoints",
            hint="Images need 4 or more keypoints that are not in one plane (dense.flat), and "
            "masks and depth that fit them.",
        )
    fused = fused.take(crowded(fused.xyz, outliers, clusters))
    centres, labels = k_means(fused.xyz, clusters, rng)
    members = nearest_members(fused.xyz, centres, labels, nearest)
    attention = _attention(fused.take(members), labels[members], len(centres), descriptors)
    logger.info("%d fused points in %d clusters", len(labels), len(centres))
    share = np.bincount(labels, minlength=len(centres)) / len(labels)
    return _assemble(centres, share, attention, sparse, keypoint_attention, flat, tolerance)


def fuse_points(
    views: Iterable[ViewPoints],
    sparse: KeypointShape,
    mirror: np.ndarray | None,
    *,
    tolerance: float = 0.1,
    flat: float = 0.03,
) -> FusedPoints:
    """Points of all views and their mirror images, warped to the sparse prior.

    A point of a mirrored view has the same barycentric coordinates between mirrored keypoints, so
    it goes where the same weights take it between the prior's mirrored keypoints.

    Parameters
    ----------
    views, sparse, mirror, tolerance, flat
        See `fuse`.
    """
    table = mirror_or_identity(mirror, len(sparse.used))
    require_shape("sparse.xyz", sparse.xyz, (len(table), 3))
    targets = np.stack([sparse.xyz] if mirror is None else [sparse.xyz, sparse.xyz[table]])
    parts: list[FusedPoints] = []
    for number, view in enumerate(views):
        require_shape("keypoints", view.keypoints, (len(table), 3))
        parts.append(_warped(view, targets, number, tolerance, flat))
    if not parts:
        raise ValueError("views: expected at least one, found none")
    return FusedPoints(
        np.concatenate([part.xyz for part in parts]),
        np.concatenate([part.image for part in parts]),
        np.concatenate([part.side for part in parts]),
        np.concatenate([part.row for part in parts]),
    )


def _warped(
    view: ViewPoints, targets: np.ndarray, number: int, tolerance: float, flat: float
) -> FusedPoints:
    """Points of an image carried to the prior's keypoints and to its mirrored ones (S, K, 3)."""
    weights, inside = warp_weights(
        view.xyz, view.keypoints, targets, tolerance=tolerance, flat=flat
    )
    rows = np.flatnonzero(inside)
    xyz = weights[rows] @ np.nan_to_num(targets)
    return FusedPoints(
        xyz.reshape(-1, 3),
        np.full(len(targets) * len(rows), number),
        np.repeat(np.arange(len(targets)), len(rows)),
        np.tile(rows, len(targets)),
    )


def crowded(points: np.ndarray, outliers: float, clusters: int) -> np.ndarray:
    """Points (P,) bool but the share `outliers` of them that lies furthest from the others.

    What counts is the distance to the 20th neighbour in an even selection of the points, about 20
    for each cluster, so that the number of images does not matter.
    """
    require_shape("points", points, (None, 3))
    if not 0.0 <= outliers < 1.0:
        raise ValueError(f"outliers: expected a share from 0 to below 1, found {outliers}")
    dropped = int(outliers * len(points))
    if dropped == 0:
        return np.ones(len(points), dtype=bool)
    selection = points[:: max(len(points) // (_NEIGHBOURS * clusters), 1)]
    rank = min(_NEIGHBOURS, len(selection))
    distance = cKDTree(selection).query(points, k=[rank])[0][:, 0]
    kept = np.ones(len(points), dtype=bool)
    kept[np.argsort(-distance, kind="stable")[:dropped]] = False
    return kept


def _attention(
    members: FusedPoints, labels: np.ndarray, centres: int, descriptors: Descriptors
) -> Attention:
    """Mean descriptors of clusters and their attention, view by view, in two passes."""
    images = np.unique(members.image).tolist()
    means = MeanDescriptors(centres)
    for image in images:
        means.add(*_of_image(image, members, labels, descriptors))
    cosines = Cosines(means.result())
    for image in images:
        cosines.add(*_of_image(image, members, labels, descriptors))
    return cosines.result()


def _of_image(
    image: int, members: FusedPoints, labels: np.ndarray, descriptors: Descriptors
) -> tuple[np.ndarray, np.ndarray]:
    """Clusters (m,) and descriptors (m, C) of the points that an image and its mirror bring."""
    chosen = np.flatnonzero(members.image == image)
    found = descriptors(image)
    require_shape("descriptors", found, (2, None, None))
    return labels[chosen], found[members.side[chosen], members.row[chosen]]


def _assemble(
    centres: np.ndarray,
    share: np.ndarray,
    attention: Attention,
    sparse: KeypointShape,
    keypoint_attention: Attention,
    flat: float,
    tolerance: float,
) -> DenseShape:
    """Cluster centres and used keypoints in one."""
    ids = np.flatnonzero(sparse.used)
    places = anchor_points(centres, sparse.xyz, tolerance=tolerance, flat=flat)
    own = _own_corners(ids, places.weights.shape[1])
    return DenseShape(
        xyz=np.concatenate([centres, sparse.xyz[ids]]),
        keypoint=np.concatenate([np.full(len(centres), -1), ids]),
        weights=np.concatenate([share, np.ones(len(ids))]),
        descriptors=np.concatenate([attention.descriptors, keypoint_attention.descriptors[ids]]),
        attention_mean=np.concatenate([attention.mean, keypoint_attention.mean[ids]]),
        attention_variance=np.concatenate([attention.variance, keypoint_attention.variance[ids]]),
        counts=np.concatenate([attention.counts, keypoint_attention.counts[ids]]),
        tetrahedra=np.concatenate([places.tetrahedra, own.tetrahedra]),
        barycentric=np.concatenate([places.barycentric, own.barycentric]),
        tetrahedron_weights=np.concatenate([places.weights, own.weights]),
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
