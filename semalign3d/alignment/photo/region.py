"""Where a photo's object is known to lie, by a mask or a box (METHOD.md section 10, 9)."""

import numpy as np
from scipy.ndimage import maximum_filter

from semalign3d.datasets.records import Box
from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.cameras import Size
from semalign3d.geometry.grid import pixel_to_cell

_OUTSIDE = 0.1
"""What is left of a likelihood ratio off the object: masks and boxes may err."""


def box_mask(box: Box, size: Size) -> np.ndarray:
    """(H, W) bool of the pixels in a box (x1, y1, x2, y2) of a photo of size (W, H)."""
    x1, y1, x2, y2 = box
    x, y = np.arange(size[0]), np.arange(size[1])[:, None]
    return (x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)


def object_region(mask: np.ndarray, size: Size, grid: int) -> np.ndarray:
    """Shares (G, G) in [0, 1] of the grid's cells that a mask (H, W) bool covers.

    Raises
    ------
    ValueError : a mask of another size than the photo's (W, H).
    """
    require_shape("mask", mask, (size[1], size[0]))
    solid = np.asarray(mask, dtype=bool)
    columns = pixel_to_cell(np.stack([np.arange(size[0]), np.zeros(size[0])], 1), size, grid)[:, 0]
    rows = pixel_to_cell(np.stack([np.zeros(size[1]), np.arange(size[1])], 1), size, grid)[:, 1]
    cell = (rows[:, None] * grid + columns).ravel()
    covered = np.bincount(cell, solid.ravel(), grid * grid)
    whole = np.bincount(cell, minlength=grid * grid)
    return (covered / np.maximum(whole, 1)).reshape(grid, grid)


def region_extent(mask: np.ndarray) -> float:
    """Diagonal of the box around a mask (H, W) bool, in units of the longest side; 0 if empty."""
    rows, columns = np.nonzero(mask)
    if len(rows) == 0:
        return 0.0
    return float(np.hypot(np.ptp(rows) + 1, np.ptp(columns) + 1)) / max(mask.shape)


def damping(region: np.ndarray) -> np.ndarray:
    """Factors (G, G) of the likelihood ratios of points, which may lie a cell beside the region."""
    near = maximum_filter(region, size=3)
    return _OUTSIDE + (1.0 - _OUTSIDE) * near
