"""Crops around an object that a network takes, and the way back (METHOD.md 3).

Pixel (x, y) covers [x - 0.5, x + 0.5]: scaling acts on edges, so a pixel at x lies at
(x + 0.5) * s - 0.5 in an image that is s times as large.
"""

from dataclasses import dataclass

import numpy as np

from ...datasets.records import Box
from ...geometry.arguments import require_shape
from ...geometry.cameras import Size

PAD = 40
LONGEST, MULTIPLE = 518, 14


@dataclass(frozen=True)
class Crop:
    """A window of an image, resized for a network.

    Attributes
    ----------
    window : (left, top, right, bottom) pixels of the image; right and bottom are outside of it.
    size : (w, h) pixels that the network takes.
    """

    window: tuple[int, int, int, int]
    size: Size

    @property
    def scale(self) -> np.ndarray:
        """(2,) network pixels per image pixel, along x and y."""
        left, top, right, bottom = self.window
        return np.array([self.size[0] / (right - left), self.size[1] / (bottom - top)])

    def intrinsics_of_image(self, intrinsics: np.ndarray) -> np.ndarray:
        """Intrinsics in pixels of the whole image, from those in pixels of the network.

        Parameters
        ----------
        intrinsics : (4,) fx, fy, cx, cy.
        """
        require_shape("intrinsics", intrinsics, (4,))
        focal, centre = np.asarray(intrinsics, dtype=np.float64).reshape(2, 2)
        origin = np.array(self.window[:2], dtype=np.float64)
        return np.concatenate([focal / self.scale, (centre + 0.5) / self.scale - 0.5 + origin])


def object_crop(box: Box, size: Size, pad: int = PAD) -> Crop:
    """The box padded and clipped to the image, its longer side brought to 518 pixels.

    The other side becomes the nearest multiple of 14.

    Parameters
    ----------
    box : (x1, y1, x2, y2) pixels.
    size : (W, H) of the image.
    """
    low = np.floor(np.array(box[:2]) - pad).clip(0).astype(int)
    high = np.ceil(np.array(box[2:]) + pad).clip(max=size).astype(int)
    if (high <= low).any():
        raise ValueError(f"box: expected one inside the image of {size}, found {box}")
    sides = high - low
    steps = np.maximum(np.rint(sides * (LONGEST / sides.max()) / MULTIPLE), 1).astype(int)
    window = (int(low[0]), int(low[1]), int(high[0]), int(high[1]))
    return Crop(window, (int(steps[0]) * MULTIPLE, int(steps[1]) * MULTIPLE))
