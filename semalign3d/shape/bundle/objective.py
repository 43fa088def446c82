"""What bundle refinement minimises, and the curvature of it (METHOD.md section 7)."""

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from semalign3d.arrays import Array, beside, namespace, to_device, to_numpy
from semalign3d.errors import InputError
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.limits import MIN_KEYPOINTS
from semalign3d.shape.bundle.image_priors import ImagePriors
from semalign3d.shape.bundle.model import (
    LEVEL,
    LOG_G,
    LOG_K,
    NO_OFFSET,
    PARAMETERS,
    GivenNumbers,
    ImageModel,
    SymmetricShape,
)
from semalign3d.shape.bundle.settings import BundleSettings
from semalign3d.shape.cameras.estimation import Cameras
from semalign3d.shape.sparse.prior import KeypointShape

logger = logging.getLogger(__name__)

_DIMENSIONS = np.array([2.0, 1.0])
"""Of a residual in the image, and of one in depth."""
_TOLERANCE = 1e-12
"""Relative change of the objective at which a minimum counts as found."""


@dataclass(frozen=True)
class Curvature:
    """Of the objective with respect to the shape, all numbers of the images adapting to it.

    Attributes
    ----------
    second : (n, F, F) each image's share of the second derivatives.
    slope : (n, F) each image's share of the gradient; they add up to 0 at the minimum.
    dispersion : mean square of the weighted residuals, for the numbers that are free.
    """

    second: np.ndarray
    slope: np.ndarray
    dispersion: float


@dataclass(frozen=True)
class Losses:
    """What an objective adds up, -log of densities without their constants.

    Attributes
    ----------
    image, depth : of the annotations and of the depth at them.
    priors : of the images' numbers.
    """

    image: float
    depth: float
    priors: float

    @property
    def total(self) -> float:
        """The objective."""
        return self.image + self.depth + self.priors

    def __str__(self) -> str:
        return f"{self.image:.1f} + {self.depth:.1f} + {self.priors:.1f}"


