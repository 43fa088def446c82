"""Bundle refinement of shape, poses, focal lengths and depth offsets (METHOD.md section 7)."""

import logging
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from semalign3d.errors import InputError
from semalign3d.geometry.frames import Similarity, canonical_frame, similarity_procrustes
from semalign3d.geometry.shapes import require_shape
from semalign3d.prior.bundle_model import (
    LEVEL,
    LOG_C,
    LOG_G,
    LOG_K,
    PARAMETERS,
    SHIFT,
    TURN,
    ImageModel,
    SymmetricShape,
)
from semalign3d.prior.cameras import MIN_KEYPOINTS, Cameras
from semalign3d.prior.sparse import SparseShape

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BundleSettings:
    """Standard deviations of measurements and priors.

    Attributes
    ----------
    reprojection_sigma : of a keypoint's place in the image, relative to the object's size there.
    depth_sigma : of a keypoint's depth, relative to the object's size.
    degrees : of freedom of the Student t distribution of both, small ones for many outliers.
    offset_spread : of the logarithm of the depth offset.
    focal, focal_spread : expected focal length in units of the longest side, and the standard
        deviation of its logarithm.
    max_iterations : of L-BFGS.
    """

    reprojection_sigma: float = 0.03
    depth_sigma: float = 0.1
    degrees: float = 4.0
    offset_spread: float = 1.0
    focal: float = 1.2
    focal_spread: float = 0.5
    max_iterations: int = 5000


@dataclass(frozen=True)
class Bundle:
    """The refined shape in the canonical frame, and N images placed round it.

    A point X of the prior's frame has camera coordinates scale * rotation X + translation, those
    that `back_project` gives with `p` and `calibrated_depth` with `depth_offset`.

    Attributes
    ----------
    xyz : (K, 3) float64, NaN for keypoints that are not used.
    used : (K,) bool
    reasons : K texts, why a keypoint is not used; empty for the used ones.
    posed : (N,) bool: images with enough used keypoints for a pose. The others have the median p
        and offset, and NaN poses.
    p : (N,) inverse focal lengths, f in units of the longest side.
    depth_offset : (N,) c of `calibrated_depth`.
    rotation : (N, 3, 3) proper.
    translation : (N, 3)
    scale : (N,) positive.
    reprojection : (N, K, 2) keypoints of the shape less the annotated ones in the image, relative
        to the object's size there; NaN where not seen.
    depth_residual : (N, K) likewise of the depth, relative to the object's size.
    """

    xyz: np.ndarray
    used: np.ndarray
    reasons: tuple[str, ...]
    posed: np.ndarray
    p: np.ndarray
    depth_offset: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    scale: np.ndarray
    reprojection: np.ndarray
    depth_residual: np.ndarray


def refine(
    cameras: Cameras,
    start: SparseShape,
    mirror: np.ndarray | None,
    *,
    slope: float = 0.3,
    settings: BundleSettings | None = None,
) -> Bundle:
    """Shape, poses, focal lengths and depth offsets that agree best with all images at once.

    Minimises the robust reprojection error of the annotated keypoints, plus a robust error of
    relative inverse depth at the keypoints corrected to the mask, plus weak priors on focal
    lengths and depth offsets. The shape is symmetric under the mirror table; this is the same as
    letting every mirror image take part, with the numbers of its image. L-BFGS in float64.

    Parameters
    ----------
    cameras
        Of N images, as first estimated.
    start
        The sparse prior; keypoints that it does not use stay unused.
    mirror
        (K,) mirror table; None, or one without pairs, lays no symmetry on the shape.
    slope
        That the cameras' depth was made with; 1 / slope is the expected depth offset.
    settings
        See `BundleSettings`.

    Raises
    ------
    InputError
        If no image shows 4 used keypoints.
    """
    require_shape("start.xyz", start.xyz, (None, 3))
    require_shape("cameras.keypoints_xyz", cameras.keypoints_xyz, (None, len(start.xyz), 3))
    problem = _Problem(cameras, start, mirror, slope, settings or BundleSettings())
    free, numbers = problem.solve()
    return _result(problem, start, mirror, free, numbers)


