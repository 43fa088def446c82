"""Masks without specks: islands and holes of a few pixels, as many networks leave them."""

import numpy as np
from scipy.ndimage import label

from semalign3d.geometry.arguments import require_shape

_SHARE = 0.001
"""Of the object's pixels: a smaller island or hole is no part of it."""
_PIXELS = 8
"""An island or hole of fewer pixels is a speck in any photo."""


def without_specks(mask: np.ndarray) -> np.ndarray:
    """A mask (H, W) bool with its small holes filled and its small islands taken away.

    Thin parts that hang on the object stay, as they would not under an opening: what is small is
    the area of a whole connected piece. The largest island always stays.
    """
    require_shape("mask", mask, (None, None))
    solid = np.asarray(mask, dtype=bool)
    least = max(_PIXELS, _SHARE * np.count_nonzero(solid))
    filled = ~_large_pieces(~solid, least)
    return _large_pieces(filled, least)


def _large_pieces(mask: np.ndarray, least: float) -> np.ndarray:
    """Pieces of at least so many pixels, and the largest one; neighbours share an edge."""
    pieces, count = label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    keep = sizes >= min(least, sizes.max())
    keep[0] = False
    return np.asarray(keep[pieces])