class BundleObjective:
    """The objective over free coordinates (K, 3) and the numbers (n, 9) of the posed images.

    What grows with images times keypoints is computed on the device; attributes, arguments and
    results are NumPy arrays.

    Attributes
    ----------
    posed : (N,) bool, images that show enough used keypoints for a pose; n of them.
    shown : (n, K) bool, used keypoints that are annotated in them.
    seen : (n, K) bool, those of them that take part; at first all.
    shape : the shape's symmetry.
    free, numbers : the start.
    model : what is measured in the n images.
    priors : of the images' depth offsets and focal lengths.
    given : which of the numbers came with the depth.
    """

    def __init__(
        self,
        cameras: Cameras,
        start: KeypointShape,
        mirror: np.ndarray | None,
        settings: BundleSettings,
        device: str | None = None,
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
        self.shown = self.seen = every[self.posed]
        self.shape = SymmetricShape.of(start.used, mirror)
        self.free = self.shape.nearest(np.where(start.used[:, None], start.xyz, np.nan))
        usual_offset = 1.0 / cameras.depth_slope
        self._first_priors = ImagePriors(
            np.log([usual_offset, 1.0 / settings.focal_length]),
            np.array([settings.offset_spread, settings.focal_spread]),
        )
        self.priors = self._first_priors
        no_offset = cameras.depth_offset[self.posed] == 0.0
        offset = np.where(no_offset, 0.0, usual_offset)
        log_p = np.log(cameras.p_given[self.posed])
        self.given = GivenNumbers.of(log_p, np.where(no_offset, NO_OFFSET, np.nan))
        longest = cameras.sizes[self.posed].max(axis=1).astype(np.float64)
        pixels = cameras.annotated_px[self.posed] - cameras.principal_px[self.posed][:, None]
        rays = pixels / longest[:, None, None]
        depth = np.where(self.seen, cameras.relative_depth[self.posed], 0.0)
        rotation, first = self._start(cameras, depth)
        self.numbers = self.given.complete(first)
        # The object's size in image and depth, as first estimated.
        g, k = np.exp(first[:, [LOG_G, LOG_K]]).T
        self.model = ImageModel(
            rays=np.where(self.seen[..., None], rays, 0.0),
            depth=depth,
            ray_sigma=settings.reprojection_sigma / g,
            depth_sigma=settings.depth_sigma * k * (first[:, LEVEL] + offset),
            start=rotation,
        )
        self._device, self._dimensions = device, to_device(_DIMENSIONS, device)
        self._to_device()

    def _start(self, cameras: Cameras, depth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rotations (n, 3, 3) and numbers (n, 9) from the keypoints in 3D, image by image."""
        shape = self.shape.expand(self.free)
        rotations, rows = [], []
        images = np.flatnonzero(self.posed)
        log_c = self._first_priors.centre[0]
        for number, seen, level in zip(images, self.seen, depth, strict=True):
            found = similarity_procrustes(shape[seen], cameras.keypoints_xyz[number, seen])
            x, y, z = found.translation
            p = float(cameras.p[number])
            log_g, log_k = np.log(p * z / found.scale), np.log(found.scale / z)
            rotations.append(found.rotation)
            centre = (x / (z * p), y / (z * p))
            rows.append([0, 0, 0, *centre, log_g, log_k, level[seen].mean(), log_c])
        return np.array(rotations), np.array(rows, dtype=np.float64)

    def __call__(self, flat: np.ndarray) -> tuple[float, np.ndarray]:
        """Value and gradient at free coordinates and numbers in one."""
        free, numbers = self._split(flat)
        found = self._model.residuals(self.shape.expand(free), numbers)
        xp = namespace(found.values)
        _, weight = self._weights(found.values)
        loss = self._losses(found.values)
        pull = found.values * weight[..., [0, 0, 1]]
        by_numbers = to_numpy(xp.einsum("nkr,nkrp->np", pull, found.by_image))
        by_shape = to_numpy(xp.einsum("nkr,nkri->ki", pull, found.by_point))
        prior, by_prior = self.priors.losses(self._drawn(numbers))
        by_free = self.given.reduce(by_numbers + by_prior)
        gradient = [self.shape.reduce(by_shape).ravel(), by_free.ravel()]
        return float(loss.sum()) + float(prior.sum()), np.concatenate(gradient)

    def _split(self, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        size = self.free.size
        numbers = flat[size:].reshape(-1, PARAMETERS)
        return flat[:size].reshape(-1, 3), self.given.complete(numbers)

    def _weights(self, values: Array) -> tuple[Array, Array]:
        """Squares (n, K, 2) of residuals in the image and in depth, and their Student t weights."""
        xp, degrees = namespace(values), self.settings.degrees
        across = xp.sum(xp.square(values[..., :2]), axis=2)
        squares = xp.stack([across, values[..., 2] ** 2], axis=2)
        weight = (degrees + self._dimensions) / (degrees + squares)
        return squares, xp.where(self._seen[..., None], weight, 0.0)

    def _losses(self, values: Array) -> np.ndarray:
        """-log of the Student t densities of residuals (n, K, 3), of each image, in the image and
        in depth (n, 2)."""
        xp, degrees = namespace(values), self.settings.degrees
        squares, weight = self._weights(values)
        # Of d dimensions: (degrees + d) / 2 log(1 + square / degrees).
        loss = 0.5 * weight * (degrees + squares) * xp.log1p(squares / degrees)
        return to_numpy(xp.sum(loss, axis=1))

    def image_losses(self, free: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """Each image's share (n,) of the objective."""
        values = self._model.residuals(self.shape.expand(free), numbers).values
        return self._losses(values).sum(axis=1) + self.priors.losses(self._drawn(numbers))[0]

    def losses(self, free: np.ndarray, numbers: np.ndarray) -> Losses:
        """The objective's parts."""
        values = self._model.residuals(self.shape.expand(free), numbers).values
        image, depth = self._losses(values).sum(axis=0)
        prior = self.priors.losses(self._drawn(numbers))[0].sum()
        return Losses(float(image), float(depth), float(prior))

    def distances(self, free: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """How far keypoints project from their annotation (n, K), in standard deviations."""
        values = self.model.residuals(self.shape.expand(free), numbers).values
        return np.where(self.shown, np.linalg.norm(values[..., :2], axis=2), np.nan)

    def of_images(
        self, images: np.ndarray, rotations: np.ndarray, numbers: np.ndarray
    ) -> "BundleObjective":
        """The same for some of the images, which may repeat, started from other poses.

        Parameters
        ----------
        images : (m,) among the n posed ones.
        rotations : (m, 3, 3) that the rotation vectors are applied to.
        numbers : (m, 9) the start.
        """
        part = copy.copy(self)
        part.shown, part.seen, part.numbers = self.shown[images], self.seen[images], numbers
        part.given = self.given.take(images)
        part.model = ImageModel(
            rays=self.model.rays[images],
            depth=self.model.depth[images],
            ray_sigma=self.model.ray_sigma[images],
            depth_sigma=self.model.depth_sigma[images],
            start=rotations,
        )
        part._to_device()
        return part

    def without(self, left_out: np.ndarray) -> "BundleObjective":
        """The same, but annotations (n, K) bool that are left out take no part."""
        part = copy.copy(self)
        part.seen = self.shown & ~left_out
        part._to_device()
        return part

    def _to_device(self) -> None:
        self._model, self._seen = self.model.on(self._device), to_device(self.seen, self._device)

    def _drawn(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers (n, 9) as draws from the priors: no offset is none, and lies at their centre."""
        return self.given.with_offsets_at(float(self.priors.centre[0]), numbers)

    def informed(self, free: np.ndarray, numbers: np.ndarray) -> "BundleObjective":
        """The same started from its minimum, with priors learnt from all images there."""
        _, _, by_image = self._weighted(free, numbers)
        known = self.priors.curvature() + self.given.certainty()
        part = copy.copy(self)
        part.free, part.numbers = free, numbers
        part.priors = self.priors.learnt(
            self._first_priors, self._drawn(numbers), to_numpy(by_image.mT @ by_image) + known
        )
        (c, p), (off, apart) = np.exp(part.priors.centre), part.priors.spread
        logger.info("depth offsets about %.2f (spread %.2f), p about %.2f (%.2f)", c, off, p, apart)
        return part

    def solve(self, tolerance: float = _TOLERANCE) -> tuple[np.ndarray, np.ndarray]:
        """Free coordinates (K, 3) and numbers (n, 9) at the minimum.

        `tolerance` is the relative change of the objective at which the search ends.
        """
        start = np.concatenate([self.free.ravel(), self.numbers.ravel()])
        return self._split(_minimum(self, start, self.settings.max_iterations, tolerance))

    def solve_numbers(self, free: np.ndarray) -> np.ndarray:
        """Numbers (n, 9) at the minimum for a shape at rest."""
        size = free.size

        def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = self(np.concatenate([free.ravel(), flat]))
            return value, gradient[size:]

        found = _minimum(objective, self.numbers.ravel(), self.settings.max_iterations)
        return self.given.complete(found.reshape(-1, PARAMETERS))

    def curvature(self, free: np.ndarray, numbers: np.ndarray, basis: np.ndarray) -> Curvature:
        """Gauss-Newton curvature with respect to F coordinates of the shape.

        The images' numbers are eliminated (Schur complement).

        Parameters
        ----------
        free, numbers : at the minimum.
        basis : (K, 3, F) what the coordinates change of the shape.
        """
        values, by_point, by_image = self._weighted(free, numbers)
        xp = namespace(values)
        by_shape = xp.einsum("nkri,kif->nkrf", by_point, beside(basis, values))
        by_shape = xp.reshape(by_shape, (*values.shape, -1))
        by_image = by_image @ beside(self.given.jacobian, values)
        own = by_image.mT @ by_image
        own = own + beside(self.given.restrict(self.priors.curvature()), values)
        mixed = by_image.mT @ by_shape
        second = by_shape.mT @ by_shape - mixed.mT @ xp.linalg.solve(own, mixed)
        slope = xp.einsum("nr,nrf->nf", values, by_shape)
        spare = 3 * int(self.seen.sum()) - int(self.given.counts.sum()) - basis.shape[2]
        dispersion = float(xp.sum(xp.square(values))) / max(spare, 1)
        return Curvature(to_numpy(second), to_numpy(slope), dispersion)

    def _weighted(self, free: np.ndarray, numbers: np.ndarray) -> tuple[Array, Array, Array]:
        """Residuals (n, 3K) times the roots of their weights, and their derivatives.

        These are (n, K, 3, 3) with respect to the points and (n, 3K, 9) to the images' numbers.
        """
        found = self._model.residuals(self.shape.expand(free), numbers)
        xp = namespace(found.values)
        root = xp.sqrt(self._weights(found.values)[1])[..., [0, 0, 1]]
        values = xp.reshape(root * found.values, (len(numbers), -1))
        by_image = xp.reshape(root[..., None] * found.by_image, (*values.shape, PARAMETERS))
        return values, root[..., None] * found.by_point, by_image


def _minimum(
    objective: Callable[[np.ndarray], tuple[float, np.ndarray]],
    start: np.ndarray,
    steps: int,
    tolerance: float = _TOLERANCE,
) -> np.ndarray:
    """Where L-BFGS ends from a start."""
    options = {"maxiter": steps, "maxfun": 2 * steps, "maxcor": 30, "ftol": tolerance, "gtol": 1e-7}
    result = minimize(objective, start, jac=True, method="L-BFGS-B", options=options)
    logger.info("objective %.3f after %d steps: %s", result.fun, result.nit, result.message)
    return np.asarray(result.x)
