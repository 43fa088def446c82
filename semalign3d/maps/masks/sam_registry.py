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
from ...files.tensors import load_state_dict

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
    state = load_state_dict(path)
    sam = SAM_MODELS[model_type]()
    problems = _differences(sam.state_dict(), state)
    if problems:
        raise InputError(
            f"{path}: not the weights of a SAM {model_type}: {problems}",
            hint=f"Set the model type to that of the checkpoint, one of {known}.",
        )
    sam.load_state_dict({name: value.float() for name, value in state.items()})
    return sam.eval()


def _differences(expected: dict[str, torch.Tensor], found: dict[str, torch.Tensor]) -> str:
    """In words, how the names and shapes of two state dicts differ; empty if they agree."""
    missing = sorted(expected.keys() - found.keys())
    surplus = sorted(found.keys() - expected.keys())
    shapes = [k for k in expected.keys() & found.keys() if expected[k].shape != found[k].shape]
    parts = []
    if missing:
        parts.append(f"{len(missing)} weights missing, such as {missing[0]}")
    if surplus:
        parts.append(f"{len(surplus)} unknown weights, such as {surplus[0]}")
    if shapes:
        name = min(shapes)
        parts.append(
            f"{len(shapes)} weights of another shape, such as {name}: expected "
            f"{tuple(expected[name].shape)}, found {tuple(found[name].shape)}"
        )
    return "; ".join(parts)
