"""Relative inverse depth: Depth Anything, or the user's files (METHOD.md 3)."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ..errors import InputError
from .array_files import load_array
from .hub import PretrainedModel

if TYPE_CHECKING:
    import torch


def depth_model(model: str) -> PretrainedModel:
    """The network that `depth.model` names."""
    return PretrainedModel(model, "depth model", "depth.model")


def identity(model: str) -> str:
    """What makes depth maps, for stamps, without loading the network."""
    return depth_model(model).identity()


class DepthAnything:
    """A depth network of `transformers` that gives relative inverse depth.

    Parameters
    ----------
    model : local folder, or a model id of the hub.
    device : where it runs, in float32.

    Attributes
    ----------
    identity : see the function `identity`.

    Raises
    ------
    InputError : no such model, an incomplete folder, or files that do not fit each other.
    """

    def __init__(self, model: str, device: "torch.device") -> None:
        import torch
        from transformers import AutoModelForDepthEstimation

        self.identity = identity(model)
        self.device = device
        pretrained = depth_model(model)
        self.processor = pretrained.image_processor()
        self.network = pretrained.load(AutoModelForDepthEstimation, torch.float32).to(device)

    def predict(self, image: np.ndarray, name: str = "image") -> np.ndarray:
        """Relative inverse depth, larger is nearer, not negative: (H, W) float32.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB.
        name : what errors call it.

        Raises
        ------
        InputError : the network's result is not finite or the same everywhere.
        """
        import torch

        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise ValueError(f"image: expected (H, W, 3) uint8, found {image.shape} {image.dtype}")
        inputs = self.processor(images=Image.fromarray(image), return_tensors="pt")
        with torch.inference_mode():
            depth = self.network(pixel_values=inputs["pixel_values"].to(self.device))
            depth = torch.nn.functional.interpolate(
                depth.predicted_depth.float().cpu()[:, None],
                size=image.shape[:2],
                mode="bicubic",
                align_corners=False,
            )
        inverse_depth = depth[0, 0].clamp(min=0).numpy()
        problem = depth_problem(inverse_depth)
        if problem:
            raise InputError(f"{name}: the depth network's result is unusable: {problem}")
        return inverse_depth


def depth_problem(inverse_depth: np.ndarray) -> str | None:
    """What makes an inverse depth map unusable, None if nothing."""
    finite = np.isfinite(inverse_depth)
    if not finite.all():
        return f"{(~finite).sum()} of {finite.size} values are not finite (NaN or infinite)"
    if inverse_depth.max() == inverse_depth.min():
        return f"it is the same everywhere ({inverse_depth.flat[0]:g})"
    if inverse_depth.max() <= 0:
        return f"no value is above 0 (the largest is {inverse_depth.max():g})"
    return None


def depth_file(root: str | Path, category: str, stem: str) -> Path:
    """The user's depth file of an image."""
    return Path(root) / category / f"{stem}_depth.npy"


def read_depth_file(
    root: str | Path, category: str, stem: str, size: tuple[int, int]
) -> np.ndarray:
    """Read `<root>/<category>/<stem>_depth.npy`: relative inverse depth, larger is nearer.

    Parameters
    ----------
    size : (W, H) of the image, pixels.

    Returns
    -------
    (H, W) float32.

    Raises
    ------
    InputError : missing, damaged, of another size, not finite, or the same everywhere.
    """
    path = depth_file(root, category, stem)
    values = load_array(path, "a file of relative inverse depth")
    if values.dtype.kind not in "uif" or values.shape != (size[1], size[0]):
        raise InputError(
            f"{path}: expected numbers, {size[1]} x {size[0]} (height x width of the image), "
            f"found {values.dtype} {' x '.join(map(str, values.shape))}"
        )
    with np.errstate(over="ignore"):
        inverse_depth = values.astype(np.float32)
    problem = depth_problem(inverse_depth)
    if problem:
        raise InputError(f"{path}: unusable: {problem}")
    return inverse_depth
