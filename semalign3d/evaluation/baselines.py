"""Matching by descriptors alone: nearest neighbour and windowed soft-argmax (METHOD.md 11)."""

import numpy as np

from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.cameras import Size
from semalign3d.geometry.grid import cell_to_pixel, cells_inside, sample_descriptors

WINDOW = 15
TEMPERATURE = 0.04


def query_similarities(
    source: np.ndarray, source_size: Size, points: np.ndarray, target: np.ndarray, target_size: Size
) -> np.ndarray:
    """Cosines of query points' descriptors with all cells of another image.

    Parameters
    ----------
    source, target : (G, G, C) descriptor maps of the two images, cells of length one.
    source_size, target_size : (W, H) in pixels.
    points : (n, 2) query pixels in the source image.

    Returns
    -------
    np.ndarray
        (n, G, G) float32; -inf for cells in the padding, whose centre lies outside the image.
    """
    require_shape("points", points, (-1, 2))
    require_shape("target", target, (None, None, source.shape[-1]))
    queries = sample_descriptors(source, points, source_size).astype(np.float32)
    grid, channels = target.shape[0], target.shape[2]
    flat = target.astype(np.float32).reshape(-1, channels)
    cosines = (queries @ flat.T).reshape(-1, grid, grid)
    return np.where(cells_inside(target_size, grid), cosines, np.float32(-np.inf))


def _peaks(similarities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column (n,) of the largest value of each map (n, G, G)."""
    count, grid, _ = similarities.shape
    best = similarities.reshape(count, grid * grid).argmax(axis=1)
    return best // grid, best % grid


def nearest_neighbour(similarities: np.ndarray, size: Size) -> np.ndarray:
    """The centre of the most similar cell.

    Parameters
    ----------
    similarities : (n, G, G), see `query_similarities`.
    size : (W, H) of the target image in pixels.

    Returns
    -------
    np.ndarray
        (n, 2) pixels.
    """
    require_shape("similarities", similarities, (None, None, None))
    rows, columns = _peaks(similarities)
    return cell_to_pixel(np.stack([columns, rows], axis=1), size, similarities.shape[-1])


def windowed_soft_argmax(
    similarities: np.ndarray,
    size: Size,
    window: int = WINDOW,
    temperature: float = TEMPERATURE,
) -> np.ndarray:
    """The mean cell of a window round the most similar one, weighted by a softmax.

    Parameters
    ----------
    similarities : (n, G, G), see `query_similarities`.
    size : (W, H) of the target image in pixels.
    window : cells along each side of the window, odd; it is cut where it leaves the image.
    temperature : by which similarities are divided before the softmax.

    Returns
    -------
    np.ndarray
        (n, 2) pixels.
    """
    require_shape("similarities", similarities, (None, None, None))
    if window < 1 or window % 2 == 0 or temperature <= 0:
        raise ValueError(
            f"expected an odd window and a positive temperature, found {window} and {temperature}"
        )
    grid = similarities.shape[-1]
    rows, columns = _peaks(similarities)
    line = np.arange(grid)
    near_rows = np.abs(line - rows[:, None]) <= window // 2
    near_columns = np.abs(line - columns[:, None]) <= window // 2
    near = near_rows[:, :, None] & near_columns[:, None, :]
    peak = similarities.max(axis=(1, 2), keepdims=True).astype(np.float64)
    weights = np.where(near, np.exp((similarities - peak) / temperature), 0.0)
    weights = weights / weights.sum(axis=(1, 2), keepdims=True)
    u, v = weights.sum(axis=1) @ line, weights.sum(axis=2) @ line
    return cell_to_pixel(np.stack([u, v], axis=1), size, grid)
