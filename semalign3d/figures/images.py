"""The page of a category's images: thumbnails with what was annotated, so that mistakes show."""

import colorsys
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image

from semalign3d.datasets.records import ImageRecord
from semalign3d.figures.save import DPI
from semalign3d.geometry.cameras import mirror_or_identity

matplotlib.use("Agg")

SIDE = 240
"""Pixels of a thumbnail's longest side."""
CELL = SIDE + 6
HEADER = 22
MARGIN = 0.12
"""Of the annotated part, in units of its longer side."""
COLUMNS = 6
NAMES_PER_ROW = 5
SPLIT_COLORS = {"trn": "0.25", "val": "#b35900", "test": "#1f6f3f"}
MARKERS = {"single": "D", "first": "o", "second": "^"}


@dataclass(frozen=True)
class Thumbnail:
    """The annotated part of an image made small, with its annotation in its own pixels.

    Attributes
    ----------
    pixels : (h, w, 3) uint8, the longer side `SIDE`.
    keypoints : (K, 2) pixels (x, y), NaN where not seen.
    box : (x1, y1, x2, y2) pixels.
    name, split : of the image.
    """

    pixels: np.ndarray
    keypoints: np.ndarray
    box: np.ndarray
    name: str
    split: str


def thumbnail_of(record: ImageRecord, pixels: np.ndarray) -> Thumbnail:
    """The part of an image (H, W, 3) that is annotated, with some margin, as a thumbnail."""
    seen = record.keypoints[record.visible]
    corners = np.concatenate([np.reshape(record.box, (2, 2)), seen])
    margin = MARGIN * np.ptp(corners, axis=0).max()
    size = np.array([record.width, record.height])
    low = np.clip(np.floor(corners.min(axis=0) - margin), 0, size - 1).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0) + margin), low + 1, size).astype(int)
    part = Image.fromarray(pixels[low[1] : high[1], low[0] : high[0]])
    small = np.maximum(np.round(SIDE * (high - low) / (high - low).max()), 1).astype(int)
    scale = small / (high - low)
    # Pixel centres are whole numbers: the image's corner lies at -0.5.
    keypoints = (record.keypoints - low + 0.5) * scale - 0.5
    box = (np.reshape(record.box, (2, 2)) - low) * scale
    shown = np.array(part.resize((int(small[0]), int(small[1]))))
    return Thumbnail(shown, keypoints, box.ravel(), record.stem, record.split)


