"""Which points of a prior are seen from where, by the training views (METHOD.md section 10, 5)."""

from dataclasses import dataclass

import numpy as np

_WIDTH = 0.35
"""Angle in radians within which training views are alike: about 20 degrees."""
_PRIOR_VIEWS = 0.5
"""Weight of the mean visibility, in views."""
_LEAST, _MOST = 0.05, 0.95
"""Nothing is certain: occlusion by others, annotations and depth may err."""


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

    def take(self, points: np.ndarray) -> "Visibility":
        """Some of the points, by numbers."""
        return Visibility(self.directions, self.visible[:, points])

    def __call__(self, directions: np.ndarray) -> np.ndarray:
        """Probabilities (H, n) for directions (H, 3): a weighted mean over views alike."""
        weights = np.exp((directions @ self.directions.T - 1.0) / _WIDTH**2)
        seen = weights @ self.visible + _PRIOR_VIEWS * self.visible.mean(axis=0)
        share = seen / (weights.sum(axis=1, keepdims=True) + _PRIOR_VIEWS)
        return np.clip(share, _LEAST, _MOST)
