"""Matches between two photos that a prior is placed in (METHOD.md section 10, 8)."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

from semalign3d.alignment.alignment import Alignment
from semalign3d.alignment.matching.correspondence import Correspondence, corresponding_places
from semalign3d.alignment.photo.likelihood import point_likelihood
from semalign3d.alignment.settings import MatchingSettings
from semalign3d.alignment.statistics.collect import AlignmentStatistics
from semalign3d.alignment.statistics.views import PriorPoints
from semalign3d.geometry.arguments import require_finite, require_shape
from semalign3d.geometry.cameras import Size
from semalign3d.geometry.grid import cell_to_pixel, pixel_to_place
from semalign3d.shape.sparse.attention import normalised

_REACH = 5
"""Radius in cells of the window around the expected place that is looked at."""
_FINER = 4
"""Places that are compared, per cell."""
_CHUNK = 50
"""Queries whose windows are held at once."""


@dataclass(frozen=True)
class Matches:
    """Places of m query points in the target photo.

    Attributes
    ----------
    points : (m, 2) pixels (x, y), inside the photo.
    confidence : (m,) in [0, 1]: the share of the likelihood near the match, of all that is near
        the expected place.
    """

    points: np.ndarray
    confidence: np.ndarray


class Matcher:
    """Matches between photos that one prior is placed in.

    Parameters
    ----------
    points : of the prior, n in all.
    statistics : of the n points on training images.
    settings : see `MatchingSettings`.
    """

    def __init__(
        self, points: PriorPoints, statistics: AlignmentStatistics, settings: MatchingSettings
    ) -> None:
        self._points = points
        self._places = points.follow(points.keypoints)
        self._frame = statistics.frame
        self._likelihood = point_likelihood(statistics, points.keypoint)
        self._query = self._likelihood.competing()
        self._settings = settings

    def __call__(
        self,
        source: Alignment,
        source_descriptors: np.ndarray,
        target: Alignment,
        target_descriptors: np.ndarray,
        queries: np.ndarray,
    ) -> Matches:
        """Where points of the source photo are in the target photo.

        Parameters
        ----------
        source, target : alignments of the two photos.
        source_descriptors, target_descriptors : (G, G, C) maps of the photos; their grids may
            differ.
        queries : (m, 2) pixels (x, y) in the source photo.

        Raises
        ------
        ValueError : shapes differ, or a query is not finite.
        """
        require_shape("queries", queries, (None, 2))
        require_finite("queries", queries)
        for name, maps in (("source", source_descriptors), ("target", target_descriptors)):
            shape = (len(maps), len(maps), len(self._frame.mean))
            require_shape(f"{name}_descriptors", maps, shape)
        own = query_descriptors(self._frame(source_descriptors), queries, source.size)
        cosines = own @ self._likelihood.descriptors.T * source.spread
        evidence = self._query.log_ratios(cosines.T).T
        expected = corresponding_places(
            self._places,
            self._points.keypoint >= 0,
            evidence,
            pixel_to_place(queries, source.size, len(source_descriptors)),
            pixel_to_place(source.dense_px, source.size, len(source_descriptors)),
            pixel_to_place(target.dense_px, target.size, len(target_descriptors)),
            source.dense_visibility,
            self._settings,
        )
        found = self._frame(target_descriptors)
        parts = [
            self._read_off(own[rows], expected.take(rows), found, target)
            for rows in np.array_split(np.arange(len(queries)), max(len(queries) // _CHUNK, 1))
        ]
        places, confidence = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Matches(cell_to_pixel(places, target.size, len(found)), confidence)

    def _read_off(
        self, own: np.ndarray, expected: Correspondence, found: np.ndarray, target: Alignment
    ) -> tuple[np.ndarray, np.ndarray]:
        """Places (m, 2) in cells and confidences (m,) of some queries."""
        settings, grid = self._settings, len(found)
        corners = np.array([[0.0, 0.0], np.array(target.size) - 1.0])
        # A place outside the photo is looked for at the photo's edge.
        middle = np.clip(expected.places, *pixel_to_place(corners, target.size, grid))
        middle = np.clip(np.rint(middle), 0, grid - 1).astype(np.int64)
        step = np.arange(-_REACH, _REACH + 1)
        u = np.clip(middle[:, :1] + step, 0, grid - 1)
        v = np.clip(middle[:, 1:] + step, 0, grid - 1)
        windows = found[v[:, :, None], u[:, None, :]].reshape(
            len(own), len(step) ** 2, found.shape[-1]
        )
        likelihood = self._likelihood
        cosines = windows @ likelihood.descriptors[expected.points].swapaxes(1, 2)
        cosines *= target.spread[expected.points][:, None].astype(np.float32)
        at_points = expected.points.reshape(-1)
        ratios = likelihood.take(at_points).log_ratios(
            cosines.swapaxes(1, 2).reshape(len(at_points), len(step) ** 2)
        )
        ratios = ratios.reshape(*expected.points.shape, len(step) ** 2)
        score = np.einsum("mk,mkw->mw", expected.weights, ratios)
        score += settings.pair * np.einsum("mwc,mc->mw", windows, own)
        score = score.reshape(-1, len(step), len(step))
        return _peak(score, middle, expected.places, target.size, grid, settings)


def query_descriptors(found: np.ndarray, queries: np.ndarray, size: Size) -> np.ndarray:
    """Descriptors (m, C) of length one at pixels, between the cells of a map (G, G, C)."""
    grid = len(found)
    place = np.clip(pixel_to_place(queries, size, grid), 0.0, grid - 1.0)
    corner = np.minimum(place.astype(np.int64), grid - 2)
    share = (place - corner).astype(np.float32)
    (u, v), (a, b) = corner.T, share.T[..., None]
    top = (1.0 - a) * found[v, u] + a * found[v, u + 1]
    bottom = (1.0 - a) * found[v + 1, u] + a * found[v + 1, u + 1]
    return normalised((1.0 - b) * top + b * bottom)


def _peak(
    score: np.ndarray,
    middle: np.ndarray,
    expected: np.ndarray,
    size: Size,
    grid: int,
    settings: MatchingSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """The best places (m, 2) in windows (m, side, side) around cells (m, 2), and confidences."""
    steps = np.arange(_FINER * 2 * _REACH + 1) / _FINER
    fine = _upsampled(score, steps)
    places = middle[:, None, None] + np.stack(np.meshgrid(steps, steps), axis=-1) - _REACH
    away = np.square(places - expected[:, None, None]).sum(axis=-1)
    pixels = cell_to_pixel(places, size, grid)
    inside = ((pixels > -0.5) & (pixels < np.array(size) - 0.5)).all(axis=-1)
    total = np.where(inside, fine - away / (2.0 * settings.sigma**2), -np.inf)
    total = total.reshape(len(total), len(steps) ** 2)
    places = places.reshape(len(total), len(steps) ** 2, 2)
    best = places[np.arange(len(total)), total.argmax(axis=1)]
    likely = np.exp(total - total.max(axis=1, keepdims=True))
    near = np.square(places - best[:, None]).sum(axis=-1) <= max(settings.window, 0.1) ** 2
    weights = likely * near
    share = weights.sum(axis=1)
    return np.einsum("mp,mpd->md", weights, places) / share[:, None], share / likely.sum(axis=1)


def _upsampled(score: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Maps (m, side, side) read at steps along both axes, by cubic splines."""
    side = score.shape[-1]
    rows = np.broadcast_to(steps[:, None], (len(steps), side))
    columns = np.broadcast_to(np.arange(side), (len(steps), side))
    spline = map_coordinates(np.eye(side), [rows, columns], order=3, mode="nearest")
    return np.asarray(spline @ score @ spline.T)
