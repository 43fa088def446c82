"""The prior placed in a photo (METHOD.md section 10)."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class AlignmentEnergy:
    """Terms of an alignment's energy; lower is better.

    Attributes
    ----------
    keypoints : -log(1 - pi + pi LR), summed over keypoints.
    reconstruction : how badly the photo's object-like cells are explained, weighted; where a mask
        guides, also how far the surface lies off it.
    shape : the prior's energy of the deformed keypoints, weighted.
    focal : of the focal length.
    view : of the side that the object is seen from, weighted.
    """

    keypoints: float
    reconstruction: float
    shape: float
    focal: float
    view: float

    @property
    def total(self) -> float:
        """Their sum, which poses are chosen by."""
        return self.keypoints + self.reconstruction + self.shape + self.focal + self.view


@dataclass(frozen=True)
class Alignment:
    """The prior in a photo of size (W, H): K keypoints and n points that follow them.

    Camera coordinates have the prior's unit: x to the right, y down, z forward.

    Attributes
    ----------
    rotation : (3, 3) from the prior's frame to the camera's, a proper rotation.
    translation : (3,) place of the prior's origin in camera coordinates.
    scale : length of the prior's unit there, near 1: x_camera = scale * rotation @ x + translation
        fits the deformed keypoints best.
    p : inverse focal length, f in units of the longest side.
    keypoints_xyz : (K, 3) camera coordinates of the deformed keypoints; NaN where not used.
    keypoints_px : (K, 2) their pixels; NaN where not used.
    visibility : (K,) probabilities that they are seen from there, 0 outside the image and where
        not used.
    dense_xyz : (n, 3) camera coordinates of the prior's dense points.
    dense_px : (n, 2) their pixels.
    dense_visibility : (n,) like `visibility`.
    spread : (n,) factors by which the photo's cosines with the points are multiplied.
    energy : its terms.
    margin : by how much the next distinct pose has a higher energy; infinite if there is none.
    image_size : (2,) int64, (W, H) pixels.
    digest : of the settings.
    """

    rotation: np.ndarray
    translation: np.ndarray
    scale: float
    p: float
    keypoints_xyz: np.ndarray
    keypoints_px: np.ndarray
    visibility: np.ndarray
    dense_xyz: np.ndarray
    dense_px: np.ndarray
    dense_visibility: np.ndarray
    spread: np.ndarray
    energy: AlignmentEnergy
    margin: float
    image_size: np.ndarray
    digest: str

    @property
    def size(self) -> tuple[int, int]:
        """(W, H) of the photo in pixels."""
        return int(self.image_size[0]), int(self.image_size[1])

    @property
    def confidence(self) -> float:
        """In [0.5, 1]: the pose's share against the next distinct one, 1 / (1 + exp(-margin))."""
        return 1.0 / (1.0 + math.exp(-min(self.margin, 700.0)))


@dataclass(frozen=True)
class AlignedImage(Alignment):
    """An alignment together with the photo's descriptors, ready to be matched.

    Attributes
    ----------
    descriptors : (G, G, C) map of the photo.
    """

    descriptors: np.ndarray


def aligned_image(alignment: Alignment, descriptors: np.ndarray) -> AlignedImage:
    """An alignment and the photo's descriptors (G, G, C) in one."""
    values = {field.name: getattr(alignment, field.name) for field in fields(Alignment)}
    return AlignedImage(**values, descriptors=descriptors)
