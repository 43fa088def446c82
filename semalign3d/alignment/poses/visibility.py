"""From where a category is seen, and what of it, by the training views (METHOD.md section 10)."""

from dataclasses import dataclass

import numpy as np
from scipy.special import ive

_WIDTH = 0.35
"""Angle in radians within which training views are alike: about 20 degrees."""
_PRIOR_VIEWS = 0.5
"""Weight of the mean visibility, in views."""
_ANYWHERE = 0.05
"""Share of photos in which the object is turned just anyhow."""
_LEAST, _MOST = 0.05, 0.8
"""Nothing is certain: annotations and depth may err, and anything may stand in front of a point
that is seen from there as a rule. The energy asks no more than log 5 of a point that is not."""


@dataclass(frozen=True)
class Visibility:
    """Probabilities that points are seen, as a function of the view's direction.

    Attributes
    ----------
    directions : (V, 3) of the training views, from the object to the camera.
    visible : (V, n) bool.
    """

    directions: np.ndarray
    visible: np.ndarray

    def __call__(self, directions: np.ndarray) -> np.ndarray:
        """Probabilities (H, n) for directions (H, 3): a weighted mean over views alike."""
        weights = np.exp((directions @ self.directions.T - 1.0) / _WIDTH**2)
        seen = weights @ self.visible + _PRIOR_VIEWS * self.visible.mean(axis=0)
        share = seen / (weights.sum(axis=1, keepdims=True) + _PRIOR_VIEWS)
        return np.clip(share, _LEAST, _MOST)


@dataclass(frozen=True)
class ViewPrior:
    """How unusual it is to see the category turned like that.

    A photo says little where the object looks the same from two sides. A bottle's left and right
    keypoints, say, are left and right as the camera sees it: turned by half a turn about its axis
    the bottle looks the same, and only from the usual side are the names right. Where descriptors
    say little, it keeps objects from being found upside down.

    Attributes
    ----------
    rotations : (V, 3, 3) of the training views, from the object's frame to the camera's.
    weight : of the energies.
    """

    rotations: np.ndarray
    weight: float

    def __call__(self, rotations: np.ndarray) -> np.ndarray:
        """Energies (H,) of rotations (H, 3, 3): -log of the density over that of all alike."""
        trace = rotations.reshape(-1, 9) @ self.rotations.reshape(-1, 9).T
        precision = 1.0 / _WIDTH**2
        alike = np.exp((0.5 * (trace - 1.0) - 1.0) * precision).mean(axis=1)
        # Mean over all rotations of exp((cos(angle) - 1) / width^2).
        evenly = ive(0, precision) - ive(1, precision)
        density = _ANYWHERE + (1.0 - _ANYWHERE) * alike / evenly
        return np.asarray(-self.weight * np.log(density))
