"""Cameras of a category's training images, and their keypoints in 3D (METHOD.md 3 to 5)."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from semalign3d.errors import InputError
from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.cameras import (
    back_project,
    calibrated_depth,
    depth_from_inverse,
    image_centre,
    with_mirror_images,
)
from semalign3d.geometry.intrinsics import intrinsics_problem, pinhole
from semalign3d.geometry.keypoints import correct_keypoints
from semalign3d.shape.cameras.focal import estimate_focal

logger = logging.getLogger(__name__)

_NOT_KEPT = np.zeros((0, 0))
"""In place of masks and depth maps: those of all images together would not fit into memory."""


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
    depth_offset : c of `calibrated_depth` where it is known, 0 of the inverse of depth; NaN where
        not.
    intrinsics : (4,) fx, fy, cx, cy in pixels where they are known, None where not.
    """

    stem: str
    size: tuple[int, int]
    keypoints: np.ndarray
    mask: np.ndarray
    inverse_depth: np.ndarray
    depth_offset: float = np.nan
    intrinsics: np.ndarray | None = None

    def depth(self, slope: float) -> np.ndarray:
        """z (H, W) by the known depth offset, or by the slope that all others share."""
        return _depth(self.inverse_depth, slope, self.depth_offset)

    @property
    def given_p(self) -> float:
        """The inverse focal length of the intrinsics, NaN without."""
        return np.nan if self.intrinsics is None else pinhole(self.intrinsics, self.size).p

    @property
    def principal(self) -> np.ndarray:
        """(2,) principal point, pixels: the image's centre without intrinsics."""
        if self.intrinsics is None:
            return image_centre(self.size)
        return pinhole(self.intrinsics, self.size).principal


@dataclass(frozen=True)
class Cameras:
    """Cameras and keypoints of N images, of which mirror images follow by `mirror_keypoints`.

    Attributes
    ----------
    stems : N names.
    sizes : (N, 2) int64, (W, H) pixels.
    p : (N,) inverse focal lengths, f in units of the longest side.
    p_given : (N,) those that came with the depth, NaN elsewhere. Where the depth offset is not
        known before bundle refinement, p is another: the one that fits the slope's depth.
    principal_px : (N, 2) principal points, pixels.
    annotated_px : (N, K, 2) pixels, as annotated; NaN where not seen.
    keypoints_px : (N, K, 2) pixels, corrected to the mask; NaN where not seen.
    relative_depth : (N, K) d / max(d) at the corrected keypoints, in [0, 1]; NaN where not seen.
    keypoints_xyz : (N, K, 3) camera coordinates of the annotated pixels, with the depth of the
        corrected ones; NaN where not seen.
    depth_slope : of z = 1 - slope * d / max(d), where there is no depth offset.
    depth_offset : (N,) c of `calibrated_depth`; 0 where depth came without offset, for the others
        NaN before bundle refinement.
    excluded, reasons : stems of the images that could not be used, and why.
    """

    stems: tuple[str, ...]
    sizes: np.ndarray
    p: np.ndarray
    p_given: np.ndarray
    principal_px: np.ndarray
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
        return _depth(inverse_depth, self.depth_slope, float(self.depth_offset[number]))


def _depth(inverse_depth: np.ndarray, slope: float, offset: float) -> np.ndarray:
    """z of relative inverse depth: by the offset, or by the slope where that is NaN."""
    if np.isnan(offset):
        return depth_from_inverse(inverse_depth, slope)
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
    ValueError : an empty mask.
    """
    pixels = correct_keypoints(
        view.keypoints, view.mask, size=erosion_size, iterations=erosion_iterations
    )
    depth = view.depth(slope)
    seen = np.isfinite(pixels).all(axis=1)
    x, y = pixels[seen].astype(np.int64).T
    at_keypoints = np.full(len(pixels), np.nan)
    at_keypoints[seen] = depth[y, x]
    return pixels, back_project(view.keypoints, at_keypoints, view.size, 1.0, view.principal)


def estimate_cameras(
    views: Iterable[AnnotatedView],
    mirror: np.ndarray | None,
    *,
    slope: float = 0.3,
    initial: float = 0.2,
    erosion_size: int = 2,
    erosion_iterations: int = 2,
    rng: np.random.Generator | None = None,
) -> Cameras:
    """Focal lengths of all views at once, and the views' keypoints in 3D.

    A view's intrinsics are taken as they are if its depth offset is known, too. Without, depth by
    the common slope is flattened, and only a flattened focal length fits to it: the intrinsics then
    wait for bundle refinement.

    A view whose mask is empty, that has no keypoint, or whose intrinsics or depth on the object
    make no sense is left out, with the reason.

    Parameters
    ----------
    views : the images, read one at a time: masks and depth maps are not kept.
    mirror : (K,) mirror table, or None: no mirror images.
    slope : of METHOD.md section 3, in (0, 1).
    initial : start of the search for p.
    erosion_size, erosion_iterations : of the mask, before keypoints are moved onto it.
    rng : of `estimate_focal`.

    Raises
    ------
    InputError : no image can be used; lists why.
    ValueError : a mask or depth map of another size than its image.
    """
    used: list[AnnotatedView] = []
    pixels, rays = [], []
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
        used.append(replace(view, mask=_NOT_KEPT, inverse_depth=_NOT_KEPT))
        pixels.append(moved)
        rays.append(at_unit)
    if not used:
        problems = [f"{stem}: {reason}" for stem, reason in excluded.items()]
        raise InputError(problems or "no images", hint="No image is left for a prior.")
    given = np.array([view.given_p for view in used])
    offset = np.array([view.depth_offset for view in used], dtype=np.float64)
    fixed = np.where(np.isnan(offset), np.nan, given)
    p = estimate_focal(np.stack(rays), mirror, given=fixed, initial=initial, rng=rng)
    xyz = np.stack(rays)
    xyz[..., :2] *= p[:, None, None]
    return Cameras(
        stems=tuple(view.stem for view in used),
        sizes=np.array([view.size for view in used], dtype=np.int64),
        p=p,
        p_given=given,
        principal_px=np.stack([view.principal for view in used]),
        annotated_px=np.stack([np.asarray(v.keypoints, dtype=np.float64) for v in used]),
        keypoints_px=np.stack(pixels),
        relative_depth=_relative_depth(xyz[..., 2], slope, offset[:, None]),
        keypoints_xyz=xyz,
        depth_slope=slope,
        depth_offset=offset,
        excluded=tuple(excluded),
        reasons=tuple(excluded.values()),
    )


def _relative_depth(z: np.ndarray, slope: float, offset: np.ndarray) -> np.ndarray:
    """d / max(d) of depth, the inverse of `_depth`."""
    return np.where(np.isnan(offset), (1.0 - z) / slope, (1.0 + offset) / z - offset)


def _unusable(view: AnnotatedView) -> str:
    """Why a view cannot be used, or an empty text."""
    require_shape("mask", view.mask, view.size[::-1])
    require_shape("inverse_depth", view.inverse_depth, view.size[::-1])
    if not view.mask.any():
        return "its mask is empty"
    if not np.isfinite(view.keypoints).all(axis=1).any():
        return "no keypoint is seen"
    if view.intrinsics is not None:
        problem = intrinsics_problem(np.asarray(view.intrinsics, dtype=np.float64), view.size)
        if problem:
            return f"its intrinsics make no sense: {problem}"
    if view.depth_offset == 0.0 and not (view.inverse_depth[view.mask] > 0.0).all():
        return "its inverse depth is 0 or below somewhere on the object"
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
