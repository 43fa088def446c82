"""Object masks: SAM's three candidates, or the user's files (METHOD.md 2)."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..digest import file_digest
from ..errors import InputError
from .array_files import load_array

if TYPE_CHECKING:
    import torch

CANDIDATES = ("whole", "best")
ALPHA_MODES = ("LA", "La", "PA", "RGBA", "RGBa")


def identity(model_type: str, checkpoint: str | Path) -> str:
    """What makes SAM's masks, for stamps: the model type and the checkpoint's digest."""
    if not Path(checkpoint).is_file():
        raise InputError(
            f"SAM checkpoint {checkpoint}: no such file",
            hint="Download it from https://github.com/facebookresearch/segment-anything"
            "#model-checkpoints and give its path in masks.checkpoint.",
        )
    return f"{model_type}:{file_digest(checkpoint)}"


class SamMasks:
    """SAM, prompted with an object's keypoints; training images only, since it needs them.

    Parameters
    ----------
    model_type : vit_h, vit_l, vit_b or vit_demo.
    checkpoint : the weights of that model type.
    device : where it runs, in float32.

    Attributes
    ----------
    identity : see the function `identity`.

    Raises
    ------
    InputError : no such model type or file, or a checkpoint of something else.
    """

    def __init__(self, model_type: str, checkpoint: str | Path, device: "torch.device") -> None:
        from segment_anything import SamPredictor

        from .sam_registry import build_sam

        self.identity = identity(model_type, checkpoint)
        try:
            network = build_sam(model_type, Path(checkpoint))
        except (ValueError, FileNotFoundError) as error:
            raise InputError(str(error)) from error
        self.predictor = SamPredictor(network.float().eval().to(device))

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
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"image: expected (H, W, 3) uint8, found {image.shape} {image.dtype}")
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
    candidate : `whole`: the last one; `best`: the one of the largest score, the later of equals.
    """
    if candidate not in CANDIDATES:
        raise ValueError(f"candidate: expected one of {CANDIDATES}, found {candidate!r}")
    if masks.ndim != 3 or scores.shape != masks.shape[:1]:
        raise ValueError(
            f"masks and scores: expected (n, H, W) and (n,), found {masks.shape}, {scores.shape}"
        )
    if candidate == "whole":
        return masks[-1]
    return masks[len(scores) - 1 - int(np.argmax(scores[::-1]))]


def mask_file(root: str | Path, category: str, stem: str) -> Path:
    """The user's mask file of an image: `<stem>_masks.npy`, else `<stem>.png`.

    Where neither exists, the name of the former.
    """
    folder = Path(root) / category
    array, picture = folder / f"{stem}_masks.npy", folder / f"{stem}.png"
    return picture if picture.is_file() and not array.is_file() else array


def read_mask_file(
    root: str | Path, category: str, stem: str, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Read an image's masks from the user's files.

    `<root>/<category>/<stem>_masks.npy` holds (3, H, W), or any number of masks, the whole object
    last; `<stem>.png` holds one: grey or black and white (above half of its largest value is
    object), or a palette (every index but 0 is object).

    Parameters
    ----------
    size : (W, H) of the image, pixels.

    Returns
    -------
    masks : (n, H, W) bool.
    scores : (n,) float32 ones, as files say nothing about them.

    Raises
    ------
    InputError : missing, damaged, of another size, or not a mask.
    """
    path = mask_file(root, category, stem)
    masks = _read_array(path) if path.suffix == ".npy" else _read_picture(path)[None]
    if masks.ndim != 3 or len(masks) == 0 or masks.shape[1:] != (size[1], size[0]):
        raise InputError(
            f"{path}: expected n x {size[1]} x {size[0]} (masks x height x width of the image), "
            f"found {' x '.join(map(str, masks.shape))}"
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
    try:
        with Image.open(path) as picture:
            if picture.mode in ALPHA_MODES or "transparency" in picture.info:
                raise InputError(f"{path}: a mask must not be transparent; save it as grey levels")
            if picture.mode == "P":
                return np.array(picture) > 0
            levels = np.array(picture.convert("L") if picture.mode == "RGB" else picture)
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be decoded as an image ({error})") from error
    return levels > levels.max() / 2
