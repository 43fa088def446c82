"""What training images tell about descriptors, views and sizes (METHOD.md section 10, 1 to 3)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from semalign3d.alignment.descriptors import centred, object_cells
from semalign3d.alignment.views import (
    Placement,
    PriorPoints,
    TrainingView,
    mirrored_view,
    place_view,
)
from semalign3d.errors import InputError
from semalign3d.geometry.grid import cells_inside, sample_descriptors
from semalign3d.prior.attention import normalised

logger = logging.getLogger(__name__)

_REACH = 0.05
"""How far a point of the prior may lie from a sampled object point, in object diagonals."""

Maps = Callable[[int], np.ndarray]
"""Of an image's number: descriptor maps (2, G, G, C) of the image and of its mirror image."""


@dataclass(frozen=True)
class AlignmentStatistics:
    """Statistics of n points of the prior over V views (training images and mirror images).

    Descriptors are centred: of length one, minus `mean_descriptor`, of length one again.

    Attributes
    ----------
    mean_descriptor : (C,) float32, over object and background in equal parts.
    descriptors : (n, C) float16, mean centred descriptors of the points, of length one.
    on_mean, on_variance : (n,) of the cosine of a view's descriptor at the point with the mean one
        of the other images; NaN for points that fewer than two images see.
    off_mean, off_variance : (n,) of the cosine over all cells of the images, object and background
        in equal parts.
    map_deviation : (n,) standard deviation of the cosine over an image, mean over images.
    counts : (n,) int64, views that see the point.
    directions : (V, 3) unit vectors from the object to the camera, in the prior's frame.
    visible : (V, n) bool, points that a view sees.
    extents : (V,) the prior's unit (the keypoints' diagonal) in the image, in units of the longest
        side.
    focal_length : median of the focal lengths, in units of the longest side.
    """

    mean_descriptor: np.ndarray
    descriptors: np.ndarray
    on_mean: np.ndarray
    on_variance: np.ndarray
    off_mean: np.ndarray
    off_variance: np.ndarray
    map_deviation: np.ndarray
    counts: np.ndarray
    directions: np.ndarray
    visible: np.ndarray
    extents: np.ndarray
    focal_length: float


@dataclass(frozen=True)
class _Side:
    """Points of the prior that an image or its mirror image sees, and where.

    Attributes
    ----------
    number : 0 for the image, 1 for its mirror image.
    view, placement : the view and the prior in it.
    visible : (n,) bool.
    ids : (m,) numbers of the visible points.
    pixels : (m, 2) where they are.
    """

    number: int
    view: TrainingView
    placement: Placement
    visible: np.ndarray
    ids: np.ndarray
    pixels: np.ndarray


def alignment_statistics(
    points: PriorPoints, views: list[TrainingView], maps: Maps, mirror: np.ndarray | None
) -> AlignmentStatistics:
    """Statistics over training images; each image counts with its mirror image.

    Maps are asked for image by image, three times: for the mean descriptor, for the points'
    descriptors, and for the cosines with them.

    Parameters
    ----------
    points : of the prior.
    views : of the images; those that share fewer than 4 keypoints with the prior play no part.
    maps : see `Maps`.
    mirror : (K,) mirror table; None where it is not known: then mirror images play no part.

    Raises
    ------
    InputError : fewer than two images show 4 or more of the prior's keypoints.
    """
    images = {number: _sides(points, view, mirror) for number, view in enumerate(views)}
    images = {number: sides for number, sides in images.items() if sides}
    if len(images) < 2:
        raise InputError(
            f"{len(images)} images show 4 or more of the prior's keypoints",
            hint="Alignment compares images: at least two must show 4 of the same keypoints.",
        )
    mean = _mean_descriptor(images, maps)
    sums, counts = _sums(len(points.keypoint), images, maps, mean)
    moments = _Moments(sums)
    for number, sides in images.items():
        moments.add(_seen(sides, maps(number), mean))
    sides = [side for of_image in images.values() for side in of_image]
    logger.info("statistics of %d points over %d images", len(counts), len(images))
    return AlignmentStatistics(
        mean_descriptor=mean,
        descriptors=normalised(sums).astype(np.float16),
        counts=counts,
        directions=np.array([side.placement.direction for side in sides]),
        visible=np.array([side.visible for side in sides]),
        extents=np.array([side.placement.extent for side in sides]),
        focal_length=float(np.median([1.0 / side.view.p for side in sides])),
        **moments.result(),
    )


def _sides(points: PriorPoints, view: TrainingView, mirror: np.ndarray | None) -> list[_Side]:
    """The image and its mirror image, those that show enough keypoints of the prior."""
    shown = [view] if mirror is None else [view, mirrored_view(view, mirror)]
    placed = [(number, side, place_view(points, side)) for number, side in enumerate(shown)]
    return [_side(points, n, side, place) for n, side, place in placed if place is not None]


