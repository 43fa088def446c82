"""What training images tell about descriptors, views and sizes (METHOD.md section 10, 1 to 3)."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from semalign3d.alignment.photo.descriptors import (
    DescriptorFrame,
    object_cells,
    unit_moments,
    whitening_axes,
)
from semalign3d.alignment.statistics.moments import CosineMoments, EqualParts
from semalign3d.alignment.statistics.views import (
    Placement,
    PriorPoints,
    TrainingView,
    mirrored_view,
    place_view,
)
from semalign3d.errors import InputError
from semalign3d.geometry.grid import cells_inside, sample_descriptors
from semalign3d.shape.sparse.attention import normalised

logger = logging.getLogger(__name__)

_REACH = 0.05
"""How far a point of the prior may lie from a sampled object point, in object diagonals."""

SHRINKAGE = 0.3
"""Of the whitening, in units of the mean variance: less pays on clear photos, more where noise is
strong in directions in which training photos hardly vary."""

Maps = Callable[[int], np.ndarray]
"""Of an image's number: descriptor maps (2, G, G, C) of the image and of its mirror image."""


@dataclass(frozen=True)
class AlignmentStatistics:
    """Statistics of n points of the prior over V views (training images and mirror images).

    Descriptors are those of `frame`: whitened, and of length D and norm one.

    Attributes
    ----------
    frame : where descriptors are compared.
    descriptors : (n, D) float16, mean descriptors of the points, of length one.
    on_mean, on_variance : (n,) of the cosine of a view's descriptor at the point with the mean one
        of the other images; NaN for points that fewer than two images see.
    off_mean, off_variance : (n,) of the cosine over all cells of the images, object and background
        in equal parts.
    map_deviation : (n,) standard deviation of the cosine over an image, mean over images.
    counts : (n,) int64, views that see the point.
    directions : (V, 3) unit vectors from the object to the camera, in the prior's frame.
    rotations : (V, 3, 3) from the prior's frame to the camera's.
    visible : (V, n) bool, points that a view sees.
    extents : (V,) the prior's unit (the keypoints' diagonal) in the image, in units of the longest
        side.
    focal_length : median of the focal lengths, in units of the longest side.
    """

    frame: DescriptorFrame
    descriptors: np.ndarray
    on_mean: np.ndarray
    on_variance: np.ndarray
    off_mean: np.ndarray
    off_variance: np.ndarray
    map_deviation: np.ndarray
    counts: np.ndarray
    directions: np.ndarray
    rotations: np.ndarray
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
    ids : (m,) numbers of the visible points, each once.
    pixels : (m, 2) where they are.
    """

    number: int
    view: TrainingView
    placement: Placement
    visible: np.ndarray
    ids: np.ndarray
    pixels: np.ndarray


def alignment_statistics(
    points: PriorPoints,
    views: list[TrainingView],
    maps: Maps,
    mirror: np.ndarray | None,
    shrinkage: float = SHRINKAGE,
) -> AlignmentStatistics:
    """Statistics over training images; each image counts with its mirror image.

    Maps are asked for image by image, three times, so that no two are in memory at once: for the
    mean descriptor, for the points' descriptors, and for the cosines with them.

    Parameters
    ----------
    points : of the prior.
    views : of the images; those that share fewer than 4 keypoints with the prior play no part.
    maps : see `Maps`.
    mirror : (K,) mirror table; None where it is not known: then mirror images play no part.
    shrinkage : of the whitening of descriptors, see `whitening_axes`.

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
    frame = _frame(images, maps, shrinkage)
    sums, counts = _sums(len(points.keypoint), images, maps, frame)
    moments = CosineMoments(sums)
    for number, sides in images.items():
        _compare(moments, sides, maps(number), frame)
    sides = [side for of_image in images.values() for side in of_image]
    logger.info("statistics of %d points over %d images", len(counts), len(images))
    return AlignmentStatistics(
        frame=frame,
        descriptors=normalised(sums).astype(np.float16),
        counts=counts,
        directions=np.array([side.placement.direction for side in sides]),
        rotations=np.array([side.placement.rotation for side in sides]),
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


def _cells_of(sides: list[_Side], maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors (a, C), (b, C) of the cells on and off the object, of all sides, as stored."""
    grid = maps.shape[1]
    on_object, off_object = [], []
    for side in sides:
        of_object = object_cells(side.view.pixels, side.view.size, grid)
        on_object.append(maps[side.number][of_object])
        off_object.append(maps[side.number][cells_inside(side.view.size, grid) & ~of_object])
    return np.concatenate(on_object), np.concatenate(off_object)


def _at_points(sides: list[_Side], maps: np.ndarray, frame: DescriptorFrame) -> list[np.ndarray]:
    """Descriptors (m, D) where each side sees points."""
    raw = (sample_descriptors(maps[side.number], side.pixels, side.view.size) for side in sides)
    return [frame(descriptors) for descriptors in raw]


def _frame(images: dict[int, list[_Side]], maps: Maps, shrinkage: float) -> DescriptorFrame:
    """Moments over object and background, in equal parts."""
    means, squares = EqualParts(), EqualParts()
    for number, sides in images.items():
        for part, cells in enumerate(_cells_of(sides, maps(number))):
            if len(cells):
                mean, square = unit_moments(cells)
                means.add(part, mean)
                squares.add(part, square)
    mean = means.result()
    axes = whitening_axes(squares.result() - np.outer(mean, mean), shrinkage)
    return DescriptorFrame(mean.astype(np.float32), axes)


def _sums(
    points: int, images: dict[int, list[_Side]], maps: Maps, frame: DescriptorFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Sums (n, D) float64 of the descriptors of each point, and how many (n,)."""
    sums = np.zeros((points, frame.axes.shape[1]))
    counts = np.zeros(points, dtype=np.int64)
    for number, sides in images.items():
        for side, descriptors in zip(sides, _at_points(sides, maps(number), frame), strict=True):
            sums[side.ids] += descriptors
            counts[side.ids] += 1
    return sums, counts


def _compare(
    moments: CosineMoments, sides: list[_Side], maps: np.ndarray, frame: DescriptorFrame
) -> None:
    """Add an image's cosines with the means of the others."""
    cells = [frame(part) for part in _cells_of(sides, maps)]
    moments.add([side.ids for side in sides], _at_points(sides, maps, frame), cells)
