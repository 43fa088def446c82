"""Bundle refinement of shape, poses, focal lengths and depth offsets (METHOD.md section 7)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from semalign3d.errors import InputError
from semalign3d.geometry.arguments import require_shape
from semalign3d.geometry.frames import Similarity, canonical_frame, similarity_procrustes
from semalign3d.limits import MIN_KEYPOINTS
from semalign3d.shape.bundle.handedness import better_hand, mirrored_shape
from semalign3d.shape.bundle.model import (
    LEVEL,
    LOG_C,
    LOG_G,
    LOG_K,
    SHIFT,
    TURN,
)
from semalign3d.shape.bundle.objective import BundleObjective
from semalign3d.shape.bundle.rejection import implausible
from semalign3d.shape.bundle.reposing import repose
from semalign3d.shape.bundle.settings import BundleSettings
from semalign3d.shape.bundle.uncertainty import Spread, covariance, shape_basis, spread
from semalign3d.shape.cameras.estimation import Cameras
from semalign3d.shape.sparse.prior import KeypointShape

_DISAGREEMENT = 0.2
"""Median reprojection error, relative to the object's size, above which a shape is refused. Objects
whose proportions differ by 30 % have 0.03; annotations at random, 0.35."""


@dataclass(frozen=True)
class Poses:
    """How the prior lies before the cameras of N images.

    A point X of the prior's frame has camera coordinates scale * rotation X + translation.

    Attributes
    ----------
    posed : (N,) bool: images with enough used keypoints for a pose; NaN below for the others.
    rotation : (N, 3, 3) proper.
    translation : (N, 3)
    scale : (N,) positive.
    """

    posed: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    scale: np.ndarray


@dataclass(frozen=True)
class Bundle(KeypointShape):
    """The refined shape in the canonical frame, and N images placed round it.

    Camera coordinates are those that `back_project` gives with `p` and `calibrated_depth` with
    `depth_offset`.

    Attributes
    ----------
    covariance : (K, 3, 3) of each keypoint's place, see `uncertainty.covariance`.
    p : (N,) inverse focal lengths, f in units of the longest side; the median for images without
        a pose.
    depth_offset : (N,) c of `calibrated_depth`; likewise.
    posed, rotation, translation, scale : see `Poses`.
    reprojection : (N, K, 2) keypoints of the shape less the annotated ones in the image, relative
        to the object's size there; NaN where not seen.
    depth_residual : (N, K) likewise of the depth, relative to the object's size.
    """

    covariance: np.ndarray
    p: np.ndarray
    depth_offset: np.ndarray
    posed: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    scale: np.ndarray
    reprojection: np.ndarray
    depth_residual: np.ndarray

    @property
    def uncertainty(self) -> np.ndarray:
        """(K, 3) standard deviations along x, y and z."""
        return np.sqrt(np.einsum("kii->ki", self.covariance))

    @property
    def poses(self) -> Poses:
        """The poses alone."""
        return Poses(self.posed, self.rotation, self.translation, self.scale)


def refine(
    cameras: Cameras,
    start: KeypointShape,
    mirror: np.ndarray | None,
    settings: BundleSettings | None = None,
    device: str | None = None,
) -> Bundle:
    """Shape, poses, focal lengths and depth offsets that agree best with all images at once.

    Focal lengths that came with the depth, and depth without offset, stay as they are.

    Minimises the robust reprojection error of the annotated keypoints, plus a robust error of
    relative inverse depth at the keypoints corrected to the mask, plus weak priors on focal
    lengths and depth offsets, whose centres and spreads are then learnt from all images
    (`image_priors`) before all is refined again, without the annotations that are too far off to
    be right (`rejection`). The shape is symmetric under the mirror table; this is the same as
    letting every mirror image take part, with the numbers of its image. L-BFGS in float64. The
    shape's mirror image is tried (`handedness`), and images that fit poorly in other poses
    (`reposing`); all is refined again if one is better.

    Parameters
    ----------
    cameras
        Of N images, as first estimated; 1 / slope of their depth is the expected depth offset.
    start
        The sparse prior; keypoints that it does not use stay unused, and those whose place turns
        out to be open (`BundleSettings.max_uncertainty`) are left out with the reason.
    mirror
        (K,) mirror table; None, or one without pairs, lays no symmetry on the shape.
    settings
        See `BundleSettings`.
    device
        Where the objective is computed, see `arrays.compute_device`.

    Raises
    ------
    InputError
        If no image shows 4 used keypoints, the images determine fewer than 4, agree on no shape,
        or depth and annotations show opposite hands.
    """
    require_shape("start.xyz", start.xyz, (None, 3))
    require_shape("cameras.keypoints_xyz", cameras.keypoints_xyz, (None, len(start.xyz), 3))
    objective = BundleObjective(cameras, start, mirror, settings or BundleSettings(), device)
    free, numbers = objective.solve()
    mirrored = better_hand(objective, free, numbers)
    if mirrored is not None:
        objective, start = mirrored, mirrored_shape(start)
        free, numbers = objective.solve()
    restarted = repose(objective, free, numbers)
    if restarted is not None:
        objective = restarted
        free, numbers = objective.solve()
    # Once: in further rounds the shape of a flat category and the centre of its depth offsets drift
    # together along what they leave open (the demo's bottles: 0.9 to 1.2 % of error).
    left_out = implausible(objective, free, numbers)
    objective = objective.informed(free, numbers).without(left_out)
    free, numbers = objective.solve()
    _require_agreement(objective, free, numbers)
    return _result(objective, cameras, start, mirror, free, numbers)


def _require_agreement(objective: BundleObjective, free: np.ndarray, numbers: np.ndarray) -> None:
    """Refuse a shape that most annotations are far from: it says nothing."""
    sigma = objective.settings.reprojection_sigma
    typical = sigma * float(np.nanmedian(objective.distances(free, numbers)))
    if not typical <= _DISAGREEMENT:
        raise InputError(
            "the photos agree on no shape: half of their annotations are further than "
            f"{100 * typical:.0f} % of the object's size from the best one",
            hint="Look at the annotations and the depth maps. With bundle.enabled: false the depth "
            "alone decides.",
        )


def refined_cameras(cameras: Cameras, bundle: Bundle) -> Cameras:
    """The cameras with refined focal lengths, depth offsets and keypoints in 3D."""
    offset = bundle.depth_offset[:, None]
    z = (1.0 + offset) / (cameras.relative_depth + offset)
    # The same rays as before, whose p and z are divided out.
    rays = cameras.keypoints_xyz[..., :2] / (cameras.keypoints_xyz[..., 2:] * _each(cameras.p))
    xyz = np.concatenate([rays * z[..., None] * _each(bundle.p), z[..., None]], axis=2)
    return dataclasses.replace(
        cameras, p=bundle.p, keypoints_xyz=xyz, depth_offset=bundle.depth_offset
    )


def _each(values: np.ndarray) -> np.ndarray:
    """Values (N,) of images, to multiply (N, K, d) with."""
    return values[:, None, None]


def _result(
    objective: BundleObjective,
    cameras: Cameras,
    start: KeypointShape,
    mirror: np.ndarray | None,
    free: np.ndarray,
    numbers: np.ndarray,
) -> Bundle:
    """The refined numbers in the canonical frame and in the cameras' coordinates."""
    settings = objective.settings
    xyz = np.where(start.used[:, None], objective.shape.expand(free), np.nan)
    basis = shape_basis(objective.shape, start.used)
    left_open = spread(objective.curvature(free, numbers, basis), basis, xyz, start.used)
    used, reasons, unsure = _determined(start, xyz, left_open, settings.max_uncertainty)
    xyz = np.where(used[:, None], xyz, np.nan)
    seen = objective.shown & used
    frame = _upright_as(start, xyz, used, mirror)
    g, k, c = np.exp(numbers[:, [LOG_G, LOG_K, LOG_C]]).T
    c = np.where(cameras.depth_offset[objective.posed] == 0.0, 0.0, c)
    values = objective.model.residuals(objective.shape.expand(free), numbers).values
    known = np.isfinite(cameras.p_given)
    usual_c = float(np.median(c[c > 0.0])) if (c > 0.0).any() else 0.0
    rotation = Rotation.from_rotvec(numbers[:, TURN]).as_matrix() @ objective.model.start
    scale = (1.0 + c) * k / (numbers[:, LEVEL] + c)
    centre = scale[:, None] * np.column_stack([g[:, None] * numbers[:, SHIFT], 1.0 / k])
    # A point of the canonical frame lies at back.apply(X) in the frame of the optimisation.
    back = frame.inverse()

    def every(values: np.ndarray, other: float = np.nan) -> np.ndarray:
        full = np.full((len(objective.posed), *values.shape[1:]), other)
        full[objective.posed] = values
        return full

    return Bundle(
        xyz=frame.apply(xyz),
        used=used,
        reasons=reasons,
        covariance=frame.scale**2 * (frame.rotation @ unsure @ frame.rotation.T),
        p=np.where(known, cameras.p_given, every(g * k, float(np.median(g * k)))),
        depth_offset=np.where(cameras.depth_offset == 0.0, 0.0, every(c, usual_c)),
        posed=objective.posed,
        rotation=every(rotation @ back.rotation),
        translation=every(centre + scale[:, None] * (rotation @ back.translation)),
        scale=every(scale * back.scale),
        reprojection=every(
            np.where(seen[..., None], values[..., :2] * settings.reprojection_sigma, np.nan)
        ),
        depth_residual=every(np.where(seen, -values[..., 2] * settings.depth_sigma, np.nan)),
    )


