"""VGGT: depth, confidence and intrinsics of the object's surroundings (METHOD.md 3).

Meta's package is no dependency of ours and is imported only when chosen. Depth comes back as
inverse depth, as that of the other sources, but without an unknown offset; confidence and
intrinsics stand beside it.
"""

from typing import TYPE_CHECKING

import numpy as np

from ...datasets.records import Box
from ...errors import InputError
from ...files.images import require_rgb
from ..hub import PretrainedModel
from .crops import Crop, object_crop
from .depth_anything import DepthMap, depth_problem

if TYPE_CHECKING:
    import torch

DEFAULT_MODEL = "facebook/VGGT-1B"


def vggt_model(model: str) -> PretrainedModel:
    """The network that `depth.model` names."""
    return PretrainedModel(model, "VGGT model", "depth.model", ("config.json",))


class Vggt:
    """VGGT on one image at a time.

    Parameters
    ----------
    model : local folder, or a model id of the hub.
    device : where it runs, in float32.

    Raises
    ------
    InputError : the package is not installed, no such model, or files that do not fit each other.
    """

    def __init__(self, model: str, device: "torch.device") -> None:
        folder = vggt_model(model).folder()
        try:
            from vggt.models.vggt import VGGT
            from vggt.utils.pose_enc import pose_encoding_to_extri_intri
        except ImportError as error:
            raise InputError(
                f"depth.source is vggt, but its package cannot be imported ({error})",
                hint="Install it: pip install git+https://github.com/facebookresearch/vggt",
            ) from error
        self.decode_pose = pose_encoding_to_extri_intri
        try:
            self.network = VGGT.from_pretrained(str(folder)).eval().to(device)
        except Exception as error:  # of the package, the hub's mixin or torch: many types
            raise InputError(f"VGGT model {folder}: cannot be loaded ({error})") from error
        self.device = device

    def predict(self, image: np.ndarray, box: Box, name: str = "image") -> DepthMap:
        """Depth, confidence and intrinsics, from the surroundings of the box.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB.
        box : (x1, y1, x2, y2) of the object, pixels.
        name : what errors call it.

        Raises
        ------
        InputError : the network's result is unusable.
        """
        import torch

        require_rgb(image)
        size = (image.shape[1], image.shape[0])
        crop = object_crop(box, size)
        pixels = _resized(image, crop).to(self.device)
        with torch.inference_mode():
            found = self.network(pixels[None, None])
            shape = tuple(pixels.shape[-2:])
            _, matrix = self.decode_pose(found["pose_enc"], shape)
        depth, confidence, matrix = (
            np.asarray(values[0, 0].float().cpu().numpy(), dtype=np.float64)
            for values in (found["depth"][..., 0], found["depth_conf"], matrix)
        )
        intrinsics = matrix[[0, 1, 0, 1], [0, 1, 2, 2]]
        try:
            return view_of_crop(depth, confidence, intrinsics, crop, size)
        except InputError as error:
            raise InputError(f"{name}: VGGT's result is unusable: {error}") from error


def _resized(image: np.ndarray, crop: Crop) -> "torch.Tensor":
    """The crop (3, h, w), values from 0 to 1."""
    import torch
    from torch.nn import functional

    left, top, right, bottom = crop.window
    window = torch.from_numpy(np.ascontiguousarray(image[top:bottom, left:right]))
    values = window.permute(2, 0, 1)[None].float() / 255.0
    resized = functional.interpolate(
        values, crop.size[::-1], mode="bicubic", align_corners=False, antialias=True
    )
    return resized[0].clamp(0, 1)


def view_of_crop(
    depth: np.ndarray,
    confidence: np.ndarray,
    intrinsics: np.ndarray,
    crop: Crop,
    size: tuple[int, int],
) -> DepthMap:
    """Undo crop and scale of what a network gave.

    The inverse depth is 1 where the image is nearest, and outside of the crop that of the crop's
    nearest pixel; confidence is 0 there. It has no offset.

    Parameters
    ----------
    depth, confidence : (h, w) of the crop, in the network's pixels; depth positive.
    intrinsics : (4,) fx, fy, cx, cy in the network's pixels.
    size : (W, H) of the image.

    Raises
    ------
    InputError : depth that is not positive and finite, or the same everywhere; bad intrinsics.
    """
    import torch
    from torch.nn import functional

    if depth.shape != crop.size[::-1] or confidence.shape != depth.shape:
        raise ValueError(
            f"depth and confidence: expected {crop.size[::-1]}, found {depth.shape}, "
            f"{confidence.shape}"
        )
    if not np.isfinite(depth).all() or depth.min() <= 0:
        raise InputError("the depth is not positive and finite everywhere")
    if not np.isfinite(intrinsics).all() or intrinsics[:2].min() <= 0:
        raise InputError(f"the intrinsics make no sense: {np.array2string(intrinsics)}")
    left, top, right, bottom = crop.window
    maps = torch.from_numpy(np.stack([1.0 / depth, confidence]).astype(np.float32))
    inside = functional.interpolate(
        maps[None], (bottom - top, right - left), mode="bilinear", align_corners=False
    )[0].numpy()
    outside = ((top, size[1] - bottom), (left, size[0] - right))
    inverse_depth = np.pad(inside[0], outside, mode="edge")
    problem = depth_problem(inverse_depth)
    if problem:
        raise InputError(problem)
    return DepthMap(
        inverse_depth / inverse_depth.max(),
        confidence=np.pad(inside[1], outside),
        intrinsics=crop.intrinsics_of_image(intrinsics),
        offset=0.0,
    )
