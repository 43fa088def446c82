"""VGGT's crop and the way back on analytic scenes, through a stand-in of the package.

The stand-in has the package's interface (`vggt.models.vggt.VGGT`, `vggt.utils.pose_enc`) and, as a
network, paints its depth in colours: red holds x, green y of the scene, so that a wrong crop, scale
or order of axes ends in wrong depth. The real package is not run.
"""

import dataclasses
import sys
import types

import numpy as np
import pytest
import torch
from PIL import Image

from semalign3d.datasets.records import ImageRecord
from semalign3d.errors import InputError
from semalign3d.maps.depth import vggt
from semalign3d.maps.depth.crops import Crop, object_crop
from semalign3d.maps.depth.sources import open_depth
from semalign3d.maps.depth.vggt import Vggt, view_of_crop

CPU = torch.device("cpu")
SIZES = [(640, 480), (333, 500), (300, 300)]
BOX = (120.0, 90.0, 260.0, 250.0)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("box", [BOX, (0.0, 0.0, 30.0, 200.0), (200.5, 250.2, 299.0, 299.0)])
def test_crops_are_what_the_network_takes(size, box):
    crop = object_crop(box, size)
    left, top, right, bottom = crop.window
    assert max(crop.size) == 518
    assert all(side % 14 == 0 for side in crop.size)
    assert left == max(0, int(np.floor(box[0] - 40)))
    assert bottom == min(size[1], int(np.ceil(box[3] + 40)))
    assert 0 <= left < right <= size[0]
    assert 0 <= top < bottom <= size[1]
    longest = max(right - left, bottom - top)
    assert np.all(np.abs(crop.scale * longest / 518 - 1) < 14 / min(crop.size))


def test_boxes_outside_the_image():
    with pytest.raises(ValueError, match="box: expected one inside"):
        object_crop((900.0, 10.0, 990.0, 50.0), (640, 480))


@pytest.mark.parametrize("size", SIZES)
def test_intrinsics_project_to_the_same_place(size):
    """A point seen by the network at q is seen in the image where the crop has q."""
    crop = object_crop(BOX, size)
    of_crop = np.array([610.0, 590.0, 250.0, 230.0])
    fx, fy, cx, cy = crop.intrinsics_of_image(of_crop)
    point = np.array([0.3, -0.2, 2.0])
    in_network = of_crop[:2] * point[:2] / point[2] + of_crop[2:]
    in_image = np.array([fx, fy]) * point[:2] / point[2] + [cx, cy]
    edges = (in_network + 0.5) / crop.size
    window = np.array(crop.window, dtype=float)
    np.testing.assert_allclose(in_image + 0.5, window[:2] + edges * (window[2:] - window[:2]))


def test_depth_comes_back_to_its_pixels():
    """A plane whose inverse depth is linear in x and y, to half a pixel of its slope."""
    size = (640, 480)
    crop = object_crop(BOX, size)
    rows, columns = np.indices(crop.size[::-1])
    x, y = ((c + 0.5) / s - 0.5 for c, s in zip((columns, rows), crop.scale, strict=True))
    x, y = x + crop.window[0], y + crop.window[1]
    inverse = 1 + 0.004 * x + 0.002 * y
    found = view_of_crop(1 / inverse, np.ones_like(inverse), np.array([9.0, 9, 5, 5]), crop, size)
    left, top, right, bottom = crop.window
    y, x = np.mgrid[top + 1 : bottom - 1, left + 1 : right - 1]
    truth = 1 + 0.004 * x + 0.002 * y
    inside = found.depth[top + 1 : bottom - 1, left + 1 : right - 1]
    scale = (inside * truth).sum() / (inside * inside).sum()
    assert np.abs(inside * scale - truth).max() < 0.5 * 0.002
    assert found.depth.shape == found.confidence.shape == (480, 640)
    assert found.depth.max() == 1
    assert found.depth[0, 0] == found.depth[top, left]
    assert found.confidence[top, left] == 1
    assert found.confidence[0, 0] == 0


CROP = Crop((2, 1, 16, 15), (28, 28))
GOOD = np.linspace(1, 2, 28 * 28).reshape(28, 28)


