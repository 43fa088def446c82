"""Cameras of a category's training images, and their keypoints in 3D (METHOD.md 3 to 5)."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from semalign3d.errors import InputError
from semalign3d.geometry.cameras import (
    back_project,
    calibrated_depth,
    depth_from_inverse,
    with_mirror_images,
)
from semalign3d.geometry.keypoints import correct_keypoints
from semalign3d.geometry.shapes import require_shape
from semalign3d.prior.focal import estimate_focal

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnnotatedView:
    """What an image brings to the estimation of its camera.

    Attributes
    ----------
    stem : name of the image.
    size : (W, H) pixels.
    keypoints : (K, 2) pixels, NaN where not seen.
    mask : (H, W) bool, the whole object.
    inverse_depth : (H, W) relative inverse depth, larger is nearer.
    """

    stem: str
    size: tuple[int, int]
    keypoints: np.ndarray
    mask: np.ndarray
    inverse_depth: np.ndarray


@dataclass(frozen=True)
class Cameras:
    """Cameras and keypoints of N images, of which mirror images follow by `mirror_keypoints`.

    Attributes
    ----------
    stems : N names.
    sizes : (N, 2) int64, (W, H) pixels.
    p : (N,) inverse focal lengths, f in units of the longest side.
    annotated_px : (N, K, 2) pixels, as annotated; NaN where not seen.
    keypoints_px : (N, K, 2) pixels, corrected to the mask; NaN where not seen.
    relative_depth : (N, K) d / max(d) at the corrected keypoints, in [0, 1]; NaN where not seen.
    keypoints_xyz : (N, K, 3) camera coordinates of the annotated pixels, with the depth of the
        corrected ones; NaN where not seen.
    depth_slope : of z = 1 - slope * d / max(d), where there is no depth offset.
    depth_offset : (N,) c of `calibrated_depth`; NaN before bundle refinement.
    excluded, reasons : stems of the images that could not be used, and why.
    """

    stems: tuple[str, ...]
    sizes: np.ndarray
    p: np.ndarray
    annotated_px: np.ndarray
    keypoints_px: np.ndarray
    relative_depth: np.ndarray
    keypoints_xyz: np.ndarray
    depth_slope: float
    depth_offset: np.ndarray
    excluded: tuple[str, ...]
    reasons: tuple[str, ...]

    def depth(self, number: int, inverse_depth: np.ndarray) -> np.ndarray:
        """z (H, W) of an image's relative inverse depth (H, W), as its keypoints' z was made."""
        offset = float(self.depth_offset[number])
        if np.isnan(offset):
            return depth_from_inverse(inverse_depth, self.depth_slope)
        return calibrated_depth(inverse_depth, offset)


def keypoint_rays(
    view: AnnotatedView, *, slope: float, erosion_size: int, erosion_iterations: int
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints moved onto the mask, and the annotated ones back-projected with p = 1.

    The nearest mask pixel gives the depth only: the annotation says best where a keypoint lies in
    the image, above all where the mask is poor.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        Pixels on the mask (K, 2); the annotated keypoints in camera coordinates (K, 3).

    Raises
    ------
    ValueError : an empty mask, or shapes that differ.
    """
    width, height = view.size
    require_shape("mask", view.mask, (height, width))
    require_shape("inverse_depth", view.inverse_depth, (height, width))
    pixels = correct_keypoints(
        view.keypoints, view.mask, size=erosion_size, iterations=erosion_iterations
    )
    depth = depth_from_inverse(view.inverse_depth, slope)
    seen = np.isfinite(pixels).all(axis=1)
    x, y = pixels[seen].astype(np.int64).T
    at_keypoints = np.full(len(pixels), np.nan)
    at_keypoints[seen] = depth[y, x]
    return pixels, back_project(view.keypoints, at_keypoints, view.size, 1.0)


def estimate_cameras(
    views: Iterable[AnnotatedView],
    mirror: np.ndarray | None,
    *,
    slope: float = 0.3,
    initial: float = 0.2,
    erosion_size: int = 2,
    erosion_iterations: int = 2,
) -> Cameras:
    """Focal lengths of all views at once, and the views' keypoints in 3D.

    A view whose mask is empty or that has no keypoint is left out, with the reason.

    Parameters
    ----------
    views : the images, read one at a time: masks and depth maps are not kept.
    mirror : (K,) mirror table, or None: no mirror images.
    slope : of METHOD.md section 3, in (0, 1).
    initial : start of the search for p.
    erosion_size, erosion_iterations : of the mask, before keypoints are moved onto it.

    Raises
    ------
    InputError : no image can be used; lists why.
    """
    stems, sizes, annotated, pixels, rays = [], [], [], [], []
    excluded: dict[str, str] = {}
    for view in views:
        reason = _unusable(view)
        if reason:
            excluded[view.stem] = reason
            logger.warning("%s is left out: %s", view.stem, reason)
            continue
        moved, at_unit = keypoint_rays(
            view, slope=slope, erosion_size=erosion_size, erosion_iterations=erosion_iterations
        )
        stems.append(view.stem)
        sizes.append(view.size)
        annotated.append(np.asarray(view.keypoints, dtype=np.float64))
        pixels.append(moved)
        rays.append(at_unit)
    if not stems:
        problems = [f"{stem}: {reason}" for stem, reason in excluded.items()]
        raise InputError(problems or "no images", hint="No image is left for a prior.")
    p = estimate_focal(np.stack(rays), mirror, initial=initial)
    xyz = np.stack(rays)
    xyz[..., :2] *= p[:, None, None]
    return Cameras(
        tuple(stems),
        np.array(sizes, dtype=np.int64),
        p,
        np.stack(annotated),
        np.stack(pixels),
        (1.0 - xyz[..., 2]) / slope,
        xyz,
        slope,
        np.full(len(p), np.nan),
        tuple(excluded),
        tuple(excluded.values()),
    )


def _unusable(view: AnnotatedView) -> str:
    """Why a view cannot be used, or an empty text."""
    if not view.mask.any():
        return "its mask is empty"
    if not np.isfinite(view.keypoints).all(axis=1).any():
        return "no keypoint is seen"
    return ""


def training_views(cameras: Cameras, mirror: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints of all images in camera coordinates, each image followed by its mirror image.

    Parameters
    ----------
    cameras : of N images.
    mirror : (K,) mirror table, or None: no mirror images.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        Keypoints (M, K, 3), NaN where not seen, and the images' numbers (M,); M is 2 N, or N
        without mirror images.
    """
    views = with_mirror_images(cameras.keypoints_xyz, mirror)
    images = np.repeat(np.arange(len(cameras.stems)), views.shape[1])
    return views.reshape(-1, *views.shape[2:]), images
