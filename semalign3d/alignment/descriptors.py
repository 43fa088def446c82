"""Centred descriptors, and which cells of a grid show the object (METHOD.md section 10, 1)."""

import numpy as np
from scipy.ndimage import binary_dilation

from semalign3d.geometry.cameras import Size
from semalign3d.geometry.grid import cells_inside, pixel_to_cell
from semalign3d.prior.attention import normalised


def centred(descriptors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Descriptors (..., C) of length one, minus the mean (C,), of length one again; float32."""
    return normalised(normalised(descriptors) - mean)


def object_cells(pixels: np.ndarray, size: Size, grid: int) -> np.ndarray:
    """(G, G) bool: cells of the image that hold sampled object pixels (m, 2), or touch one."""
    u, v = pixel_to_cell(pixels, size, grid).T
    hit = np.zeros((grid, grid), dtype=bool)
    hit[v, u] = True
    return binary_dilation(hit) & cells_inside(size, grid)
