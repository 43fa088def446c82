"""The page of the masks that agree least with their annotation."""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..datasets.records import Box

matplotlib.use("Agg")

COLUMNS = 4
TINT = np.array([30.0, 144.0, 255.0])
LONGEST = 320
"""Pixels: larger images are thinned for the page."""


@dataclass(frozen=True)
class MaskedImage:
    """An image with its mask and annotation.

    Attributes
    ----------
    image : (H, W, 3) uint8.
    mask : (H, W) bool.
    keypoints : (k, 2) pixels.
    box : (x1, y1, x2, y2) pixels.
    title : what stands above it.
    doubtful : whether the title is in red.
    """

    image: np.ndarray
    mask: np.ndarray
    keypoints: np.ndarray
    box: Box
    title: str
    doubtful: bool


def draw_masks(pictures: Sequence[MaskedImage], title: str) -> Figure:
    """A sheet of images, darkened outside of their masks, with keypoints and boxes."""
    rows = max(1, -(-len(pictures) // COLUMNS))
    figure = Figure(figsize=(3 * COLUMNS, 2.9 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    figure.suptitle(title)
    for place in axes:
        place.set_axis_off()
    for place, picture in zip(axes, pictures, strict=False):
        _draw(place, picture)
    return figure


def _draw(axes: Axes, picture: MaskedImage) -> None:
    height, width = picture.mask.shape
    step = -(-max(height, width) // LONGEST)
    image, mask = picture.image[::step, ::step], picture.mask[::step, ::step, None]
    shown = np.where(mask, 0.65 * image + 0.35 * TINT, 0.45 * image)
    axes.imshow(shown.astype(np.uint8), extent=(-0.5, width - 0.5, height - 0.5, -0.5))
    x1, y1, x2, y2 = picture.box
    axes.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fill=False, edgecolor="white", lw=1))
    axes.plot(*picture.keypoints.T, "o", ms=3.5, mfc="yellow", mec="black", mew=0.6)
    axes.set_title(picture.title, fontsize=8, color="firebrick" if picture.doubtful else "black")
