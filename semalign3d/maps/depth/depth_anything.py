"""Relative inverse depth: Depth Anything, or the user's files (METHOD.md 3)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ...errors import InputError
from ...files.arrays import load_array, times
from ...files.images import require_rgb
from ...geometry.intrinsics import intrinsics_problem
from ..hub import PretrainedModel

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class DepthMap:
    """What is known of an image's depth, and the content of results/depth.

    Attributes
    ----------
    depth : (H, W) float32 relative inverse depth, larger is nearer.
    confidence : (H, W) float32, larger is surer; None where the source gives none.
    intrinsics : (4,) fx, fy, cx, cy in pixels of the image; None likewise.
    offset : what must be added to the inverse depth over its maximum to make it proportional to
        that of true depth: 0 of a source that gives true depth up to scale; NaN if not known.
    """

    depth: np.ndarray
    confidence: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    offset: float = np.nan


def depth_model(model: str) -> PretrainedModel:
    """The network that `depth.model` names."""
    return PretrainedModel(model, "depth model", "depth.model")


class DepthAnything:
    """A depth network of `transformers` that gives relative inverse depth.

    Parameters
    ----------
    model : local folder, or a model id of the hub.
    device : where it runs, in float32.

    Raises
    ------
    InputError : no such model, an incomplete folder, or files that do not fit each other.
    """

    def __init__(self, model: str, device: "torch.device") -> None:
        import torch
        from transformers import AutoModelForDepthEstimation

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

        require_rgb(image)
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
    negative = inverse_depth < 0
    if negative.any():
        return (
            f"{negative.sum()} of {negative.size} values are negative (the smallest is "
            f"{inverse_depth.min():g}); where the offset is arbitrary, add one"
        )
    return None


def depth_file(root: str | Path, category: str, stem: str) -> Path:
    """The user's depth file of an image."""
    return Path(root) / category / f"{stem}_depth.npy"


def intrinsics_file(root: str | Path, category: str, stem: str) -> Path:
    """The user's camera matrix of an image, which need not exist."""
    return Path(root) / category / f"{stem}_intrinsics.npy"


def read_intrinsics_file(
    root: str | Path, category: str, stem: str, size: tuple[int, int]
) -> np.ndarray | None:
    """Read `<root>/<category>/<stem>_intrinsics.npy`: the 3 x 3 camera matrix in pixels.

    Parameters
    ----------
    size : (W, H) of the image, pixels.

    Returns
    -------
    (4,) float64 fx, fy, cx, cy; None if there is no such file.

    Raises
    ------
    InputError : damaged, no camera matrix without skew, or one that the image cannot have.
    """
    path = intrinsics_file(root, category, stem)
    if not path.exists():
        return None
    values = load_array(path, "a camera matrix")
    if values.dtype.kind not in "uif" or values.shape != (3, 3):
        raise InputError(
            f"{path}: expected a 3 x 3 camera matrix in pixels, "
            f"found {values.dtype} {times(values.shape)}"
        )
    matrix = values.astype(np.float64)
    intrinsics = matrix[[0, 1, 0, 1], [0, 1, 2, 2]]
    fx, fy, cx, cy = intrinsics
    if not np.array_equal(matrix, [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], equal_nan=True):
        raise InputError(
            f"{path}: expected [[fx, 0, cx], [0, fy, cy], [0, 0, 1]], found {matrix.tolist()}"
        )
    problem = intrinsics_problem(intrinsics, size)
    if problem:
        raise InputError(f"{path}: unusable: {problem}")
    return intrinsics


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
            f"found {values.dtype} {times(values.shape)}"
        )
    with np.errstate(over="ignore"):
        inverse_depth = values.astype(np.float32)
    problem = depth_problem(inverse_depth)
    if problem:
        raise InputError(f"{path}: unusable: {problem}")
    return inverse_depth