@pytest.mark.parametrize(
    ("depth", "intrinsics", "message"),
    [
        (GOOD * np.nan, [9, 9, 5, 5], "not positive and finite"),
        (GOOD - 1, [9, 9, 5, 5], "not positive and finite"),
        (GOOD * 0 + 1, [9, 9, 5, 5], "the same everywhere"),
        (GOOD, [9, -9, 5, 5], "intrinsics make no sense"),
        (GOOD, [9, np.inf, 5, 5], "intrinsics make no sense"),
    ],
)
def test_unusable_results(depth, intrinsics, message):
    with pytest.raises(InputError, match=message):
        view_of_crop(depth, np.ones((28, 28)), np.array(intrinsics, float), CROP, (20, 20))


class PaintedDepth(torch.nn.Module):
    """A stand-in network: depth 1 / (1 + red + 2 green), field of view from the size."""

    @classmethod
    def from_pretrained(cls, folder):
        return cls()

    def forward(self, images):
        batch, views = images.shape[:2]
        depth = 1 / (1 + images[:, :, 0] + 2 * images[:, :, 1])
        pose = torch.zeros(batch, views, 9)
        pose[..., 7:] = torch.tensor([0.6, 0.8])
        return {"depth": depth[..., None], "depth_conf": torch.ones_like(depth), "pose_enc": pose}


def intrinsics_of_pose(pose, shape):
    height, width = shape
    matrix = torch.zeros(*pose.shape[:2], 3, 3)
    matrix[..., 0, 0] = width / 2 / torch.tan(pose[..., 8] / 2)
    matrix[..., 1, 1] = height / 2 / torch.tan(pose[..., 7] / 2)
    matrix[..., 0, 2], matrix[..., 1, 2] = width / 2, height / 2
    return None, matrix


@pytest.fixture
def package(monkeypatch, tmp_path):
    for name in ("vggt", "vggt.models", "vggt.utils"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    model, poses = types.ModuleType("vggt.models.vggt"), types.ModuleType("vggt.utils.pose_enc")
    model.VGGT = PaintedDepth
    poses.pose_encoding_to_extri_intri = intrinsics_of_pose
    monkeypatch.setitem(sys.modules, "vggt.models.vggt", model)
    monkeypatch.setitem(sys.modules, "vggt.utils.pose_enc", poses)
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    return tmp_path


def test_an_image_through_the_stand_in(package):
    rows, columns = np.indices((300, 400))
    image = np.stack([columns // 2, rows // 2, rows * 0], axis=2).astype(np.uint8)
    found = Vggt(str(package), CPU).predict(image, BOX)
    left, top, right, bottom = object_crop(BOX, (400, 300)).window
    truth = 1 + (columns + 2 * rows) / 2 / 255
    inside = np.s_[top + 4 : bottom - 4, left + 4 : right - 4]
    scale = (found.depth[inside] / truth[inside]).mean()
    np.testing.assert_allclose(found.depth[inside], truth[inside] * scale, rtol=0.01)
    assert found.offset == 0.0
    fx, fy, _, _ = found.intrinsics
    assert np.isclose(fx, (right - left) / 2 / np.tan(0.4))
    assert np.isclose(fy, (bottom - top) / 2 / np.tan(0.3))


def test_the_source_that_the_configuration_names(package, tmp_path):
    """Depth, intrinsics and offset 0 as the pipeline stores them."""
    pixels = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    record = ImageRecord(
        "chair", "a", "trn", tmp_path / "a.png", 400, 300, BOX, np.zeros((1, 2)), ()
    )
    source = open_depth("vggt", str(package), lambda: CPU)
    truth = Vggt(str(package), CPU).predict(pixels, BOX)
    found = source.encode(record)
    for name, array in vars(truth).items():
        assert np.array_equal(getattr(found, name), array), name
    assert found.offset == 0.0
    moved = dataclasses.replace(record, box=(0.0, 0.0, 30.0, 200.0))
    assert source.made_from(record) != source.made_from(moved)


def test_the_package_or_the_model_is_missing(package, monkeypatch, tmp_path):
    monkeypatch.setattr(PaintedDepth, "from_pretrained", lambda folder: 1 / 0)
    with pytest.raises(InputError, match="cannot be loaded"):
        Vggt(str(package), CPU)
    monkeypatch.setitem(sys.modules, "vggt.models.vggt", None)
    with pytest.raises(InputError, match=r"cannot be imported[\s\S]*pip install git"):
        Vggt(str(package), CPU)
    (package / "config.json").unlink()
    with pytest.raises(InputError, match=r"lacks config\.json"):
        vggt.vggt_model(str(package)).identity()
