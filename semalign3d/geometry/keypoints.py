"""Keypoints moved onto the object's mask (METHOD.md section 5).

Half of the annotated keypoints lie just outside the mask, where depth is the background's.
"""

import numpy as np
from scipy.ndimage import binary_erosion
from scipy.spatial import cKDTree

from semalign3d.geometry.arguments import require_finite, require_shape


def erode(mask: np.ndarray, size: int = 2, iterations: int = 2) -> np.ndarray:
    """Mask (H, W) bool eroded by a size x size square, `iterations` times.

    The image's border does not erode the mask. A mask that would vanish is returned as it is.
    """
    require_shape("mask", mask, (None, None))
    solid = np.asarray(mask, dtype=bool)
    if iterations < 1 or size < 2:
        return solid
    square = np.ones((size, size), dtype=bool)
    eroded = binary_erosion(solid, square, iterations=iterations, border_value=1)
    return eroded if eroded.any() else solid


def snap_to_mask(pixels: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Nearest mask pixel of each pixel.

    Parameters
    ----------
    pixels
        (n, 2) pixel coordinates, finite; they may lie outside the image.
    mask
        (H, W) bool.

    Returns
    -------
    np.ndarray
        (n, 2) int64 pixel coordinates inside the mask.

    Raises
    ------
    ValueError
        If the mask is empty: such a view cannot be used.
    """
    require_shape("pixels", pixels, (None, 2))
    require_shape("mask", mask, (None, None))
    require_finite("pixels", pixels)
    inside = np.argwhere(mask)[:, ::-1]
    if len(inside) == 0:
        raise ValueError("mask: expected at least one pixel of the object, found an empty mask")
    _, nearest = cKDTree(inside).query(np.asarray(pixels, dtype=np.float64))
    return inside[nearest].astype(np.int64)


def correct_keypoints(
    keypoints: np.ndarray, mask: np.ndarray, *, size: int = 2, iterations: int = 2
) -> np.ndarray:
    """Keypoints moved to the nearest pixel of the eroded mask.

    Parameters
    ----------
    keypoints
        (K, 2) pixel coordinates, NaN where absent.
    mask
        (H, W) bool, the whole object.
    size, iterations
        Of the erosion, see `erode`.

    Returns
    -------
    np.ndarray
        (K, 2) float64 with whole numbers inside the mask, NaN where absent.

    Raises
    ------
    ValueError
        If the mask is empty.
    """
    require_shape("keypoints", keypoints, (None, 2))
    corrected = np.full(np.shape(keypoints), np.nan)
    seen = np.isfinite(keypoints).all(axis=1)
    corrected[seen] = snap_to_mask(np.asarray(keypoints)[seen], erode(mask, size, iterations))
    return corrected


def sample_pixels(mask: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Up to `count` different pixels of a mask, drawn without replacement.

    Returns
    -------
    np.ndarray
        (min(count, pixels of the mask), 2) int64 pixel coordinates, in scan order.
    """
    require_shape("mask", mask, (None, None))
    inside = np.argwhere(mask)[:, ::-1].astype(np.int64)
    if len(inside) <= count:
        return inside
    return inside[np.sort(rng.choice(len(inside), size=count, replace=False))]
