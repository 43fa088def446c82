"""Given intrinsics fx, fy, cx, cy as a pinhole camera of one focal length (METHOD.md section 4)."""

from dataclasses import dataclass

import numpy as np

from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.cameras import Size

MOST_UNEQUAL = 1.25
"""Factor between the two focal lengths up to which their geometric mean is taken for both."""
FOCAL_RANGE = (0.1, 100.0)
"""Focal lengths in units of the longest side that a photo can have: from 157 to 0.6 degrees."""


@dataclass(frozen=True)
class Pinhole:
    """A camera of square pixels.

    Attributes
    ----------
    p : inverse focal length, f in units of the longest side.
    principal : (2,) principal point, pixels.
    """

    p: float
    principal: np.ndarray


def intrinsics_problem(intrinsics: np.ndarray, size: Size) -> str | None:
    """What makes intrinsics (4,) unusable for an image of a size (W, H); None if nothing."""
    if not np.isfinite(intrinsics).all():
        return f"expected finite fx, fy, cx, cy, found {_shown(intrinsics)}"
    focal, principal = intrinsics[:2], intrinsics[2:]
    low, high = (limit * max(size) for limit in FOCAL_RANGE)
    if focal.min() < low or focal.max() > high:
        return (
            f"expected focal lengths of {low:g} to {high:g} pixels, found {_shown(focal)} "
            f"(the longest side has {max(size)} pixels)"
        )
    if focal.max() > MOST_UNEQUAL * focal.min():
        return f"expected square pixels, so nearly equal focal lengths, found {_shown(focal)}"
    if (principal < 0.0).any() or (principal > np.array(size)).any():
        return (
            f"expected a principal point inside the image of {size[0]} x {size[1]} pixels, "
            f"found {_shown(principal)}"
        )
    return None


def pinhole(intrinsics: np.ndarray, size: Size) -> Pinhole:
    """The camera that intrinsics give; unequal focal lengths become their geometric mean.

    Parameters
    ----------
    intrinsics : (4,) fx, fy, cx, cy in pixels of the image.
    size : (W, H) pixels.

    Raises
    ------
    ValueError : another shape, or `intrinsics_problem`.
    """
    require_shape("intrinsics", intrinsics, (4,))
    values = np.asarray(intrinsics, dtype=np.float64)
    problem = intrinsics_problem(values, size)
    if problem:
        raise ValueError(f"intrinsics: {problem}")
    return Pinhole(max(size) / float(np.sqrt(values[0] * values[1])), values[2:])


def _shown(values: np.ndarray) -> str:
    return ", ".join(f"{value:g}" for value in values)