class _Problem:
    """The objective over free coordinates (K, 3) and the numbers (n, 9) of the posed images."""

    def __init__(
        self,
        cameras: Cameras,
        start: SparseShape,
        mirror: np.ndarray | None,
        slope: float,
        settings: BundleSettings,
    ) -> None:
        self.settings = settings
        every = np.isfinite(cameras.annotated_px).all(axis=2) & start.used
        every &= np.isfinite(cameras.relative_depth)
        self.posed = every.sum(axis=1) >= MIN_KEYPOINTS
        if not self.posed.any():
            raise InputError(
                f"no training image shows {MIN_KEYPOINTS} used keypoints",
                hint="Annotate more keypoints, or switch bundle.enabled off.",
            )
        self.seen = every[self.posed]
        self.shape = SymmetricShape.of(start.used, mirror)
        self.free = self.shape.nearest(np.where(start.used[:, None], start.xyz, np.nan))
        self.offset = 1.0 / slope
        sizes = cameras.sizes[self.posed][:, None].astype(np.float64)
        pixels = cameras.annotated_px[self.posed]
        rays = (pixels - sizes / 2.0) / sizes.max(axis=2, keepdims=True)
        depth = np.where(self.seen, cameras.relative_depth[self.posed], 0.0)
        rotation, self.numbers = self._start(cameras, depth)
        # The object's size in image and depth, as first estimated.
        g, k = np.exp(self.numbers[:, [LOG_G, LOG_K]]).T
        self.model = ImageModel(
            rays=np.where(self.seen[..., None], rays, 0.0),
            depth=depth,
            ray_sigma=settings.reprojection_sigma / g,
            depth_sigma=settings.depth_sigma * k * (self.numbers[:, LEVEL] + self.offset),
            start=rotation,
        )

    def _start(self, cameras: Cameras, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rotations (n, 3, 3) and numbers (n, 9) from the keypoints in 3D, image by image."""
        shape = self.shape.expand(self.free)
        rotations, rows = [], []
        images = np.flatnonzero(self.posed)
        for number, seen, level in zip(images, self.seen, depth, strict=True):
            found = similarity_procrustes(shape[seen], cameras.keypoints_xyz[number, seen])
            x, y, z = found.translation
            p = float(cameras.p[number])
            log_g, log_k = np.log(p * z / found.scale), np.log(found.scale / z)
            rotations.append(found.rotation)
            centre = (x / (z * p), y / (z * p))
            rows.append([0, 0, 0, *centre, log_g, log_k, level[seen].mean(), np.log(self.offset)])
        return np.array(rotations), np.array(rows, dtype=np.float64)

    def objective(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient at free coordinates and numbers in one."""
        split = self.free.size
        free, numbers = flat[:split].reshape(-1, 3), flat[split:].reshape(-1, PARAMETERS)
        found = self.model.residuals(self.shape.expand(free), numbers)
        loss, pull = self._robust(found.values)
        by_numbers = np.einsum("nkr,nkrp->np", pull, found.by_image)
        by_shape = np.einsum("nkr,nkri->ki", pull, found.by_point)
        prior, by_prior = self._prior(numbers)
        gradient = [self.shape.reduce(by_shape).ravel(), (by_numbers + by_prior).ravel()]
        return loss + prior, np.concatenate(gradient)

    def _robust(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """-log of Student t densities of residuals (n, K, 3), and its derivatives (n, K, 3)."""
        degrees = self.settings.degrees
        squares = np.stack([np.square(values[..., :2]).sum(axis=2), values[..., 2] ** 2], axis=2)
        # A residual of d dimensions has (degrees + d) / 2 log(1 + square / degrees).
        power = degrees + np.array([2.0, 1.0])
        loss = np.where(self.seen[..., None], power * np.log1p(squares / degrees), 0.0)
        weight = np.where(self.seen[..., None], power / (degrees + squares), 0.0)
        return 0.5 * float(loss.sum()), values * weight[..., [0, 0, 1]]

    def _prior(self, numbers: np.ndarray) -> tuple[float, np.ndarray]:
        """Priors of depth offsets and focal lengths, and their derivatives (n, 9)."""
        gradient = np.zeros_like(numbers)
        offset = (numbers[:, LOG_C] - np.log(self.offset)) / self.settings.offset_spread
        log_p = numbers[:, LOG_G] + numbers[:, LOG_K]
        focal = (log_p + np.log(self.settings.focal)) / self.settings.focal_spread
        gradient[:, LOG_C] = offset / self.settings.offset_spread
        gradient[:, [LOG_G, LOG_K]] = (focal / self.settings.focal_spread)[:, None]
        return 0.5 * float(offset @ offset + focal @ focal), gradient

    def solve(self) -> tuple[np.ndarray, np.ndarray]:
        """Free coordinates (K, 3) and numbers (n, 9) at the minimum."""
        result = minimize(
            self.objective,
            np.concatenate([self.free.ravel(), self.numbers.ravel()]),
            jac=True,
            method="L-BFGS-B",
            options={
                "maxiter": self.settings.max_iterations,
                "maxfun": 2 * self.settings.max_iterations,
                "maxcor": 30,
                "ftol": 1e-12,
                "gtol": 1e-7,
            },
        )
        logger.info("objective %.3f after %d steps: %s", result.fun, result.nit, result.message)
        split = self.free.size
        return result.x[:split].reshape(-1, 3), result.x[split:].reshape(-1, PARAMETERS)


def _result(
    problem: _Problem,
    start: SparseShape,
    mirror: np.ndarray | None,
    free: np.ndarray,
    numbers: np.ndarray,
) -> Bundle:
    """The refined numbers in the canonical frame and in the cameras' coordinates."""
    xyz = np.where(start.used[:, None], problem.shape.expand(free), np.nan)
    frame = _upright_as(start, xyz, start.used, mirror)
    seen, posed, settings = problem.seen, problem.posed, problem.settings
    g, k, c = np.exp(numbers[:, [LOG_G, LOG_K, LOG_C]]).T
    values = problem.model.residuals(problem.shape.expand(free), numbers).values
    rotation = Rotation.from_rotvec(numbers[:, TURN]).as_matrix() @ problem.model.start
    scale = (1.0 + c) * k / (numbers[:, LEVEL] + c)
    centre = scale[:, None] * np.column_stack([g[:, None] * numbers[:, SHIFT], 1.0 / k])
    # x = back.scale * back.rotation X + back.translation for X in the canonical frame.
    back = frame.inverse()

    def every(values: np.ndarray, other: float = np.nan) -> np.ndarray:
        full = np.full((len(posed), *values.shape[1:]), other)
        full[posed] = values
        return full

    return Bundle(
        xyz=frame.apply(xyz),
        used=start.used,
        reasons=start.reasons,
        posed=posed,
        p=every(g * k, float(np.median(g * k))),
        depth_offset=every(c, float(np.median(c))),
        rotation=every(rotation @ back.rotation),
        translation=every(centre + scale[:, None] * (rotation @ back.translation)),
        scale=every(scale * back.scale),
        reprojection=every(
            np.where(seen[..., None], values[..., :2] * settings.reprojection_sigma, np.nan)
        ),
        depth_residual=every(np.where(seen, -values[..., 2] * settings.depth_sigma, np.nan)),
    )


def _upright_as(
    start: SparseShape, xyz: np.ndarray, used: np.ndarray, mirror: np.ndarray | None
) -> Similarity:
    """Into the canonical frame, turned by quarter turns to lie as the start does."""
    frame = canonical_frame(xyz, used, mirror)
    lies = similarity_procrustes(frame.apply(xyz)[used], start.xyz[used]).rotation
    turns = Rotation.create_group("O").as_matrix().round()
    turn = turns[np.argmax(np.einsum("gij,ij->g", turns, lies))]
    return Similarity(frame.scale, turn @ frame.rotation, turn @ frame.translation)
