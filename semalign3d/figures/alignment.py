"""The picture of an alignment: a photo, the prior's points in it, its keypoints."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

matplotlib.use("Agg")

DIMMED = 0.35
"""How much of the photo's contrast is left under the points."""
SEEN = 0.5
"""Points that are less likely to be seen than this are drawn hollow, or not at all if dense."""


def draw_alignment(
    photo: np.ndarray,
    points: np.ndarray,
    point_colors: np.ndarray,
    point_visibility: np.ndarray,
    keypoints: np.ndarray,
    visibility: np.ndarray,
    title: str,
) -> Figure:
    """A photo, the aligned prior's points on it, and its keypoints by how visible they are.

    Parameters
    ----------
    photo : (H, W, 3) uint8.
    points : (n, 2) pixels of the dense points, the nearest last.
    point_colors : (n, 3) RGB in [0, 1].
    point_visibility : (n,) probabilities.
    keypoints : (K, 2) pixels, NaN where not used.
    visibility : (K,) probabilities.
    title : text above the picture.
    """
    height, width = photo.shape[:2]
    figure = Figure(figsize=(12.5, 3.7 * min(height / width, 1.5) + 0.6), layout="constrained")
    figure.suptitle(title)
    panels = figure.subplots(1, 3)
    for panel, name in zip(panels, ("photo", "prior in place", "keypoints"), strict=True):
        faint = photo if panel is panels[0] else 255 - DIMMED * (255.0 - photo)
        panel.imshow(faint.astype(np.uint8))
        panel.set(title=name, xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        panel.set_axis_off()
    shown = point_visibility >= SEEN
    x, y = points[shown].T
    panels[1].scatter(x, y, s=9, c=point_colors[shown], linewidths=0)
    _keypoints(panels[2], keypoints, visibility)
    scale = matplotlib.cm.ScalarMappable(matplotlib.colors.Normalize(0, 1), "viridis")
    figure.colorbar(scale, ax=panels[2], label="probability of being seen", shrink=0.7)
    return figure


def _keypoints(panel: Axes, keypoints: np.ndarray, visibility: np.ndarray) -> None:
    """Numbered keypoints, filled where they are probably seen."""
    colors = matplotlib.colormaps["viridis"](visibility)
    used = np.isfinite(keypoints).all(axis=1)
    for chosen, fill in ((used & (visibility >= SEEN), True), (used & (visibility < SEEN), False)):
        x, y = keypoints[chosen].T
        panel.scatter(
            x,
            y,
            s=46,
            facecolors=colors[chosen] if fill else "none",
            edgecolors="0.1" if fill else colors[chosen],
            linewidths=1.0,
        )
    for number in np.flatnonzero(used):
        panel.annotate(
            str(number),
            keypoints[number],
            xytext=(4, 4),
            textcoords="offset points",
            fontsize=8,
            annotation_clip=True,
        )
