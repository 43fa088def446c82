"""Pictures of matches: lines between two photos, and a sheet of pairs by methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

matplotlib.use("Agg")

RIGHT, WRONG, MISSED = "#21a366", "#d6303a", "#f2c14e"
"""Colours of right and wrong matches, and of the true place of a wrong one."""
GAP = 0.03
"""Space between the two photos of a pair, as a share of their height."""


@dataclass(frozen=True)
class PairMatches:
    """A pair of photos with n matches by each of some methods.

    Attributes
    ----------
    title : text above the pair.
    source, target : (H, W, 3) uint8 photos.
    points : (n, 2) pixels in the source.
    truth : (n, 2) pixels in the target.
    predicted : method -> (n, 2) pixels in the target.
    right : method -> (n,) bool.
    """

    title: str
    source: np.ndarray
    target: np.ndarray
    points: np.ndarray
    truth: np.ndarray
    predicted: Mapping[str, np.ndarray]
    right: Mapping[str, np.ndarray]


def draw_sheet(pairs: Sequence[PairMatches], title: str) -> Figure:
    """A sheet of pairs (rows) by methods (columns): right matches green, wrong ones red.

    A ring marks where a wrong match should lie.

    Parameters
    ----------
    pairs : at least one, all with the same methods.
    title : text above the sheet.
    """
    methods = list(pairs[0].predicted)
    figure = Figure(figsize=(5.2 * len(methods), 2.5 * len(pairs) + 0.6), layout="constrained")
    figure.suptitle(title)
    axes = figure.subplots(len(pairs), len(methods), squeeze=False)
    for row, pair in zip(axes, pairs, strict=True):
        for panel, method in zip(row, methods, strict=True):
            right = pair.right[method]
            colors = np.where(right, RIGHT, WRONG)
            place = _two_photos(panel, pair.source, pair.target)
            missed = place.target(pair.truth[~right])
            panel.scatter(*missed.T, s=28, facecolors="none", edgecolors=MISSED, linewidths=1.2)
            _lines(panel, place, pair.points, pair.predicted[method], colors)
            panel.set_title(f"{pair.title}: {method} {right.sum()} of {len(right)}", fontsize=8)
    return figure


def draw_matches(
    source: np.ndarray,
    target: np.ndarray,
    points: np.ndarray,
    found: np.ndarray,
    confidence: np.ndarray,
) -> Figure:
    """Two photos side by side, each query joined with its match and its number.

    Parameters
    ----------
    source, target : (H, W, 3) uint8 photos.
    points : (n, 2) pixels in the source.
    found : (n, 2) pixels in the target.
    confidence : (n,) in [0, 1], shown as the lines' colours.
    """
    figure = Figure(figsize=(11, 5.5), layout="constrained")
    panel = figure.subplots()
    place = _two_photos(panel, source, target)
    colors = matplotlib.colormaps["cool"](np.clip(confidence, 0.0, 1.0))
    _lines(panel, place, points, found, colors)
    for number, (x, y) in enumerate(place.source(points)):
        panel.annotate(
            str(number),
            (x, y),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=9,
            color="white",
            bbox={"boxstyle": "round,pad=0.15", "facecolor": "0.15", "linewidth": 0},
        )
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 1), "cool")
    figure.colorbar(scale, ax=panel, label="confidence", shrink=0.6)
    return figure


@dataclass(frozen=True)
class _Placement:
    """Where two photos lie in a panel: both have height 1, the target begins at `start`."""

    source_height: int
    target_height: int
    start: float

    def source(self, pixels: np.ndarray) -> np.ndarray:
        """Panel coordinates (n, 2) of pixels in the source photo."""
        return np.asarray((pixels + 0.5) / self.source_height)

    def target(self, pixels: np.ndarray) -> np.ndarray:
        """Panel coordinates (n, 2) of pixels in the target photo."""
        return np.asarray((pixels + 0.5) / self.target_height + [self.start, 0.0])


def _two_photos(panel: Axes, source: np.ndarray, target: np.ndarray) -> _Placement:
    """Show two photos side by side at the same height."""
    widths = [photo.shape[1] / photo.shape[0] for photo in (source, target)]
    place = _Placement(source.shape[0], target.shape[0], widths[0] + GAP)
    panel.imshow(source, extent=(0.0, widths[0], 1.0, 0.0))
    panel.imshow(target, extent=(place.start, place.start + widths[1], 1.0, 0.0))
    panel.set(xlim=(0.0, place.start + widths[1]), ylim=(1.0, 0.0), aspect="equal")
    panel.set_axis_off()
    return place


def _lines(
    panel: Axes, place: _Placement, points: np.ndarray, found: np.ndarray, colors: np.ndarray
) -> None:
    """Join points of the source with points of the target."""
    a, b = place.source(points), place.target(found)
    ends = list(np.stack([a, b], axis=1))
    panel.add_collection(LineCollection(ends, colors=colors, linewidths=1.1))
    for x, y in (a.T, b.T):
        panel.scatter(x, y, s=12, c=colors, edgecolors="white", linewidths=0.5, zorder=3)