def _determined(
    start: KeypointShape, xyz: np.ndarray, left_open: Spread, most: float
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
    """Keypoints (K,) bool whose place the images determine, why not, and covariance (K, 3, 3).

    The keypoint that is most open is left out first: the others are then aligned without it.
    """
    used, reasons = start.used.copy(), list(start.reasons)
    size = np.linalg.norm(np.ptp(xyz[used], axis=0))
    while True:
        unsure = covariance(left_open, xyz, used)
        deviation = np.sqrt(np.trace(unsure, axis1=1, axis2=2)) / size
        worst = int(np.nanargmax(deviation))
        if deviation[worst] <= most:
            return used, tuple(reasons), unsure
        used[worst] = False
        reasons[worst] = (
            "the images leave its place open: its standard deviation is "
            f"{100 * deviation[worst]:.0f} % of the object's size"
        )
        if used.sum() < MIN_KEYPOINTS:
            raise InputError(
                [f"keypoint {number}: {text}" for number, text in enumerate(reasons) if text],
                hint=f"Bundle refinement can place fewer than {MIN_KEYPOINTS} keypoints: give more "
                "images from more sides, or set bundle.enabled to false.",
            )


def _upright_as(
    start: KeypointShape, xyz: np.ndarray, used: np.ndarray, mirror: np.ndarray | None
) -> Similarity:
    """Into the canonical frame, turned by quarter turns to lie as the start does."""
    frame = canonical_frame(xyz, used, mirror)
    lies = similarity_procrustes(frame.apply(xyz)[used], start.xyz[used]).rotation
    turns = Rotation.create_group("O").as_matrix().round()
    turn = turns[np.argmax(np.einsum("gij,ij->g", turns, lies))]
    return Similarity(frame.scale, turn @ frame.rotation, turn @ frame.translation)
