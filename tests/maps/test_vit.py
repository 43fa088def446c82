"""DINOv2 and DINOv3 as encoders: small networks with random weights, saved as local folders."""

import json
import shutil

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageOps
from transformers import (
    AutoModel,
    BitImageProcessor,
    Dinov2Config,
    Dinov2WithRegistersConfig,
    DINOv3ViTConfig,
)

from semalign3d.datasets.orientation import unlabelled
from semalign3d.errors import InputError
from semalign3d.geometry.grid import cell_to_pixel
from semalign3d.maps.descriptors import vit
from semalign3d.maps.descriptors.post_processor import PostProcessor
from semalign3d.maps.descriptors.sources import VitImages
from semalign3d.maps.descriptors.vit import VitEncoder

CPU = torch.device("cpu")
GRID, WIDTH = 12, 32
SIZES = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 56,
    "patch_size": 14,
}
NETWORKS = {
    "dinov2": Dinov2Config(**SIZES, mlp_ratio=2),
    "dinov2 with registers": Dinov2WithRegistersConfig(**SIZES, mlp_ratio=2),
    "dinov3": DINOv3ViTConfig(
        **SIZES | {"patch_size": 16}, intermediate_size=64, num_register_tokens=3
    ),
}
IMAGES = {"landscape": (90, 61), "portrait": (61, 90), "square": (72, 72), "small": (30, 17)}
"""(W, H): odd paddings, and images larger and smaller than what the network takes."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    made = {}
    for name, config in NETWORKS.items():
        torch.manual_seed(0)
        made[name] = tmp_path_factory.mktemp("vit")
        network = AutoModel.from_config(config)
        for parameter in network.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.1)
        network.save_pretrained(made[name])
        BitImageProcessor(image_mean=[0.4, 0.5, 0.6], image_std=[0.2, 0.25, 0.3]).save_pretrained(
            made[name]
        )
    return made


@pytest.fixture(scope="module")
def encoders(folders):
    return {
        name: VitEncoder(name.split()[0], str(folder), GRID, None, CPU)
        for name, folder in folders.items()
    }


def noise(size, seed=0):
    width, height = size
    return np.random.default_rng(seed).integers(90, 120, (height, width, 3), dtype=np.uint8)


def marked(image, cell):
    """The image with the pixels of one grid cell in another colour."""
    height, width = image.shape[:2]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    centre = cell_to_pixel(np.array(cell), (width, height), GRID)
    half = max(width, height) / GRID / 2
    inside = (np.abs(x + 0.5 - centre[0]) < half) & (np.abs(y + 0.5 - centre[1]) < half)
    assert inside.any()
    changed = image.copy()
    changed[inside] = [250, 20, 120]
    return changed


@pytest.mark.parametrize("shape", IMAGES)
@pytest.mark.parametrize("name", NETWORKS)
def test_features_stand_in_the_cells_of_what_is_seen_there(encoders, name, shape):
    """A change of one cell's pixels changes most the features of that cell, mirrored too."""
    image = noise(IMAGES[shape])
    before = encoders[name].encode(image)
    assert before.shape == (2, GRID, GRID, WIDTH)
    assert before.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(before, axis=3), 1.0, atol=1e-5)
    width, height = IMAGES[shape]
    longest = max(width, height)
    for pixel in ([0.55, 0.5], [0.1, 0.2], [0.9, 0.7]):
        u, v = (
            int((share * side + (longest - side) // 2) / longest * GRID)
            for share, side in zip(pixel, (width, height), strict=True)
        )
        after = encoders[name].encode(marked(image, (u, v)))
        change = np.linalg.norm(after - before, axis=3)
        assert np.unravel_index(change[0].argmax(), (GRID, GRID)) == (v, u)
        mirrored = np.linalg.norm(
            encoders[name].encode(np.ascontiguousarray(marked(image, (u, v))[:, ::-1]))
            - before[::-1],
            axis=3,
        )
        np.testing.assert_allclose(mirrored[::-1], change, atol=1e-5)
        place = np.unravel_index(change[1].argmax(), (GRID, GRID))
        assert abs(place[1] - (GRID - 1 - u)) <= ((longest - width) % 2)
        assert place[0] == v


@pytest.mark.parametrize("name", NETWORKS)
def test_features_are_the_networks_own(encoders, folders, name):
    """Of an image that needs no padding and no resizing: the stock network's patch tokens."""
    side = GRID * NETWORKS[name].patch_size
    image = noise((side, side), seed=1)
    network = AutoModel.from_pretrained(folders[name]).eval()
    values = (image / 255.0 - [0.4, 0.5, 0.6]) / [0.2, 0.25, 0.3]
    with torch.inference_mode():
        tokens = network(torch.from_numpy(values).float().permute(2, 0, 1)[None])
    truth = tokens.last_hidden_state[0, -(GRID**2) :].numpy().reshape(GRID, GRID, WIDTH)
    truth /= np.linalg.norm(truth, axis=2, keepdims=True)
    np.testing.assert_allclose(encoders[name].encode(image)[0], truth, atol=1e-4)


def test_a_post_processor_behind_it(folders, encoders, tmp_path):
    torch.manual_seed(1)
    network = PostProcessor([WIDTH], 32, 64, ["dino"])
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    path = tmp_path / "network.pth"
    torch.save(network.state_dict(), path)
    network.load_state_dict(network.state_dict())
    image = noise(IMAGES["landscape"])
    encoder = VitEncoder("dinov2", str(folders["dinov2"]), GRID, path, CPU)
    with torch.inference_mode():
        patches = encoder._patches(encoder._squares(image))
        truth = network({"dino": patches[:1]})[0].permute(1, 2, 0).numpy()
    truth /= np.linalg.norm(truth, axis=2, keepdims=True)
    np.testing.assert_allclose(encoder.encode(image)[0], truth, atol=1e-5)
    other = PostProcessor([64], 32, 64, ["dino"])
    torch.save(other.state_dict(), path)
    with pytest.raises(InputError, match="of 64 channels, but the descriptor model gives 32"):
        VitEncoder("dinov2", str(folders["dinov2"]), GRID, path, CPU)
    torch.save(PostProcessor([32] * 4, 32, 64).state_dict(), path)
    with pytest.raises(InputError, match="a post-processor of 4 inputs, expected 1: dino"):
        VitEncoder("dinov2", str(folders["dinov2"]), GRID, path, CPU)


def test_identity_tells_model_grid_and_post_processor_apart(folders, tmp_path):
    network = tmp_path / "network.pth"
    network.write_bytes(b"some weights")
    given = [(str(folders["dinov2"]), 60, None), (str(folders["dinov3"]), 60, None)]
    given += [(str(folders["dinov2"]), 30, None), (str(folders["dinov2"]), 60, network)]
    assert len({vit.identity(*values) for values in given}) == len(given)
    assert vit.identity(*given[0]) == vit.identity(*given[0])


def break_folder(folder, how):
    settings = folder / "preprocessor_config.json"
    if how == "no weights":
        (folder / "model.safetensors").unlink()
    elif how == "truncated weights":
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:1000])
    elif how == "pickled weights":
        (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    elif how == "no image settings":
        settings.unlink()
    elif how == "settings of one colour":
        settings.write_text(json.dumps(json.loads(settings.read_text()) | {"image_mean": [0.5]}))
    elif how == "another layer count":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("no weights", r"lacks model\.safetensors[\s\S]*descriptors\.model"),
        ("truncated weights", "cannot be loaded"),
        ("pickled weights", r"lacks model\.safetensors"),
        ("no image settings", r"lacks preprocessor_config\.json"),
        ("settings of one colour", r"expected three numbers each .* found \[0\.5\]"),
        ("another layer count", "the weights lack"),
    ],
)
def test_folders_that_cannot_be_used(folders, tmp_path, how, message):
    copy = tmp_path / "copy"
    shutil.copytree(folders["dinov2"], copy)
    break_folder(copy, how)
    with pytest.raises(InputError, match=message) as caught:
        VitEncoder("dinov2", str(copy), GRID, None, CPU)
    assert str(copy) in str(caught.value)


