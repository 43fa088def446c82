"""Pinhole cameras (METHOD.md sections 3 and 4).

Pixel coordinates are (x, y), integers at pixel centres; an image has size (W, H) and longest
side L = max(W, H). One unknown per view: p = 1 / f with the focal length f in units of L. The
principal point is the image's centre where no other is given.
Camera coordinates: x to the right, y down, z forward, a right-handed frame.
"""

import numpy as np

from semalign3d.geometry.arguments import require_finite, require_shape

Size = tuple[int, int]


def depth_from_inverse(inverse_depth: np.ndarray, slope: float = 0.3) -> np.ndarray:
    """Depth from relative inverse depth: z = 1 - slope * d / max(d) (METHOD.md section 3).

    Parameters
    ----------
    inverse_depth
        Relative inverse depth d (H, W), not negative, larger is nearer.
    slope
        In (0, 1).

    Returns
    -------
    np.ndarray
        z (H, W) float64 in [1 - slope, 1].

    Raises
    ------
    ValueError
        If the shape is another, a value is not finite or negative, or none is positive.
    """
    if not 0.0 < slope < 1.0:
        raise ValueError(f"slope: expected a number between 0 and 1, found {slope}")
    return 1.0 - slope * _relative_to_largest(inverse_depth)


def calibrated_depth(inverse_depth: np.ndarray, offset: float) -> np.ndarray:
    """Depth from relative inverse depth of known offset: z = (1 + c) / (d / max(d) + c).

    Inverse depth of a network is known up to a scale and an offset; with the offset c that bundle
    refinement finds (METHOD.md section 7), z is proportional to true depth. The nearest point of
    the image has z = 1.

    Parameters
    ----------
    inverse_depth
        Relative inverse depth d (H, W), not negative, larger is nearer.
    offset
        c, not negative; 0 where d is proportional to 1 / z.

    Returns
    -------
    np.ndarray
        z (H, W) float64, at least 1; infinite where d + c is 0.

    Raises
    ------
    ValueError
        If the shape is another, a value is not finite or negative, or none is positive.
    """
    if not 0.0 <= offset < np.inf:
        raise ValueError(f"offset: expected a number from 0 up, found {offset}")
    with np.errstate(divide="ignore"):
        return (1.0 + offset) / (_relative_to_largest(inverse_depth) + offset)


def _relative_to_largest(inverse_depth: np.ndarray) -> np.ndarray:
    """d / max(d), float64, of a checked map d (H, W)."""
    require_shape("inverse_depth", inverse_depth, (None, None))
    depth = np.asarray(inverse_depth, dtype=np.float64)
    require_finite("inverse_depth", depth)
    largest = float(depth.max(initial=0.0))
    if largest <= 0.0 or depth.min() < 0.0:
        raise ValueError(
            "inverse_depth: expected values from 0 up and at least one above it, "
            f"found {depth.min() if depth.size else 'none'} to {largest}"
        )
    return depth / largest


def image_centre(size: Size) -> np.ndarray:
    """(2,) pixels: the principal point of an image of which no other is known."""
    return np.array(size, dtype=np.float64) / 2.0


def unit_rays(pixels: np.ndarray, size: Size, principal: np.ndarray | None = None) -> np.ndarray:
    """Pixels as ((x - cx) / L, (y - cy) / L), in units of the longest side.

    Parameters
    ----------
    pixels
        (..., 2) pixel coordinates.
    size
        (W, H) of the image in pixels.
    principal
        (2,) principal point (cx, cy) in pixels, None: the image's centre.
    """
    require_shape("pixels", pixels, (-1, 2))
    width, height = size
    if width <= 0 or height <= 0:
        raise ValueError(f"size: expected a positive width and height, found {size}")
    centre = image_centre(size) if principal is None else principal
    return (np.asarray(pixels, dtype=np.float64) - centre) / max(width, height)