def draw_images(
    thumbnails: Sequence[Thumbnail],
    names: Sequence[str],
    mirror: np.ndarray | None,
    title: str,
) -> Figure:
    """Thumbnails in rows, keypoints numbered by id, with a key below.

    The two keypoints of a mirror pair have one colour: the first is a circle, the second a
    triangle; keypoints without counterpart are diamonds.

    Parameters
    ----------
    thumbnails : of at least one image.
    names : of the K keypoints; empty where not known.
    mirror : (K,) mirror table, or None where not known.
    title : text above.
    """
    table = mirror_or_identity(mirror, len(thumbnails[0].keypoints))
    columns = min(COLUMNS, len(thumbnails))
    rows = -(-len(thumbnails) // columns)
    wide = max(columns, 3) * CELL
    key_rows = -(-len(table) // NAMES_PER_ROW)
    high = rows * (CELL + HEADER) + (key_rows + 1) * HEADER
    figure = Figure(figsize=(wide / DPI, (high + 2 * HEADER) / DPI))
    axes = figure.add_axes((0.0, 0.0, 1.0, high / (high + 2 * HEADER)))
    axes.set(xlim=(0, wide), ylim=(high, 0))
    axes.set_axis_off()
    figure.suptitle(title, y=1.0 - 0.6 * HEADER / (high + 2 * HEADER), va="center", fontsize=12)
    corners = [
        np.array([i % columns * CELL, i // columns * (CELL + HEADER) + HEADER])
        for i in range(len(thumbnails))
    ]
    _draw_photos(axes, thumbnails, corners)
    colors = keypoint_colors(table)
    placed = np.stack([t.keypoints + c for t, c in zip(thumbnails, corners, strict=True)])
    _draw_keypoints(axes, placed, table, colors)
    _draw_key(axes, names, table, colors, (wide, rows * (CELL + HEADER) + HEADER))
    return figure


def keypoint_colors(table: np.ndarray) -> np.ndarray:
    """(K, 3) RGB in [0, 1]: one hue for each mirror pair or single keypoint, neighbours apart."""
    group = np.unique(np.minimum(np.arange(len(table)), table), return_inverse=True)[1]
    hues = np.mod(group * 0.6180339887, 1.0)
    values = 0.75 + 0.25 * (group % 2)
    return np.array([colorsys.hsv_to_rgb(h, 0.9, v) for h, v in zip(hues, values, strict=True)])


def _draw_photos(
    axes: Axes, thumbnails: Sequence[Thumbnail], corners: Sequence[np.ndarray]
) -> None:
    """Photos with box, name and split."""
    boxes = []
    for thumbnail, (x, y) in zip(thumbnails, corners, strict=True):
        height, width = thumbnail.pixels.shape[:2]
        axes.imshow(thumbnail.pixels, extent=(x, x + width, y + height, y), aspect="auto")
        x1, y1, x2, y2 = thumbnail.box
        outline = [(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)]
        boxes.append(np.add(outline, (x, y)))
        color = SPLIT_COLORS.get(thumbnail.split, "0.25")
        text = f"{thumbnail.split}  {thumbnail.name}"
        shown = text if len(text) <= 34 else text[:33] + "…"
        axes.text(x + 3, y - 5, shown, fontsize=7, color=color, clip_on=True)
    axes.add_collection(LineCollection(boxes, colors="yellow", linewidths=0.8))
    axes.set_autoscale_on(False)


def _kinds(table: np.ndarray) -> dict[str, np.ndarray]:
    ids = np.arange(len(table))
    return {"single": table == ids, "first": ids < table, "second": ids > table}


def _draw_keypoints(axes: Axes, placed: np.ndarray, table: np.ndarray, colors: np.ndarray) -> None:
    """All keypoints (N, K, 2) of all thumbnails, numbered."""
    centre = placed + 0.5
    for kind, chosen in _kinds(table).items():
        ids = np.broadcast_to(np.flatnonzero(chosen), (len(placed), chosen.sum()))
        points = centre[:, chosen]
        seen = np.isfinite(points).all(axis=2)
        x, y = points[seen].T
        axes.scatter(
            x,
            y,
            s=20,
            marker=MARKERS[kind],
            c=colors[ids[seen]],
            edgecolors="white",
            linewidths=0.6,
            zorder=3,
        )
    for image, number in zip(*np.nonzero(np.isfinite(centre).all(axis=2)), strict=True):
        x, y = centre[image, number]
        axes.text(
            x + 4,
            y - 3,
            str(number),
            fontsize=6,
            color="white",
            zorder=4,
            clip_on=True,
            bbox={"boxstyle": "square,pad=0.1", "facecolor": "0.1", "alpha": 0.6, "linewidth": 0},
        )


def _draw_key(
    axes: Axes,
    names: Sequence[str],
    table: np.ndarray,
    colors: np.ndarray,
    place: tuple[int, int],
) -> None:
    """Marker, id and name of each keypoint, below the photos."""
    wide, top = place
    step = wide / NAMES_PER_ROW
    for kind, chosen in _kinds(table).items():
        for number in np.flatnonzero(chosen).tolist():
            x = 12 + number % NAMES_PER_ROW * step
            y = top + number // NAMES_PER_ROW * HEADER
            axes.scatter([x], [y], s=30, marker=MARKERS[kind], c=[colors[number]])
            name = names[number] if names else ""
            axes.text(x + 10, y, f"{number} {name}".rstrip(), fontsize=8, va="center")
