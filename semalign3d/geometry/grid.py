"""Descriptor grids over a padded square image (METHOD.md section 1.4).

The image was padded to a centred square of side L = max(W, H) and resized; cell (u, v) of a
G x G grid covers pixel x = (u + 0.5) / G * L - floor((L - W) / 2), y likewise.
"""

import numpy as np

from semalign3d.geometry.arguments import require_finite, require_shape
from semalign3d.geometry.cameras import Size


def _padding(size: Size) -> tuple[int, np.ndarray]:
    """Longest side and the pixels of padding at the left and at the top."""
    width, height = size
    if width <= 0 or height <= 0:
        raise ValueError(f"size: expected a positive width and height, found {size}")
    longest = max(width, height)
    return longest, np.array([(longest - width) // 2, (longest - height) // 2], dtype=np.float64)


def cell_to_pixel(cells: np.ndarray, size: Size, grid: int) -> np.ndarray:
    """Pixel coordinates (..., 2) of the centres of grid cells (..., 2), (u, v) each.

    Centres of cells in the padding lie outside the image.
    """
    require_shape("cells", cells, (-1, 2))
    longest, padding = _padding(size)
    return (np.asarray(cells, dtype=np.float64) + 0.5) / grid * longest - padding


def pixel_to_cell(pixels: np.ndarray, size: Size, grid: int) -> np.ndarray:
    """Grid cells (..., 2) int64, (u, v) each, that pixels (..., 2) fall into; clipped to the grid.

    Raises
    ------
    ValueError
        If a pixel is NaN or infinite.
    """
    require_shape("pixels", pixels, (-1, 2))
    require_finite("pixels", pixels)
    longest, padding = _padding(size)
    cells = np.floor((np.asarray(pixels, dtype=np.float64) + padding) / longest * grid)
    return np.clip(cells, 0, grid - 1).astype(np.int64)


def cells_inside(size: Size, grid: int) -> np.ndarray:
    """(G, G) bool: cells whose centres lie in the image, not in the padding; row v, column u."""
    v, u = np.mgrid[:grid, :grid]
    pixels = cell_to_pixel(np.stack([u, v], axis=-1), size, grid)
    inside = (pixels >= -0.5) & (pixels <= np.array(size) - 0.5)
    return np.asarray(inside.all(axis=-1))


def sample_descriptors(descriptors: np.ndarray, pixels: np.ndarray, size: Size) -> np.ndarray:
    """Descriptors of the cells that pixels fall into.

    Parameters
    ----------
    descriptors
        (G, G, C) map, row v then column u.
    pixels
        (..., 2) pixel coordinates.
    size
        (W, H) of the image in pixels.

    Returns
    -------
    np.ndarray
        (..., C), dtype kept.
    """
    require_shape("descriptors", descriptors, (None, None, None))
    grid = descriptors.shape[0]
    require_shape("descriptors", descriptors, (grid, grid, None))
    cells = pixel_to_cell(pixels, size, grid)
    return descriptors[cells[..., 1], cells[..., 0]]


def pixel_to_place(pixels: np.ndarray, size: Size, grid: int) -> np.ndarray:
    """Places (..., 2) between the cells' centres, (u, v) each: the inverse of `cell_to_pixel`."""
    require_shape("pixels", pixels, (-1, 2))
    longest, padding = _padding(size)
    return (np.asarray(pixels, dtype=np.float64) + padding) / longest * grid - 0.5


def image_centre_cell(size: Size, grid: int) -> np.ndarray:
    """Place (2,), (u, v), of the image's centre (W / 2, H / 2) between the cells' centres."""
    return pixel_to_place(np.array(size, dtype=np.float64) / 2.0, size, grid)