def test_another_kind_of_network(folders):
    with pytest.raises(InputError, match="expected a network of type dinov3_vit, found dinov2"):
        VitEncoder("dinov3", str(folders["dinov2"]), GRID, None, CPU)
    with pytest.raises(InputError, match="no such folder, and not a model id"):
        VitEncoder("dinov2", "./nothing", GRID, None, CPU)


def test_arrays_that_are_no_images(encoders):
    for bad in (np.zeros((6, 8), np.uint8), np.zeros((6, 8, 3))):
        with pytest.raises(ValueError, match="image: expected"):
            encoders["dinov2"].encode(bad)


def test_results_that_are_not_finite(folders):
    encoder = VitEncoder("dinov2", str(folders["dinov2"]), GRID, None, CPU)
    encoder.network.layernorm.bias.data.fill_(torch.nan)
    with pytest.raises(InputError, match="chair_000: the values"):
        encoder.encode(noise((20, 20)), "chair_000")


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_photo_has_the_descriptors_of_one_saved_turned(tmp_path, folders, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    Image.fromarray(noise((90, 61))).save(tmp_path / "a.png", exif=exif)
    with Image.open(tmp_path / "a.png") as image:
        ImageOps.exif_transpose(image).save(tmp_path / "b.png")
    photos = {
        name: unlabelled(tmp_path / f"{name[0]}.png", "mug", turned="stored" not in name)
        for name in ("a", "b", "a stored")
    }
    source = VitImages(
        "dinov2", str(folders["dinov2"]), GRID, None, photos.__getitem__, lambda: CPU
    )
    turned, saved, stored = (np.stack(source.encode(name)) for name in photos)
    assert np.array_equal(turned, saved)
    assert not np.allclose(turned, stored)
    assert source.stamp("a", "code") != source.stamp("a stored", "code")