def back_project(
    pixels: np.ndarray,
    depth: np.ndarray,
    size: Size,
    p: float,
    principal: np.ndarray | None = None,
) -> np.ndarray:
    """Camera coordinates of pixels of known depth (METHOD.md section 4).

    Parameters
    ----------
    pixels
        (..., 2) pixel coordinates; NaN rows give NaN points.
    depth
        z (...,) of each pixel.
    size
        (W, H) of the image in pixels.
    p
        Inverse focal length, 1 / f with f in units of the longest side.
    principal
        (2,) principal point in pixels, None: the image's centre.

    Returns
    -------
    np.ndarray
        (..., 3) float64: ((x - cx) / L z p, (y - cy) / L z p, z).
    """
    rays = unit_rays(pixels, size, principal)
    z = np.asarray(depth, dtype=np.float64)
    if z.shape != rays.shape[:-1]:
        raise ValueError(f"depth: expected shape {rays.shape[:-1]}, found {z.shape}")
    return np.concatenate([rays * (z * p)[..., None], z[..., None]], axis=-1)


def project(
    points: np.ndarray, size: Size, p: float, principal: np.ndarray | None = None
) -> np.ndarray:
    """Pixels of points in camera coordinates, the inverse of `back_project`.

    Parameters
    ----------
    points
        (..., 3) camera coordinates.
    size
        (W, H) of the image in pixels.
    p
        Inverse focal length.
    principal
        (2,) principal point in pixels, None: the image's centre.

    Returns
    -------
    np.ndarray
        (..., 2) pixel coordinates; NaN for points that are not in front of the camera.
    """
    require_shape("points", points, (-1, 3))
    xyz = np.asarray(points, dtype=np.float64)
    z = np.where(xyz[..., 2] > 0.0, xyz[..., 2], np.nan)
    centre = image_centre(size) if principal is None else principal
    return xyz[..., :2] / (z * p)[..., None] * max(size) + centre


def mirror_pixels(pixels: np.ndarray, width: int) -> np.ndarray:
    """Pixels of the left-right mirrored image: x -> W - 1 - x; (..., 2), dtype kept."""
    require_shape("pixels", pixels, (-1, 2))
    mirrored = np.array(pixels)
    mirrored[..., 0] = width - 1 - mirrored[..., 0]
    return mirrored


def mirror_points(points: np.ndarray) -> np.ndarray:
    """Points (..., 3) of the mirrored view: x -> -x in camera coordinates.

    They are those that the mirror image shows with the principal point mirrored as well.
    """
    require_shape("points", points, (-1, 3))
    return np.asarray(points, dtype=np.float64) * np.array([-1.0, 1.0, 1.0])


def mirror_keypoints(keypoints: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Keypoints (..., K, 3) of the mirrored view: x -> -x, and id i moves to mirror[i].

    Parameters
    ----------
    keypoints
        (..., K, 3) camera coordinates, NaN where unseen.
    mirror
        (K,) ids that the ids become when the image is mirrored; an involution.
    """
    table = check_mirror(mirror)
    require_shape("keypoints", keypoints, (-1, len(table), 3))
    return mirror_points(keypoints)[..., table, :]


def with_mirror_images(keypoints: np.ndarray, mirror: np.ndarray | None) -> np.ndarray:
    """Keypoints (N, S, K, 3) of N images, each followed by its mirror image.

    Parameters
    ----------
    keypoints
        (N, K, 3) camera coordinates, NaN where unseen.
    mirror
        (K,) mirror table; None where it is not known which ids swap: then there are no mirror
        images and S is 1, else S is 2.
    """
    require_shape("keypoints", keypoints, (None, None, 3))
    images = [np.asarray(keypoints, dtype=np.float64)]
    if mirror is not None:
        images.append(mirror_keypoints(keypoints, mirror))
    return np.stack(images, axis=1)


def mirror_or_identity(mirror: np.ndarray | None, count: int) -> np.ndarray:
    """The mirror table (K,) of `count` ids; each id stays where the table is not known (None)."""
    if mirror is None:
        return np.arange(count)
    table = check_mirror(mirror)
    require_shape("mirror", table, (count,))
    return table


def check_mirror(mirror: np.ndarray) -> np.ndarray:
    """The mirror table as int64 (K,).

    Raises
    ------
    ValueError
        If it is not an involution of 0 .. K - 1.
    """
    require_shape("mirror", mirror, (None,))
    table = np.asarray(mirror, dtype=np.int64)
    ids = np.arange(len(table))
    if np.any((table < 0) | (table >= len(table))) or np.any(table[table] != ids):
        raise ValueError(f"mirror: expected pairs and single ids below {len(table)}, found {table}")
    return table
