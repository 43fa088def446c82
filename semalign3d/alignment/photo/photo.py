"""What a photo shows of a prior's points, ready for search and refinement."""

from dataclasses import dataclass

import numpy as np

from semalign3d.alignment.photo.descriptors import DescriptorFrame
from semalign3d.alignment.photo.fields import Fields, smooth_fields
from semalign3d.alignment.photo.likelihood import PointLikelihood, cosine_maps, spread_factors
from semalign3d.alignment.photo.region import damping
from semalign3d.geometry.cameras import Size
from semalign3d.geometry.grid import cells_inside


@dataclass(frozen=True)
class Photo:
    """Cosines of a photo's cells with the points of a prior.

    Attributes
    ----------
    likelihood : of the n points.
    cosines : (n, G, G) float32, scaled by `spread`.
    spread : (n,) factors that give the cosines the spread that they have in training images.
    inside : (G, G) bool, cells of the image; the others are padding.
    outside : likelihood ratio of a point outside the image.
    region : (G, G) shares of the cells that the object is known to cover; 1 where nothing is known.
    """

    likelihood: PointLikelihood
    cosines: np.ndarray
    spread: np.ndarray
    inside: np.ndarray
    outside: float
    region: np.ndarray

    def log_ratios(self, points: np.ndarray) -> np.ndarray:
        """Log likelihood ratios (m, G, G) of some points, by numbers (m,)."""
        return self.likelihood.take(points).log_ratios(self.cosines[points])

    def competing(self, points: np.ndarray) -> np.ndarray:
        """The same with the wider limit for points that compete for a cell."""
        return self.likelihood.take(points).competing().log_ratios(self.cosines[points])

    def fields(self, points: np.ndarray, sigmas: tuple[float, ...]) -> list[Fields]:
        """Likelihood ratios of some points, blurred by each sigma (in cells)."""
        ratios = np.exp(self.log_ratios(points)) * damping(self.region).astype(np.float32)
        return [smooth_fields(ratios, self.inside, self.outside, sigma) for sigma in sigmas]

    def silhouettes(self, count: int, sigmas: tuple[float, ...]) -> list[Fields]:
        """How far the region lets `count` points be where they are, blurred by each sigma."""
        factors = damping(self.region).astype(np.float32)[None]
        least = float(factors.min())
        one = [smooth_fields(factors, self.inside, least, sigma) for sigma in sigmas]
        return [Fields(np.repeat(field.values, count, axis=0)) for field in one]


def read_photo(
    descriptors: np.ndarray,
    size: Size,
    frame: DescriptorFrame,
    likelihood: PointLikelihood,
    *,
    standardise: bool,
    outside: float,
    region: np.ndarray,
) -> Photo:
    """Compare a photo's descriptors (G, G, C) with all points of a prior.

    Parameters
    ----------
    descriptors : of the photo.
    size : (W, H) of the photo in pixels.
    frame : where descriptors are compared.
    likelihood : of the points.
    standardise : whether cosines are scaled to the spread of training images.
    outside : likelihood ratio of a point outside the image.
    region : (G, G), see `Photo`.
    """
    cosines = cosine_maps(likelihood.descriptors, frame(descriptors))
    inside = cells_inside(size, len(descriptors))
    spread = np.ones(len(cosines))
    if standardise:
        spread = spread_factors(cosines, inside, likelihood.deviation)
        cosines *= spread.astype(np.float32)[:, None, None]
    return Photo(likelihood, cosines, spread, inside, outside, region)
