"""The conditions under which priors are made and compared with the truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from demo.shapes import VARIATION


@dataclass(frozen=True)
class Conditions:
    """What the training images of a category are like.

    Attributes
    ----------
    images : number of training images
    spread : largest relative difference of an object's proportions from the mean
    one_sided : whether all cameras lie within 120 degrees of azimuth, instead of from all sides
    depth_noise : standard deviation of the depth's noise, in the object's range of inverse depth
    mask_iou : overlap of each mask with the true one; None for masks off by a pixel at most
    bad_keypoints : share of the keypoints that are wrong, half of them swapped left and right,
        half displaced by 20 % of the box
    """

    images: int = 24
    spread: float = VARIATION
    one_sided: bool = False
    depth_noise: float = 0.02
    mask_iou: float | None = None
    bad_keypoints: float = 0.0

    def values(self) -> dict[str, Any]:
        """All of them, by name."""
        return asdict(self)


@dataclass(frozen=True)
class Case:
    """A row of the table: conditions under a name, in a group of alike rows."""

    group: str
    name: str
    conditions: Conditions


CLEAN = Conditions()
CASES = (
    Case("", "clean", CLEAN),
    *(Case("images", str(n), replace(CLEAN, images=n)) for n in (8, 16, 24, 48)),
    *(Case("depth noise", f"{s:.0%}", replace(CLEAN, depth_noise=s)) for s in (0.02, 0.05, 0.1)),
    Case("masks", "IoU 0.8", replace(CLEAN, mask_iou=0.8)),
    Case("views", "one side", replace(CLEAN, one_sided=True)),
    Case("keypoints", "10% bad", replace(CLEAN, bad_keypoints=0.1)),
    *(Case("spread", f"{s:.0%}", replace(CLEAN, spread=s)) for s in (0.05, 0.15, 0.3)),
)
"""Rows with the conditions of the clean one stand there for comparison; they are computed once."""
