"""Centred descriptors, and which cells of a grid show the object (METHOD.md section 10, 1)."""

import numpy as np
from scipy.ndimage import binary_dilation

from semalign3d.geometry.cameras import Size
from semalign3d.geometry.grid import cells_inside, pixel_to_cell
from semalign3d.shape.sparse.attention import normalised

_ROWS = 256
"""Descriptors at a time: as float32 they should fit into a processor core's cache."""


def centred(descriptors: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Descriptors (..., C) of length one, minus the mean (C,), of length one again; float32."""
    rows = descriptors.reshape(-1, descriptors.shape[-1])
    found = np.empty(rows.shape, dtype=np.float32)
    for start in range(0, len(rows), _ROWS):
        some = slice(start, start + _ROWS)
        found[some] = normalised(normalised(rows[some]) - mean)
    return found.reshape(descriptors.shape)


def mean_unit(descriptors: np.ndarray) -> np.ndarray:
    """Mean (C,) float64 of descriptors (m, C), each brought to length one; at least one."""
    total = np.zeros(descriptors.shape[1])
    for start in range(0, len(descriptors), _ROWS):
        total += normalised(descriptors[start : start + _ROWS]).sum(axis=0)
    return total / len(descriptors)


def object_cells(pixels: np.ndarray, size: Size, grid: int) -> np.ndarray:
    """(G, G) bool: cells of the image that hold sampled object pixels (m, 2), or touch one."""
    u, v = pixel_to_cell(pixels, size, grid).T
    hit = np.zeros((grid, grid), dtype=bool)
    hit[v, u] = True
    return binary_dilation(hit) & cells_inside(size, grid)
