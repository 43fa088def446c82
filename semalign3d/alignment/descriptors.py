"""Centred descriptors, and which cells of a grid show the object (METHOD.md section 10, 1)."""

import numpy as np
from scipy.ndimage import binary_dilation

from semalign3d.geometry.cameras import Size
from semalign3d.geometry.grid import cell_to_pixel, pixel_to_cell
from semalign3d.prior.attention import normalised


def centred(descriptors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Descriptors (..., C) of length one, minus the mean (C,), of length one again; float32."""
    return normalised(normalised(descriptors) - mean)


def image_cells(size: Size, grid: int) -> np.ndarray:
    """(G, G) bool: cells whose centres lie in the image, not in the padding; row v, column u."""
    v, u = np.mgrid[:grid, :grid]
    pixels = cell_to_pixel(np.stack([u, v], axis=-1), size, grid)
    inside = (pixels >= -0.5) & (pixels <= np.array(size) - 0.5)
    return np.asarray(inside.all(axis=-1))


def object_cells(pixels: np.ndarray, size: Size, grid: int) -> np.ndarray:
    """(G, G) bool: cells of the image that hold sampled object pixels (m, 2), or touch one."""
    u, v = pixel_to_cell(pixels, size, grid).T
    hit = np.zeros((grid, grid), dtype=bool)
    hit[v, u] = True
    return binary_dilation(hit) & image_cells(size, grid)
