"""How well a placed prior explains the object's pixels in a photo (METHOD.md section 10).

The evidence of a point asks whether the photo fits where the point is; two points at one place,
such as a left and a right leg that look alike, both find their answer in the same pixels. Here the
pixels ask: each pixel of the object wants a point near by that looks like it. A pose that puts
several parts on top of each other leaves pixels without.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from semalign3d.alignment.photo.photo import Photo

_FLOOR = 0.02
"""Likelihood of a pixel that no point explains, against one that is explained perfectly."""
_BLUR = 0.7
"""Of likelihoods, in cells: in a single noisy cell, some point fits better than the true one."""


@dataclass(frozen=True)
class Reconstruction:
    """Cells of a photo that look like the object, and n points that may explain them.

    Attributes
    ----------
    cells : (P, 2) cells (u, v).
    weights : (P,) how much each looks like the object; they add up to 1.
    likeness : (P, n) float32, log likelihood ratio of a cell under a point, less that under the
        point that fits best.
    """

    cells: np.ndarray
    weights: np.ndarray
    likeness: np.ndarray

    def energy(
        self, places: np.ndarray, seen: np.ndarray, sigma: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Energies (H,) in [0, -log(floor)] and slopes (H, n, 2) by the places.

        A cell is explained by the point with the largest product of likelihood, visibility and a
        Gaussian of the distance.

        Parameters
        ----------
        places : (H, n, 2) cells where the points are in H poses.
        seen : (H, n) probabilities that they are seen.
        sigma : of the Gaussian, in cells.
        """
        cells = self.cells.astype(np.float32)
        at = places.astype(np.float32)
        precision = np.float32(1.0 / sigma**2)
        own = np.log(seen).astype(np.float32) - 0.5 * precision * np.square(at).sum(axis=-1)
        fit = self.likeness + own[:, None] + precision * (cells @ at.swapaxes(1, 2))
        best = fit.argmax(axis=2)
        top = np.take_along_axis(fit, best[..., None], axis=2)[..., 0].astype(np.float64)
        explained = np.exp(top - 0.5 * np.square(self.cells).sum(axis=1) / sigma**2)
        mixed = _FLOOR + (1.0 - _FLOOR) * explained
        pull = self.weights * (1.0 - _FLOOR) * explained / mixed / sigma**2
        rows = np.arange(len(places))[:, None]
        towards = (places[rows, best] - self.cells) * pull[..., None]
        slopes = np.zeros(places.shape)
        np.add.at(slopes, (rows, best), towards)
        return -np.log(mixed) @ self.weights, slopes


def reconstruction(photo: Photo, points: np.ndarray, most: int) -> Reconstruction:
    """The photo's object-like cells, every second one along both axes, `most` at most.

    How object-like a cell is, is bounded, so that no few cells weigh more than all others. Which
    point it shows is bounded less: else all points of a neighbourhood, and those of parts that look
    alike, would explain it equally well, and a wrong pose as well as the right one.

    Parameters
    ----------
    photo : compared with the prior's points.
    points : (n,) numbers of the points that may explain cells.
    most : cells.
    """
    object_like = photo.log_ratios(points).max(axis=0)
    ratios = gaussian_filter(photo.competing(points), (0.0, _BLUR, _BLUR), mode="nearest")
    best = np.where(photo.inside & (photo.region > 0.0), ratios.max(axis=0), -np.inf)
    v, u = np.mgrid[: len(best) : 2, : len(best) : 2].reshape(2, -1)
    order = np.argsort(-best[v, u], kind="stable")[:most]
    order = order[np.isfinite(best[v, u][order])]
    v, u = v[order], u[order]
    weights = np.exp(np.asarray(object_like[v, u], dtype=np.float64)) * photo.region[v, u]
    return Reconstruction(
        np.stack([u, v], axis=1).astype(np.float64),
        weights / weights.sum(),
        (ratios[:, v, u] - best[v, u]).T.astype(np.float32),
    )
