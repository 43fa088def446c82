"""The demo's small Depth Anything: its configuration, first weights and helper heads."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTImageProcessor,
)
from transformers.image_utils import PILImageResampling

from demo.training.loop import fan_in, wave_positions

SIDE, PATCH, WIDTH, LAYERS, HEADS = 160, 16, 160, 6, 4
FUSION = 32
OFFSET = 1.0
"""Output of the network where a surface lies at the object's median depth."""
SUBGRID = 4
"""The token head predicts SUBGRID x SUBGRID cells a token."""
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
EXTRA = 7
"""Channels of the helper heads: canonical coordinates (3), normals (3), object."""


def make_config() -> DepthAnythingConfig:
    """Configuration of the published classes, small."""
    settings: dict[str, Any] = {
        "hidden_size": WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "image_size": SIDE,
        "patch_size": PATCH,
        "out_indices": [2, 3, 5, 6],
        "reshape_hidden_states": False,
        "apply_layernorm": True,
    }
    backbone = Dinov2Config(**settings)
    return DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=PATCH,
        reassemble_hidden_size=WIDTH,
        neck_hidden_sizes=[32, 48, 64, 96],
        fusion_hidden_size=FUSION,
        head_hidden_size=16,
    )


def initial_model() -> DepthAnythingForDepthEstimation:
    """An untrained model: fan-in weights in neck and head, sinusoidal positions, leaky output.

    The last activation is a leaky ReLU, so that no output starts dead; ``finished`` restores ReLU.
    """
    model = DepthAnythingForDepthEstimation(make_config())
    model.backbone.config._attn_implementation = "eager"
    fan_in(model.neck)
    fan_in(model.head)
    for name, parameter in model.named_parameters():
        if name.endswith(("convolution2.weight", "head.conv3.weight")):
            parameter.data *= 0.3
        elif name == "head.conv3.bias":
            nn.init.constant_(parameter, OFFSET)
    setattr(model.head, "activation2", nn.LeakyReLU(0.2))  # noqa: B010
    embeddings = model.backbone.embeddings
    grid = SIDE // PATCH
    waves = wave_positions(grid, grid, WIDTH).reshape(1, -1, WIDTH)
    embeddings.position_embeddings.data[:, 1:] = waves
    for part in model.backbone.modules():
        if isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            nn.init.zeros_(part.bias)
    return model


def finished(state: dict[str, torch.Tensor]) -> DepthAnythingForDepthEstimation:
    """A model with trained weights and the published classes' own activations."""
    model = DepthAnythingForDepthEstimation(make_config())
    model.load_state_dict(state)
    return model.eval()


def make_processor() -> DPTImageProcessor:
    """The picture's way into the network: SIDE x SIDE, whatever its shape; ImageNet's mean."""
    return DPTImageProcessor(
        do_resize=True,
        size={"height": SIDE, "width": SIDE},
        keep_aspect_ratio=False,
        ensure_multiple_of=1,
        resample=PILImageResampling.BICUBIC,
        do_rescale=True,
        do_normalize=True,
        image_mean=list(MEAN),
        image_std=list(STD),
        do_pad=False,
    )


class Trainee(nn.Module):
    """The network with helper heads that exist in training only.

    ``tokens`` reads the last layer's tokens, ``fused`` the neck's last map: both predict canonical
    coordinates, normals and the object; ``tokens`` also the relief.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = initial_model()
        self.tokens = nn.Linear(WIDTH, SUBGRID**2 * (EXTRA + 1))
        self.fused = nn.Conv2d(FUSION, EXTRA, 1)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Inverse depth (B, S, S), token maps (B, 8, g, g), fused maps (B, 7, h, h)."""
        model = self.network
        maps = model.backbone(pixels).feature_maps
        rows, columns = pixels.shape[-2] // PATCH, pixels.shape[-1] // PATCH
        fused = model.neck(maps, rows, columns)
        depth = model.head(fused, rows, columns)
        tokens = self.tokens(maps[-1][:, 1:]).reshape(
            len(pixels), rows, columns, EXTRA + 1, SUBGRID, SUBGRID
        )
        tokens = tokens.permute(0, 3, 1, 4, 2, 5).reshape(
            len(pixels), EXTRA + 1, rows * SUBGRID, columns * SUBGRID
        )
        return depth, tokens, self.fused(fused[-1])
