"""What each method makes of query points: the baselines, and the aligned prior."""

from dataclasses import dataclass

import numpy as np

from semalign3d.alignment.alignment import Alignment
from semalign3d.alignment.matching.matcher import Matcher
from semalign3d.evaluation.baselines import (
    TEMPERATURE,
    WINDOW,
    nearest_neighbour,
    query_similarities,
    windowed_soft_argmax,
)


@dataclass(frozen=True)
class AlignedPhoto:
    """A photo that a prior is placed in.

    Attributes
    ----------
    descriptors : (G, G, C) float32 map.
    alignment : of the prior in it.
    """

    descriptors: np.ndarray
    alignment: Alignment


@dataclass(frozen=True)
class Methods:
    """All methods, with their settings.

    Attributes
    ----------
    matcher : of the prior.
    window, temperature : of the windowed soft-argmax, see `windowed_soft_argmax`.
    """

    matcher: Matcher
    window: int = WINDOW
    temperature: float = TEMPERATURE

    def __call__(
        self, source: AlignedPhoto, target: AlignedPhoto, points: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Matches of query points.

        Parameters
        ----------
        source, target : the two photos.
        points : (n, 2) pixels in the source.

        Returns
        -------
        tuple
            Method (see `semalign3d.evaluation.tables.METHODS`) -> (n, 2) pixels in the target,
            and the confidence (n,) of the aligned prior's.
        """
        size = target.alignment.size
        similar = query_similarities(
            source.descriptors, source.alignment.size, points, target.descriptors, size
        )
        aligned = self.matcher(
            source.alignment, source.descriptors, target.alignment, target.descriptors, points
        )
        found = {
            "nearest": nearest_neighbour(similar, size),
            "soft_argmax": windowed_soft_argmax(similar, size, self.window, self.temperature),
            "aligned": aligned.points,
        }
        return found, aligned.confidence
