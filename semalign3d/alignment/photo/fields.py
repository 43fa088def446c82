"""Smooth maps over an image, read between the cells (METHOD.md section 10, 2)."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

_BORDER = 4


@dataclass(frozen=True)
class Fields:
    """n maps over one image, with a constant around them.

    Attributes
    ----------
    values : (n, side, side), the maps with a border of `_BORDER` cells.
    """

    values: np.ndarray

    def read(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values and slopes at places between the cells, by bilinear interpolation.

        Parameters
        ----------
        cells : (..., n, 2) places (u, v) in cells, one for each map.

        Returns
        -------
        Values (..., n) and their gradients (..., n, 2) per cell; 0 beyond the border.
        """
        side = self.values.shape[-1]
        shifted = cells + _BORDER
        held = np.clip(shifted, 0.0, side - 1.000001)
        corner = held.astype(np.int64)
        u, v = np.moveaxis(held - corner, -1, 0)
        number = np.arange(len(self.values)) * (side * side)
        first = number + corner[..., 1] * side + corner[..., 0]
        flat = self.values.ravel()
        a, b = flat[first], flat[first + 1]
        c, d = flat[first + side], flat[first + side + 1]
        top, bottom = a + u * (b - a), c + u * (d - c)
        slopes = np.stack([(b - a) + v * ((d - c) - (b - a)), bottom - top], axis=-1)
        return top + v * (bottom - top), np.where(shifted == held, slopes, 0.0)

    def unframed(self) -> np.ndarray:
        """The maps (n, G, G) without their border."""
        return self.values[:, _BORDER:-_BORDER, _BORDER:-_BORDER]


def smooth_fields(maps: np.ndarray, inside: np.ndarray, outside: float, sigma: float) -> Fields:
    """Maps blurred with a Gaussian, a constant outside the image.

    Parameters
    ----------
    maps : (n, G, G).
    inside : (G, G) bool, cells of the image; the others are padding.
    outside : value outside the image.
    sigma : of the Gaussian, in cells.
    """
    framed = np.where(inside, maps, np.asarray(outside, dtype=maps.dtype))
    margins = ((0, 0), (_BORDER, _BORDER), (_BORDER, _BORDER))
    framed = np.pad(framed, margins, constant_values=outside)
    blurred = gaussian_filter(framed, (0.0, sigma, sigma), mode="nearest", truncate=3.0)
    return Fields(blurred)
