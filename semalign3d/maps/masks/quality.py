"""How well masks agree with what was annotated: keypoints and box."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from ...datasets.records import Box
from ...geometry.arguments import require_shape
from ...geometry.keypoints import snap_to_mask

NEAR = 0.02
"""Keypoints so near the mask count as within, in units of the box's longer side.

Annotators put keypoints on the outline, so that half of them lie just outside of a good mask.
"""
DOUBTFUL_WITHIN, DOUBTFUL_IOU = 0.8, 0.6
"""Masks with a smaller share of keypoints or a smaller box IoU deserve a look."""


@dataclass(frozen=True)
class MaskQuality:
    """Signs of quality of n masks of an image.

    Attributes
    ----------
    within : (n,) share of the seen keypoints on the mask or nearly so; 1 without keypoints.
    box_iou : (n,) intersection over union of the mask's bounding box with the annotated one.
    area : (n,) share of the image.
    """

    within: np.ndarray
    box_iou: np.ndarray
    area: np.ndarray

    @property
    def agreement(self) -> np.ndarray:
        """(n,) sum of keypoint share and box IoU, from 0 to 2."""
        return np.asarray(self.within + self.box_iou)

    @property
    def doubtful(self) -> np.ndarray:
        """(n,) bool: worth a look."""
        return np.asarray((self.within < DOUBTFUL_WITHIN) | (self.box_iou < DOUBTFUL_IOU))


def mask_quality(masks: np.ndarray, keypoints: np.ndarray, box: Box) -> MaskQuality:
    """Compare masks with an annotation.

    Parameters
    ----------
    masks : (n, H, W) bool.
    keypoints : (k, 2) pixels, all seen.
    box : (x1, y1, x2, y2) of the object, pixels.
    """
    require_shape("masks", masks, (None, None, None))
    require_shape("keypoints", keypoints, (None, 2))
    near = NEAR * max(box[2] - box[0], box[3] - box[1])
    return MaskQuality(
        within=np.array([_share_within(mask, keypoints, near) for mask in masks]),
        box_iou=np.array([_box_iou(mask, box) for mask in masks]),
        area=masks.mean(axis=(1, 2)),
    )


def _share_within(mask: np.ndarray, keypoints: np.ndarray, near: float) -> float:
    if len(keypoints) == 0:
        return 1.0
    if not mask.any():
        return 0.0
    distance = np.linalg.norm(keypoints - snap_to_mask(keypoints, mask), axis=1)
    return float((distance <= max(near, 1.0)).mean())


def _box_iou(mask: np.ndarray, box: Box) -> float:
    """IoU of the annotated box with that of the mask, whose last pixels count in full."""
    bounds = Image.fromarray(mask).getbbox()
    if bounds is None:
        return 0.0
    found, wanted = np.array([bounds, box], dtype=np.float64)
    overlap = np.minimum(found[2:], wanted[2:]) - np.maximum(found[:2], wanted[:2])
    shared = float(np.prod(np.maximum(overlap, 0.0)))
    union = float(np.prod(found[2:] - found[:2]) + np.prod(wanted[2:] - wanted[:2])) - shared
    return shared / union
