"""Whitened descriptors, and which cells of a grid show the object (METHOD.md section 10, 1)."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import binary_dilation

from semalign3d.geometry.cameras import Size
from semalign3d.geometry.grid import cells_inside, pixel_to_cell
from semalign3d.shape.sparse.attention import normalised

_ROWS = 256
"""Descriptors at a time: as float32 they should fit into a processor core's cache."""


@dataclass(frozen=True)
class DescriptorFrame:
    """Where descriptors are compared: centred, and with directions that tell little shortened.

    Attributes
    ----------
    mean : (C,) float32, of descriptors of length one over object and background in equal parts.
    axes : (C, D) float32, see `whitening_axes`.
    """

    mean: np.ndarray
    axes: np.ndarray

    def __call__(self, descriptors: np.ndarray) -> np.ndarray:
        """(..., D) float32 of length one for descriptors (..., C) of any positive lengths."""
        rows = descriptors.reshape(-1, descriptors.shape[-1])
        found = np.empty((len(rows), self.axes.shape[1]), dtype=np.float32)
        for start in range(0, len(rows), _ROWS):
            some = slice(start, start + _ROWS)
            found[some] = normalised((normalised(rows[some]) - self.mean) @ self.axes)
        return found.reshape(*descriptors.shape[:-1], found.shape[1])


def unit_moments(descriptors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (C,) and mean outer product (C, C) of descriptors (m, C), each brought to length one.

    At least one descriptor; float64, of sums in float32 over `_ROWS` of them.
    """
    length = descriptors.shape[1]
    total, square = np.zeros(length), np.zeros((length, length))
    for start in range(0, len(descriptors), _ROWS):
        some = normalised(descriptors[start : start + _ROWS])
        total += some.sum(axis=0)
        square += some.T @ some
    return total / len(descriptors), square / len(descriptors)


def whitening_axes(covariance: np.ndarray, shrinkage: float) -> np.ndarray:
    """Axes (C, C) float32 that bring descriptors of a covariance (C, C) to even variance.

    Neighbouring channels of a descriptor say nearly the same, and so do all channels of what is
    common in photos, such as a plain background or an edge: whitened, the cosine with a point's
    mean is its linear discriminant against everything that photos show (Hariharan et al., 2012).
    Directions that hardly vary are noise: so much of the mean variance is added to all.

    Parameters
    ----------
    covariance : of descriptors of length one.
    shrinkage : in units of the mean variance, positive; infinite for axes of length one.
    """
    variance, axes = np.linalg.eigh(covariance)
    relative = np.maximum(variance, 0.0) / max(float(np.trace(covariance)) / len(axes), 1e-30)
    return (axes / np.sqrt(1.0 + relative / shrinkage)).astype(np.float32)


def object_cells(pixels: np.ndarray, size: Size, grid: int) -> np.ndarray:
    """(G, G) bool: cells of the image that hold sampled object pixels (m, 2), or touch one."""
    u, v = pixel_to_cell(pixels, size, grid).T
    hit = np.zeros((grid, grid), dtype=bool)
    hit[v, u] = True
    return binary_dilation(hit) & cells_inside(size, grid)
