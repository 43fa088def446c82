"""The picture of a prior: keypoints and dense points from three sides."""

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import pdist, squareform

matplotlib.use("Agg")

# (title, azimuth, elevation) in degrees, around the second axis of the canonical frame.
VIEWS = (("three-quarter", 35.0, 20.0), ("in the mirror plane", 0.0, 0.0), ("side", 90.0, 0.0))
MARGIN = 0.06


def draw_prior(
    keypoints: np.ndarray,
    keypoint_colors: np.ndarray,
    points: np.ndarray,
    point_colors: np.ndarray,
    title: str,
) -> Figure:
    """Keypoints (upper row) and dense points (lower row) of a prior from three sides.

    Parameters
    ----------
    keypoints : (K, 3) canonical frame (METHOD.md 9); NaN rows are not drawn.
    keypoint_colors : (K, 3) RGB in [0, 1].
    points : (n, 3) canonical frame.
    point_colors : (n, 3) RGB in [0, 1].
    title : text above the picture.
    """
    used = np.flatnonzero(np.isfinite(keypoints).all(axis=1))
    rotations = [view_rotation(azimuth, elevation) for _, azimuth, elevation in VIEWS]
    figure = Figure(figsize=(12, _height(points, rotations)), layout="constrained")
    axes = figure.subplots(2, len(VIEWS))
    figure.suptitle(title)
    for column, ((name, _, _), rotation) in enumerate(zip(VIEWS, rotations, strict=True)):
        placed, cloud = keypoints @ rotation.T, points @ rotation.T
        _draw_keypoints(axes[0, column], placed, used, keypoint_colors)
        _draw_cloud(axes[1, column], cloud, point_colors)
        axes[0, column].set_title(name)
        _frame((axes[0, column], axes[1, column]), np.concatenate([placed[used], cloud]))
    return figure


def view_rotation(azimuth: float, elevation: float) -> np.ndarray:
    """(3, 3) rotation to view axes (right, up, towards the viewer); angles in degrees."""
    a, e = np.deg2rad([azimuth, elevation])
    turn = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    tilt = np.array([[1, 0, 0], [0, np.cos(e), -np.sin(e)], [0, np.sin(e), np.cos(e)]])
    return np.asarray(tilt @ turn)


def _height(points: np.ndarray, rotations: list[np.ndarray]) -> float:
    """Height of a figure 12 wide that has two rows of pictures of the shape and little space."""
    extents = np.array([np.ptp(points @ rotation.T, axis=0)[:2] for rotation in rotations])
    tallest = float((extents[:, 1] / np.maximum(extents[:, 0], 0.2)).max())
    return float(np.clip(2.0 * (4.0 * tallest + 0.8), 5.0, 10.0))


def _draw_keypoints(axes: Axes, placed: np.ndarray, used: np.ndarray, colors: np.ndarray) -> None:
    """Numbered keypoints, joined by their shortest spanning tree so that the shape shows."""
    tree = minimum_spanning_tree(squareform(pdist(placed[used]))).tocoo()
    lines = placed[used][np.stack([tree.row, tree.col], axis=1)][:, :, :2]
    axes.add_collection(LineCollection(lines, colors="0.8", linewidths=1.5, zorder=0))
    order = used[np.argsort(placed[used, 2])]
    x, y = placed[:, 0], placed[:, 1]
    axes.scatter(x[order], y[order], s=70, c=colors[order], edgecolors="0.2", linewidths=0.8)
    for i in order:
        axes.annotate(str(i), (x[i], y[i]), xytext=(5, 5), textcoords="offset points", fontsize=9)


def _draw_cloud(axes: Axes, cloud: np.ndarray, colors: np.ndarray) -> None:
    """Points from back to front; those behind are smaller and paler."""
    order = np.argsort(cloud[:, 2])
    near = cloud[order, 2] - cloud[:, 2].min()
    near = (near / max(float(near.max()), 1e-12))[:, None]
    shaded = 1.0 - (1.0 - colors[order]) * (0.35 + 0.65 * near)
    x, y = cloud[order, 0], cloud[order, 1]
    axes.scatter(x, y, s=6 + 22 * near[:, 0], c=shaded, linewidths=0)


def _frame(pair: tuple[Axes, ...], shown: np.ndarray) -> None:
    low, high = shown[:, :2].min(axis=0) - MARGIN, shown[:, :2].max(axis=0) + MARGIN
    for axes in pair:
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
        axes.set_axis_off()
