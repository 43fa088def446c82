"""Depth: through transformers' Depth Anything classes, and from files."""

import json
import shutil

import numpy as np
import pytest
import torch
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTImageProcessor,
)

from semalign3d.errors import InputError
from semalign3d.maps.depth import depth_anything as depth
from semalign3d.maps.depth.depth_anything import DepthAnything, read_depth_file

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny Depth Anything with random weights, saved as a local folder."""
    torch.manual_seed(0)
    backbone = Dinov2Config(
        hidden_size=24,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=56,
        patch_size=14,
        out_indices=[1, 2, 3, 4],
        reshape_hidden_states=False,
        apply_layernorm=True,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        patch_size=14,
        reassemble_hidden_size=24,
        neck_hidden_sizes=[8, 8, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=8,
        head_in_index=-1,
    )
    network = DepthAnythingForDepthEstimation(config)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    network.head.conv3.bias.data.fill_(3.0)
    path = tmp_path_factory.mktemp("depth")
    network.save_pretrained(path)
    processor = DPTImageProcessor(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14
    )
    processor.save_pretrained(path)
    return path


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(60, 90), (90, 60), (64, 64), (57, 20)])
def test_depth_has_the_images_size_and_repeats(folder, shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    network = DepthAnything(str(folder), CPU)
    found = network.predict(image)
    assert found.shape == shape
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert np.array_equal(found, network.predict(image))


def test_depth_is_the_stock_pipeline(folder, image):
    from PIL import Image
    from transformers import pipeline

    stock = pipeline("depth-estimation", model=str(folder), device="cpu", dtype=torch.float32)
    truth = stock(Image.fromarray(image))["predicted_depth"].clamp(min=0).numpy()
    np.testing.assert_allclose(DepthAnything(str(folder), CPU).predict(image), truth, atol=1e-4)


def test_half_precision_weights_run_in_float32(folder, image, tmp_path):
    DepthAnythingForDepthEstimation.from_pretrained(folder).half().save_pretrained(tmp_path)
    shutil.copy(folder / "preprocessor_config.json", tmp_path)
    network = DepthAnything(str(tmp_path), CPU)
    assert {value.dtype for value in network.network.parameters()} == {torch.float32}
    full = DepthAnything(str(folder), CPU).predict(image)
    np.testing.assert_allclose(network.predict(image), full, rtol=0.05, atol=0.05 * full.max())


def test_identity_needs_no_network_and_sees_every_file(folder, tmp_path):
    one = depth.depth_model(str(folder)).identity()
    seen = {one}
    for name in ("config.json", "preprocessor_config.json", "model.safetensors"):
        copy = tmp_path / name
        shutil.copytree(folder, copy)
        assert depth.depth_model(str(copy)).identity() == one
        (copy / name).write_bytes((copy / name).read_bytes() + b" ")
        seen.add(depth.depth_model(str(copy)).identity())
    assert len(seen) == 4


@pytest.mark.parametrize(
    "bias", [torch.nan, -1e6], ids=["not finite", "nothing passes the last activation"]
)
def test_unusable_results_are_errors(folder, image, bias):
    network = DepthAnything(str(folder), CPU)
    network.network.head.conv3.bias.data.fill_(bias)
    with pytest.raises(InputError, match="chair_000: the depth network's result is unusable"):
        network.predict(image, "chair_000")


def test_folders_that_cannot_be_used(folder, tmp_path, image, monkeypatch):
    with pytest.raises(InputError, match=r"no such folder, and not a model id"):
        DepthAnything(str(tmp_path / "nothing"), CPU)
    with pytest.raises(InputError, match=r"no such folder"):
        DepthAnything("./nothing", CPU)
    with pytest.raises(InputError, match=r"lacks config\.json.*model\.safetensors"):
        DepthAnything(str(tmp_path), CPU)
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    weights = (copy / "model.safetensors").read_bytes()
    (copy / "model.safetensors").write_bytes(weights[: len(weights) // 2])
    with pytest.raises(InputError, match="cannot be loaded"):
        DepthAnything(str(copy), CPU)
    (copy / "model.safetensors").write_bytes(weights)
    settings = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(settings | {"model_type": "nonsense"}))
    with pytest.raises(InputError, match="cannot be loaded"):
        DepthAnything(str(copy), CPU)
    with pytest.raises(ValueError, match="image: expected"):
        DepthAnything(str(folder), CPU).predict(image[..., 0])


def test_weights_of_another_network(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    shutil.copytree(folder, tmp_path / "copy")
    weights = load_file(folder / "model.safetensors")
    weights.pop("head.conv2.weight")
    save_file(weights, tmp_path / "copy" / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match=r"the weights lack head\.conv2\.weight"):
        DepthAnything(str(tmp_path / "copy"), CPU)


def test_pickled_weights_are_not_loaded(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"lacks model\.safetensors"):
        DepthAnything(str(copy), CPU)


def test_a_hub_model_out_of_reach(monkeypatch):
    def unreachable(*args, **kwargs):
        raise OSError("no route to the hub")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(InputError, match=r"no route to the hub[\s\S]*local folder.*depth\.model"):
        depth.depth_model("nobody/no-such-model").identity()


def test_a_cached_hub_model_is_known_by_its_commit(folder, image, tmp_path, monkeypatch):
    snapshot = tmp_path / "snapshots" / "0123abcd"
    shutil.copytree(folder, snapshot)

    def cached(model, *, allow_patterns, local_files_only=False):
        assert local_files_only, "a cached model must not be asked for again"
        return str(snapshot)

    monkeypatch.setattr("huggingface_hub.snapshot_download", cached)
    assert depth.depth_model("somebody/cached-model").identity() == "somebody/cached-model@0123abcd"
    assert np.isfinite(DepthAnything("somebody/cached-model", CPU).predict(image)).all()


RAMP = np.linspace(0, 2, 12 * 20).reshape(12, 20)


def save(root, array):
    (root / "chair").mkdir(exist_ok=True)
    np.save(root / "chair" / "a_depth.npy", array)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.uint16])
def test_depth_files_are_read(tmp_path, dtype):
    truth = (RAMP * 100).astype(dtype)
    save(tmp_path, truth)
    found = read_depth_file(tmp_path, "chair", "a", (20, 12))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, truth.astype(np.float64), rtol=1e-6)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (RAMP.T, "expected numbers, 12 x 20 .* found float64 20 x 12"),
        (RAMP[None], "found float64 1 x 12 x 20"),
        (RAMP > 1, "found bool"),
        (np.where(RAMP > 1.99, np.nan, RAMP), "of 240 values are not finite"),
        (np.where(RAMP > 1.99, np.inf, RAMP), "of 240 values are not finite"),
        (np.ones((12, 20)), "the same everywhere"),
        (RAMP - 3, "no value is above 0"),
        (RAMP * 1e300, "not finite"),
    ],
)
def test_bad_depth_files(tmp_path, array, message):
    save(tmp_path, array)
    with pytest.raises(InputError, match=message) as caught:
        read_depth_file(tmp_path, "chair", "a", (20, 12))
    assert "a_depth.npy" in str(caught.value)


def test_missing_and_damaged_depth_files(tmp_path):
    with pytest.raises(InputError, match=r"a_depth\.npy: no such file"):
        read_depth_file(tmp_path, "chair", "a", (20, 12))
    save(tmp_path, RAMP)
    path = depth.depth_file(tmp_path, "chair", "a")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="not a whole array file"):
        read_depth_file(tmp_path, "chair", "a", (20, 12))
    save(tmp_path, np.array([{"a": 1}]))
    with pytest.raises(InputError, match="not a whole array file of numbers"):
        read_depth_file(tmp_path, "chair", "a", (20, 12))
