"""Object masks: SAM's three candidates, or the user's files (METHOD.md 2)."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...datasets.records import Box
from ...errors import InputError
from ...files.arrays import load_array, times
from ...files.digest import file_digest
from ...files.images import opened_image, require_rgb

if TYPE_CHECKING:
    import torch

RANKING = {"whole": "scores", "best": "scores", "agree": "agreement"}
"""{candidate: what the candidates are ranked by}; `whole` takes the last one whatever the rank."""
SEGMENTATION = "Segmentation"
"""Name of SPair-71k's folder of class maps."""
VOC_CLASSES = (
    *("aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
    *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa"),
    *("train", "tvmonitor"),
)
"""Classes 1 to 20 of PASCAL VOC, which SPair-71k's class maps are numbered by."""


def identity(model_type: str, checkpoint: str | Path) -> str:
    """What makes SAM's masks, for stamps: the model type and the checkpoint's digest."""
    if not Path(checkpoint).is_file():
        raise InputError(
            f"SAM checkpoint {checkpoint}: no such file",
            hint="Run the target fetch_models where there is a connection, or download it from "
            "https://github.com/facebookresearch/segment-anything#model-checkpoints and give its "
            "path in masks.checkpoint.",
        )
    return f"{model_type}:{file_digest(checkpoint)}"


class SamMasks:
    """SAM, prompted with an object's keypoints; training images only, since it needs them.

    Parameters
    ----------
    model_type : vit_h, vit_l, vit_b or vit_demo.
    checkpoint : the weights of that model type.
    device : where it runs, in float32.

    Raises
    ------
    InputError : no such model type or file, or a checkpoint of something else.
    """

    def __init__(self, model_type: str, checkpoint: str | Path, device: "torch.device") -> None:
        from segment_anything import SamPredictor

        from .sam_registry import build_sam

        self.predictor = SamPredictor(build_sam(model_type, checkpoint).to(device))

    def predict(self, image: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Segment the object that all the points lie on.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB.
        points : (n, 2), pixels (x, y) on the object. Without any, the masks are empty.

        Returns
        -------
        masks : (3, H, W) bool, from a part to the whole object.
        scores : (3,) float32, the network's guess of each mask's IoU.
        """
        points = np.asarray(points, dtype=np.float64)
        require_rgb(image)
        if points.ndim != 2 or points.shape[1] != 2 or not np.isfinite(points).all():
            raise ValueError(f"points: expected finite (n, 2), found {points.shape}")
        if len(points) == 0:
            return np.zeros((3, *image.shape[:2]), dtype=bool), np.zeros(3, dtype=np.float32)
        self.predictor.set_image(image)
        masks, scores, _ = self.predictor.predict(points, np.ones(len(points), dtype=np.int64))
        self.predictor.reset_image()
        return masks.astype(bool), scores.astype(np.float32)


def select_mask(masks: np.ndarray, scores: np.ndarray, candidate: str) -> np.ndarray:
    """Choose the object's mask, (H, W) bool, among candidates (n, H, W).

    Parameters
    ----------
    masks : (n, H, W) bool.
    scores : (n,) what `RANKING` names for the candidate.
    candidate : `whole`: the last one; `best` (the network's guess of its IoU) and `agree`
        (agreement with keypoints and box, `mask_quality`): the one of the largest score, the
        later of equals.
    """
    if candidate not in RANKING:
        raise ValueError(f"candidate: expected one of {tuple(RANKING)}, found {candidate!r}")
    if masks.ndim != 3 or scores.shape != masks.shape[:1]:
        raise ValueError(
            f"masks and scores: expected (n, H, W) and (n,), found {masks.shape}, {scores.shape}"
        )
    if candidate == "whole":
        return masks[-1]
    return masks[len(scores) - 1 - int(np.argmax(scores[::-1]))]


def mask_file(root: str | Path, category: str, stem: str) -> Path:
    """The user's mask file of an image: `<stem>_masks.npy`, else `<stem>.png`.

    Where neither exists, the name of the former; in a folder of class maps always the latter.
    """
    folder = Path(root) / category
    array, picture = folder / f"{stem}_masks.npy", folder / f"{stem}.png"
    if Path(root).name == SEGMENTATION:
        return picture
    return picture if picture.is_file() and not array.is_file() else array


def read_mask_file(
    root: str | Path, category: str, stem: str, size: tuple[int, int], box: Box
) -> tuple[np.ndarray, np.ndarray]:
    """Read an image's masks from the user's files.

    `<root>/<category>/<stem>_masks.npy` holds (3, H, W), or any number of masks, the whole object
    last; `<stem>.png` holds one: grey or black and white (above half of its largest value is
    object), or a palette (every index but 0 is object). Where the root is a folder named
    `Segmentation`, `<stem>.png` is a class map of SPair-71k instead: the object is what has the
    class of the category, inside the annotated box (others of the class stand outside).

    Parameters
    ----------
    size : (W, H) of the image, pixels.
    box : (x1, y1, x2, y2) of the object, pixels; read for class maps only.

    Returns
    -------
    masks : (n, H, W) bool.
    scores : (n,) float32 ones, as files say nothing about them.

    Raises
    ------
    InputError : missing, damaged, of another size, or not a mask.
    """
    path = mask_file(root, category, stem)
    if path.suffix == ".npy":
        masks = _read_array(path)
    elif Path(root).name == SEGMENTATION:
        masks = _read_class_map(path, category, box)[None]
    else:
        masks = _read_picture(path)[None]
    if masks.ndim != 3 or len(masks) == 0 or masks.shape[1:] != (size[1], size[0]):
        raise InputError(
            f"{path}: expected n x {size[1]} x {size[0]} (masks x height x width of the image), "
            f"found {times(masks.shape)}"
        )
    return masks, np.ones(len(masks), dtype=np.float32)


def _read_array(path: Path) -> np.ndarray:
    values = load_array(path, f"one of {path.name} and {path.name.replace('_masks.npy', '.png')}")
    if values.dtype == bool:
        return values
    if values.dtype.kind not in "uif" or not set(np.unique(values)) <= {0, 1, 255}:
        raise InputError(f"{path}: expected booleans, or the numbers 0 and 1 or 255")
    return values > 0


def _read_picture(path: Path) -> np.ndarray:
    """(H, W) bool of a picture of one mask."""
    levels, mode = _decoded(path)
    return levels > 0 if mode == "P" else levels > levels.max() / 2


def _read_class_map(path: Path, category: str, box: Box) -> np.ndarray:
    """(H, W) bool: pixels of the category's class inside the box."""
    if category not in VOC_CLASSES:
        raise InputError(
            f"{path}: {category} is no class of PASCAL VOC, which class maps are numbered by"
        )
    number = VOC_CLASSES.index(category) + 1
    classes, _ = _decoded(path)
    rows, columns = np.indices(classes.shape)
    x1, y1, x2, y2 = box
    inside = (columns >= x1) & (columns <= x2) & (rows >= y1) & (rows <= y2)
    mask = (classes == number) & inside
    if not mask.any():
        found = ", ".join(map(str, np.unique(classes[inside])))
        raise InputError(
            f"{path}: no pixel of class {number} ({category}) inside the annotated box, found: "
            f"{found or 'no pixel at all'}"
        )
    return mask


def _decoded(path: Path) -> tuple[np.ndarray, str]:
    """Levels (H, W) of a picture, indices where it has a palette, and its mode."""
    with opened_image(path) as picture:
        transparent, mode = picture.has_transparency_data, picture.mode
        levels = np.array(picture.convert("L") if mode == "RGB" else picture)
    if transparent:
        raise InputError(f"{path}: a mask must not be transparent; save it as grey levels")
    return levels, mode
