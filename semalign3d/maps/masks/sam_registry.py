"""Segment Anything models by name: the three published sizes and the demo's small one."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from segment_anything import build_sam_vit_b, build_sam_vit_h, build_sam_vit_l
from segment_anything.modeling import (
    ImageEncoderViT,
    MaskDecoder,
    PromptEncoder,
    Sam,
    TwoWayTransformer,
)

from ...errors import InputError
from ...files.tensors import load_state_dict, load_weights

PUBLISHED = {
    "vit_b": "https://dl.fbaipublicfiles.com/segment_anything/sam_vit_b_01ec64.pth",
    "vit_l": "https://dl.fbaipublicfiles.com/segment_anything/sam_vit_l_0b3195.pth",
    "vit_h": "https://dl.fbaipublicfiles.com/segment_anything/sam_vit_h_4b8939.pth",
}
"""Where the published checkpoints are."""

_DEMO_SIDE, _DEMO_PATCH, _DEMO_WIDTH, _DEMO_CHANNELS = 240, 12, 144, 96


def build_sam_demo() -> Sam:
    """A SAM of 2.1 million parameters for 240-pixel images, all attention global."""
    grid = _DEMO_SIDE // _DEMO_PATCH
    sam = Sam(
        image_encoder=ImageEncoderViT(
            img_size=_DEMO_SIDE,
            patch_size=_DEMO_PATCH,
            embed_dim=_DEMO_WIDTH,
            depth=6,
            num_heads=3,
            norm_layer=partial(torch.nn.LayerNorm, eps=1e-6),
            out_chans=_DEMO_CHANNELS,
        ),
        prompt_encoder=PromptEncoder(
            embed_dim=_DEMO_CHANNELS,
            image_embedding_size=(grid, grid),
            input_image_size=(_DEMO_SIDE, _DEMO_SIDE),
            mask_in_chans=16,
        ),
        mask_decoder=MaskDecoder(
            transformer_dim=_DEMO_CHANNELS,
            transformer=TwoWayTransformer(
                depth=2, embedding_dim=_DEMO_CHANNELS, num_heads=4, mlp_dim=192
            ),
            num_multimask_outputs=3,
            iou_head_depth=2,
            iou_head_hidden_dim=_DEMO_CHANNELS,
        ),
        pixel_mean=[123.675, 116.28, 103.53],
        pixel_std=[58.395, 57.12, 57.375],
    )
    return sam.eval()


SAM_MODELS: dict[str, Callable[[], Sam]] = {
    "vit_b": build_sam_vit_b,
    "vit_l": build_sam_vit_l,
    "vit_h": build_sam_vit_h,
    "vit_demo": build_sam_demo,
}
"""Builders of untrained models by model type."""


def _source(model_type: str) -> str:
    """Where the checkpoint of a model type is to be had."""
    if model_type in PUBLISHED:
        return f"Download it from {PUBLISHED[model_type]} and give its path in masks.checkpoint."
    return "The demo's own is demo/networks/sam_demo.pth."


def build_sam(model_type: str, checkpoint: str | Path) -> Sam:
    """A SAM with the weights of a checkpoint, in float32 and evaluation mode (METHOD.md 2).

    Parameters
    ----------
    model_type : one of ``SAM_MODELS``
    checkpoint : a state dict; half precision is converted

    Raises
    ------
    InputError
        Unknown model type; no such file (the message says where the published checkpoints are); a
        file that is no state dict; weights of another model type.
    """
    known = ", ".join(SAM_MODELS)
    if model_type not in SAM_MODELS:
        raise InputError(f"unknown SAM model type {model_type!r}; known: {known}")
    path = Path(checkpoint)
    if not path.is_file():
        raise InputError(f"SAM checkpoint {path}: no such file", hint=_source(model_type))
    sam = SAM_MODELS[model_type]()
    hint = f"Set the model type to that of the checkpoint, one of {known}."
    problem = f"{path}: not the weights of a SAM {model_type}"
    load_weights(sam, load_state_dict(path), problem, hint)
    return sam
