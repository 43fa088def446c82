"""Descriptor maps straight from photos: DINOv2 and DINOv3 through `transformers` (METHOD.md 1.4).

The image is padded to a centred square and resized so that each cell of the descriptor grid is
one patch of the vision transformer: 60 x 60 cells of 14 pixels are 840 x 840 for DINOv2.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...files.digest import values_digest
from ...files.images import require_rgb
from ..hub import PretrainedModel
from .geoaware import identity as post_processor_identity
from .geoaware import unit_cells

if TYPE_CHECKING:
    import torch

ARCHITECTURES = {"dinov2": ("dinov2", "dinov2_with_registers"), "dinov3": ("dinov3_vit",)}
"""`model_type` in config.json that each kind of encoder accepts."""
DEFAULT_MODELS = {
    "dinov2": "facebook/dinov2-base",
    "dinov3": "facebook/dinov3-vitb16-pretrain-lvd1689m",
}
INPUTS = ("dino",)
"""What a post-processor network behind these encoders was trained on."""


def vit_model(model: str) -> PretrainedModel:
    """The network that `descriptors.model` names."""
    return PretrainedModel(model, "descriptor model", "descriptors.model")


def identity(model: str, grid: int, checkpoint: str | Path | None) -> str:
    """What makes descriptors, for stamps, without loading the network."""
    return values_digest(
        model=vit_model(model).identity(),
        grid=grid,
        post_processor=post_processor_identity(checkpoint),
    )


def padded_square(image: np.ndarray) -> tuple[int, int, int, int]:
    """Padding (left, right, top, bottom) that makes a centred square of an image (H, W, ...)."""
    height, width = image.shape[:2]
    longest = max(height, width)
    left, top = (longest - width) // 2, (longest - height) // 2
    return left, longest - width - left, top, longest - height - top


class VitEncoder:
    """Patch features of a vision transformer: one L2-normalised descriptor per grid cell.

    Parameters
    ----------
    kind : `dinov2` (with or without registers) or `dinov3`.
    model : local folder, or a model id of the hub.
    grid : G, cells a side of the padded square.
    checkpoint : post-processor network behind it, one that was trained on `dino` alone; None:
        the patch features themselves.
    device : where both run; the transformer in float16 on CUDA, else in float32.

    Raises
    ------
    InputError : no such model, one of another kind, or files that do not fit each other.
    """

    def __init__(
        self,
        kind: str,
        model: str,
        grid: int,
        checkpoint: str | Path | None,
        device: "torch.device",
    ) -> None:
        import torch
        from transformers import AutoModel

        from .post_processor import load_post_processor

        pretrained = vit_model(model)
        self.dtype = torch.float16 if device.type == "cuda" else torch.float32
        self.grid, self.device = grid, device
        self.mean, self.std = _normalisation(pretrained)
        self.network = pretrained.load(AutoModel, self.dtype)
        found = self.network.config.model_type
        if found not in ARCHITECTURES[kind]:
            raise InputError(
                f"descriptor model {model}: expected a network of type "
                f"{' or '.join(ARCHITECTURES[kind])}, found {found}",
                hint="Set descriptors.source to the kind of descriptors.model.",
            )
        self.network.to(device)
        self.post_processor = None
        if checkpoint is not None:
            self.post_processor = load_post_processor(checkpoint, INPUTS).to(device)
            _check_channels(self.post_processor.channels["dino"], self.network, checkpoint)

    def encode(self, image: np.ndarray, name: str = "image") -> np.ndarray:
        """Descriptors of an image and its mirror image, in one batch: (2, G, G, C) float32.

        No more images go into a pass: 2 x 3,600 patches fill a GPU, on a CPU larger batches save
        nothing (8 squares of 900 patches at once took as long as 4 times 2), and results cannot
        depend on which images happen to be computed together.

        Parameters
        ----------
        image : (H, W, 3) uint8, RGB.
        name : what errors call it.

        Raises
        ------
        InputError : the result is not finite.
        """
        import torch

        require_rgb(image)
        with torch.inference_mode():
            maps = self._patches(self._squares(image))
            if self.post_processor is not None:
                maps = torch.cat([self.post_processor({"dino": one[None]}) for one in maps])
            return unit_cells(maps, name)

    def _squares(self, image: np.ndarray) -> "torch.Tensor":
        """The image and its mirror image, normalised, padded with the mean colour and resized.

        Both are padded alike, as METHOD.md 1.4 has it also where the padding is odd.
        """
        import torch
        from torch.nn import functional

        pixels = torch.from_numpy(np.stack([image, image[:, ::-1]])).to(self.device)
        values = pixels.permute(0, 3, 1, 2).float().div_(255.0)
        mean, std = (
            torch.tensor(v, device=self.device)[:, None, None] for v in (self.mean, self.std)
        )
        square = functional.pad((values - mean) / std, padded_square(image))
        side = self.grid * int(self.network.config.patch_size)
        return functional.interpolate(
            square, (side, side), mode="bicubic", align_corners=False, antialias=True
        )

    def _patches(self, squares: "torch.Tensor") -> "torch.Tensor":
        """Features (n, C, G, G) of the patches; class and register tokens are dropped."""
        tokens = self.network(pixel_values=squares.to(self.dtype)).last_hidden_state
        prefix = 1 + int(getattr(self.network.config, "num_register_tokens", 0))
        patches = tokens[:, prefix:]
        if patches.shape[1] != self.grid**2:
            raise RuntimeError(
                f"{tokens.shape[1]} tokens, expected {self.grid} x {self.grid} and {prefix} others"
            )
        return patches.float().transpose(1, 2).unflatten(2, (self.grid, self.grid)).contiguous()


def _normalisation(model: PretrainedModel) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of the colours, in units of the full range."""
    processor = model.image_processor()
    mean, std = (list(getattr(processor, name, None) or ()) for name in ("image_mean", "image_std"))
    if len(mean) != 3 or len(std) != 3:
        raise InputError(
            f"{model.what} {model.name}: preprocessor_config.json: expected three numbers each for "
            f"image_mean and image_std, found {mean} and {std}"
        )
    return mean, std


def _check_channels(expected: int, network: Any, checkpoint: str | Path) -> None:
    found = network.config.hidden_size
    if found != expected:
        raise InputError(
            f"{checkpoint}: a post-processor of {expected} channels, but the descriptor model "
            f"gives {found}",
            hint="Use the checkpoint that was trained on this model's features, or 'raw'.",
        )
