"""Descriptors of pixels in an image and in its mirror image (METHOD.md 7 and 8)."""

import numpy as np

from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.cameras import mirror_or_identity, mirror_pixels
from semalign3d.geometry.grid import sample_descriptors


def pixel_descriptors(maps: np.ndarray, pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Descriptors of pixels and of the same places in the mirror image.

    Parameters
    ----------
    maps : (2, G, G, C) descriptor maps of the image and of its mirror image.
    pixels : (n, 2) pixel coordinates in the image.
    size : (W, H) of the image in pixels.

    Returns
    -------
    np.ndarray
        (2, n, C), dtype kept.
    """
    require_shape("maps", maps, (2, None, None, None))
    mirrored = mirror_pixels(pixels, size[0])
    return np.stack(
        [sample_descriptors(maps[0], pixels, size), sample_descriptors(maps[1], mirrored, size)]
    )


def keypoint_descriptors(
    maps: np.ndarray, keypoints: np.ndarray, size: tuple[int, int], mirror: np.ndarray | None
) -> np.ndarray:
    """Descriptors of the keypoints that an image and its mirror image show.

    Parameters
    ----------
    maps : (2, G, G, C) descriptor maps of the image and of its mirror image.
    keypoints : (K, 2) pixel coordinates in the image, NaN where not seen.
    size : (W, H) of the image in pixels.
    mirror : (K,) mirror table: id i is seen as mirror[i] in the mirror image. None where it is not
        known: the mirror image shows no keypoint.

    Returns
    -------
    np.ndarray
        (2, K, C) float32, NaN where not seen.
    """
    require_shape("keypoints", keypoints, (None, 2))
    table = mirror_or_identity(mirror, len(keypoints))
    seen = np.flatnonzero(np.isfinite(keypoints).all(axis=1))
    found = np.full((2, len(table), maps.shape[-1]), np.nan, dtype=np.float32)
    at_seen = pixel_descriptors(maps, keypoints[seen], size)
    found[0, seen] = at_seen[0]
    if mirror is not None:
        found[1, table[seen]] = at_seen[1]
    return found