def _side(points: PriorPoints, number: int, view: TrainingView, placement: Placement) -> _Side:
    """Surface points are seen where a sampled object point is near, keypoints where annotated."""
    places = points.follow(placement.keypoints)
    distance, row = cKDTree(view.xyz).query(places)
    visible = distance <= _REACH * placement.scale
    pixels = view.pixels[row].astype(np.float64)
    is_keypoint = points.keypoint >= 0
    annotated = view.keypoints_px[points.keypoint[is_keypoint]]
    visible[is_keypoint] = np.isfinite(annotated).all(axis=1)
    pixels[is_keypoint] = annotated
    ids = np.flatnonzero(visible)
    return _Side(number, view, placement, visible, ids, pixels[ids])


@dataclass(frozen=True)
class _Seen:
    """Centred descriptors of an image and its mirror image.

    Attributes
    ----------
    ids : (m,) points that are seen, on either side.
    descriptors : (m, C) float32 where they are.
    on_object, off_object : (a, C), (b, C) float32 of the cells on and off the object, of both.
    """

    ids: np.ndarray
    descriptors: np.ndarray
    on_object: np.ndarray
    off_object: np.ndarray


def _seen(sides: list[_Side], maps: np.ndarray, mean: np.ndarray | None) -> _Seen:
    """Descriptors of an image's maps (2, G, G, C), centred if the mean is known by now."""
    parts = []
    for side in sides:
        of_side = maps[side.number]
        values = normalised(of_side) if mean is None else centred(of_side, mean)
        grid, size = len(values), side.view.size
        on_object = object_cells(side.view.pixels, size, grid)
        off_object = cells_inside(size, grid) & ~on_object
        at_points = sample_descriptors(values, side.pixels, size)
        parts.append((side.ids, at_points, values[on_object], values[off_object]))
    return _Seen(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _mean_descriptor(images: dict[int, list[_Side]], maps: Maps) -> np.ndarray:
    """Mean (C,) of descriptors of length one over object and background, in equal parts."""
    means = []
    for number, sides in images.items():
        seen = _seen(sides, maps(number), None)
        means.append([np.mean(cells, axis=0) for cells in (seen.on_object, seen.off_object)])
    return np.asarray(np.mean(means, axis=(0, 1), dtype=np.float64), dtype=np.float32)


def _sums(
    points: int, images: dict[int, list[_Side]], maps: Maps, mean: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sums (n, C) float64 of the centred descriptors of each point, and how many (n,)."""
    sums = np.zeros((points, len(mean)))
    counts = np.zeros(points, dtype=np.int64)
    for number, sides in images.items():
        seen = _seen(sides, maps(number), mean)
        np.add.at(sums, seen.ids, seen.descriptors)
        counts += np.bincount(seen.ids, minlength=points)
    return sums, counts


class _Moments:
    """Moments of the cosines of cells with points' mean descriptors over the other images."""

    def __init__(self, sums: np.ndarray) -> None:
        self._sums = sums
        points = len(sums)
        self._on = np.zeros((3, points))
        self._off = np.zeros((2, points))
        self._deviation = np.zeros(points)
        self._images = 0

    def add(self, seen: _Seen) -> None:
        """Add an image: its own descriptors are left out of the means that it is compared with."""
        own = np.zeros_like(self._sums)
        np.add.at(own, seen.ids, seen.descriptors)
        others = normalised(self._sums - own)
        cosine = np.einsum("mc,mc->m", seen.descriptors, others[seen.ids], dtype=np.float64)
        known = np.linalg.norm(others[seen.ids], axis=1) > 0.5
        for row, power in zip(self._on, (known, cosine * known, cosine**2 * known), strict=True):
            row += np.bincount(seen.ids, power, minlength=len(row))
        parts = [
            (others @ cells.T).astype(np.float64) for cells in (seen.on_object, seen.off_object)
        ]
        for row, order in zip(self._off, (1, 2), strict=True):
            row += np.mean([np.mean(part**order, axis=1) for part in parts], axis=0)
        self._deviation += np.concatenate(parts, axis=1).std(axis=1)
        self._images += 1

    def result(self) -> dict[str, np.ndarray]:
        """The fields of `AlignmentStatistics` about cosines."""
        count = np.where(self._on[0] > 1, self._on[0], np.nan)
        on_mean, off_mean = self._on[1] / count, self._off[0] / self._images
        return {
            "on_mean": on_mean,
            "on_variance": np.maximum(self._on[2] / count - on_mean**2, 0.0),
            "off_mean": off_mean,
            "off_variance": np.maximum(self._off[1] / self._images - off_mean**2, 0.0),
            "map_deviation": self._deviation / self._images,
        }
