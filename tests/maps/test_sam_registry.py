"""SAM models by name: published key names, checkpoints in and out, clear errors."""

from pathlib import Path

import pytest
import torch

from semalign3d.errors import InputError
from semalign3d.maps.masks.sam_registry import PUBLISHED, SAM_MODELS, build_sam, build_sam_demo

PUBLISHED_KEYS = {
    "image_encoder.pos_embed": (1, 64, 64, 768),
    "image_encoder.patch_embed.proj.weight": (768, 3, 16, 16),
    "image_encoder.blocks.0.attn.qkv.weight": (2304, 768),
    "image_encoder.blocks.0.attn.rel_pos_h": (27, 64),
    "image_encoder.blocks.2.attn.rel_pos_h": (127, 64),
    "image_encoder.blocks.11.mlp.lin2.bias": (768,),
    "image_encoder.neck.3.bias": (256,),
    "prompt_encoder.pe_layer.positional_encoding_gaussian_matrix": (2, 128),
    "prompt_encoder.point_embeddings.3.weight": (1, 256),
    "prompt_encoder.mask_downscaling.6.weight": (256, 16, 1, 1),
    "mask_decoder.iou_token.weight": (1, 256),
    "mask_decoder.mask_tokens.weight": (4, 256),
    "mask_decoder.transformer.layers.1.cross_attn_image_to_token.q_proj.weight": (128, 256),
    "mask_decoder.output_upscaling.3.weight": (64, 32, 2, 2),
    "mask_decoder.output_hypernetworks_mlps.3.layers.2.weight": (32, 256),
    "mask_decoder.iou_prediction_head.layers.2.weight": (4, 256),
}
"""Some names and shapes of the published sam_vit_b_01ec64.pth."""


@pytest.fixture(scope="module")
def vit_b_state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return SAM_MODELS["vit_b"]().state_dict()


def test_vit_b_has_the_published_keys(vit_b_state: dict[str, torch.Tensor]) -> None:
    assert {k: tuple(vit_b_state[k].shape) for k in PUBLISHED_KEYS} == PUBLISHED_KEYS
    assert len(vit_b_state) == 314
    assert sum(value.numel() for value in vit_b_state.values()) == 93_735_728


def test_vit_b_loads_what_was_saved(vit_b_state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    path = tmp_path / "sam_vit_b.pth"
    torch.save(vit_b_state, path)
    loaded = build_sam("vit_b", path)
    assert not loaded.training
    for name, value in loaded.state_dict().items():
        assert torch.equal(value, vit_b_state[name])


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    path = tmp_path / "half.pth"
    torch.save({k: v.half() for k, v in build_sam_demo().state_dict().items()}, path)
    assert {v.dtype for v in build_sam("vit_demo", path).state_dict().values()} == {torch.float32}


def test_unknown_type_lists_those_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="vit_b, vit_l, vit_h, vit_demo"):
        build_sam("vit_x", tmp_path / "any.pth")


@pytest.mark.parametrize("model_type", sorted(PUBLISHED))
def test_missing_checkpoint_says_where_to_get_it(model_type: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        build_sam(model_type, tmp_path / "none.pth")
    assert "none.pth" in str(caught.value)
    assert PUBLISHED[model_type] in str(caught.value)


def test_weights_of_another_type_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "demo.pth"
    torch.save(build_sam_demo().state_dict(), path)
    with pytest.raises(InputError, match=r"demo\.pth: not the weights of a SAM vit_b") as caught:
        build_sam("vit_b", path)
    assert "vit_demo" in str(caught.value)


def test_another_shape_is_named(tmp_path: Path) -> None:
    state = build_sam_demo().state_dict()
    state["mask_decoder.iou_token.weight"] = torch.zeros(1, 7)
    torch.save(state, tmp_path / "odd.pth")
    with pytest.raises(InputError, match=r"iou_token\.weight \(expected \(1, 96\), found \(1, 7\)"):
        build_sam("vit_demo", tmp_path / "odd.pth")


class _Code:
    def __reduce__(self) -> tuple:
        return (print, ("code ran",))


def test_code_in_a_checkpoint_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"weight": _Code()}, tmp_path / "code.pth")
    with pytest.raises(InputError, match="code"):
        build_sam("vit_demo", tmp_path / "code.pth")
    assert "code ran" not in capsys.readouterr().out


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "short.pth"
    torch.save(build_sam_demo().state_dict(), path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"short\.pth"):
        build_sam("vit_demo", path)
