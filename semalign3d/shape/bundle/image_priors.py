"""What photos of a category have in common: depth offsets and focal lengths (METHOD.md section 7).

A photo whose keypoints lie in a plane that faces the camera hardly tells its depth offset c or its
p = 1 / f. Such a photo is drawn to where the others are. Log c and log p of the photos are taken
for draws from normal distributions, whose centres and spreads are learnt from all photos together
(empirical Bayes): a photo counts by what it tells. Where photos disagree the spread becomes large,
and each is left to itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from semalign3d.shape.bundle.model import LOG_C, LOG_G, LOG_K, PARAMETERS

_LOGS = np.zeros((2, PARAMETERS))
_LOGS[0, LOG_C] = _LOGS[1, LOG_G] = _LOGS[1, LOG_K] = 1.0
"""Log c and log p = log g + log k of an image's numbers."""
_NOTHING = 1e-9
"""An image says nothing along a direction of a smaller share of its curvature."""


@dataclass(frozen=True)
class ImagePriors:
    """Independent normal priors of log c and log p, the same for every image.

    Attributes
    ----------
    centre, spread : (2,) means and standard deviations.
    """

    centre: np.ndarray
    spread: np.ndarray

    @property
    def precision(self) -> np.ndarray:
        """(2,) inverse variances."""
        return np.asarray(1.0 / np.square(self.spread))

    def losses(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """-log of the priors of images with numbers (n, 9), (n,), and its derivatives (n, 9)."""
        apart = numbers @ _LOGS.T - self.centre
        pull = apart * self.precision
        return 0.5 * np.sum(apart * pull, axis=1), pull @ _LOGS

    def curvature(self) -> np.ndarray:
        """Second derivatives (9, 9) of the loss of an image."""
        return np.asarray((_LOGS.T * self.precision) @ _LOGS)

    def learnt(self, first: ImagePriors, numbers: np.ndarray, curvature: np.ndarray) -> ImagePriors:
        """Priors with the centre and spread of the images.

        They maximise the marginal likelihood of the images, each of which is Gaussian about its
        minimum, times the first priors of the centre. As to the spread, one image more counts,
        which lies at the first spread from the centre: a few images that agree by chance don't
        make it vanish.

        Parameters
        ----------
        first : priors before any image was seen.
        numbers : (n, 9) of the images, at the minimum under these priors.
        curvature : (n, 9, 9) of the objective there with respect to them, the shape at rest.
        """
        found, told = self._told(numbers, curvature)
        start = np.concatenate([self.centre, np.log(self.spread)])
        best = minimize(_evidence, start, (found, told, first), method="L-BFGS-B").x
        return ImagePriors(best[:2], np.exp(best[2:]))

    def _told(self, numbers: np.ndarray, curvature: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What images say of (log c, log p) without these priors.

        Most likely values (n, 2), and inverse covariances (n, 2, 2) about them; both are 0 along
        a direction of which an image says nothing.
        """
        logs = np.broadcast_to(_LOGS.T, (len(numbers), *_LOGS.T.shape))
        whole = np.linalg.inv(_LOGS @ np.linalg.solve(curvature, logs))
        values, vectors = np.linalg.eigh(whole - np.diag(self.precision))
        says = values > _NOTHING * values.max(axis=1, initial=self.precision.min(), keepdims=True)
        pull = (whole @ (numbers @ _LOGS.T)[..., None])[..., 0] - self.precision * self.centre
        along = (vectors.mT @ pull[..., None])[..., 0]
        found = np.where(says, along, 0.0) / np.where(says, values, 1.0)
        told = (vectors * np.where(says, values, 0.0)[:, None]) @ vectors.mT
        return (vectors @ found[..., None])[..., 0], told


def _evidence(flat: np.ndarray, found: np.ndarray, told: np.ndarray, first: ImagePriors) -> float:
    """-log of the marginal likelihood at a centre and log spreads (4,), and of their priors.

    The marginal covariance T + A^-1 is written such that A may be singular.
    """
    centre, spread = flat[:2], np.exp(flat[2:])
    mixed = np.eye(2) + spread[:, None] ** 2 * told
    apart = (found - centre)[..., None]
    square = np.sum(apart * (told @ np.linalg.solve(mixed, apart)), axis=(1, 2))
    images = np.linalg.slogdet(mixed)[1] + square
    own = np.square((centre - first.centre) / first.spread)
    one_more = 2.0 * flat[2:] + np.square(first.spread / spread)
    return 0.5 * float(images.sum() + own.sum() + one_more.sum())
