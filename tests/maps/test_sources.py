"""Sources of descriptors, masks and depth: one network a batch, stamps that follow the input."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from semalign3d.datasets.records import ImageRecord
from semalign3d.files import store
from semalign3d.files.records import write_record
from semalign3d.maps.depth import sources as depth_sources
from semalign3d.maps.descriptors import sources as descriptor_sources
from semalign3d.maps.masks import sources as mask_sources
from semalign3d.maps.masks.sources import MaskFiles, open_masks

BOX = (5.0, 3.0, 16.0, 9.0)
OBJECT = np.zeros((12, 20), dtype=bool)
OBJECT[3:9, 5:16] = True


@pytest.fixture
def photo(tmp_path: Path) -> ImageRecord:
    """A photo with its mask file; one of its three keypoints is not seen."""
    path = tmp_path / "chair" / "a.jpg"
    path.parent.mkdir()
    Image.new("RGB", (20, 12), (90, 80, 70)).save(path)
    np.save(tmp_path / "chair" / "a_masks.npy", np.stack([~OBJECT, OBJECT]))
    keypoints = np.array([[5.0, 3.0], [np.nan, np.nan], [15.0, 8.0]])
    return ImageRecord("chair", "a", "trn", path, 20, 12, BOX, keypoints)


class Network:
    """Stands for any network; a class attribute counts how many were loaded."""

    loaded = 0

    def __init__(self, *settings: object) -> None:
        assert settings[-1] == torch.device("cpu")
        type(self).loaded += 1

    def predict(self, image: np.ndarray, *prompt: object, **name: object) -> object:
        return OBJECT[None], np.ones(1, dtype=np.float32)

    def encode(self, image: np.ndarray, **name: object) -> np.ndarray:
        return np.ones((2, 3, 3, 4), dtype=np.float32)


@pytest.mark.parametrize("kind", ["sam", "depth_anything", "vggt", "dinov2"])
def test_a_network_is_loaded_for_the_first_photo_alone(
    photo: ImageRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for name in ("config.json", "preprocessor_config.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    monkeypatch.setattr(Network, "loaded", 0)
    monkeypatch.setattr(mask_sources, "SamMasks", Network)
    for name in ("DepthAnything", "Vggt"):
        monkeypatch.setattr(depth_sources, name, Network)
    monkeypatch.setattr(descriptor_sources.vit, "VitEncoder", Network)

    def device() -> torch.device:
        return torch.device("cpu")

    if kind == "sam":
        source = open_masks(kind, str(tmp_path / "config.json"), device, model_type="vit_demo")
    elif kind == "dinov2":
        source = descriptor_sources.VitImages(
            kind, str(tmp_path), 60, None, lambda stem: photo, device
        )
    else:
        source = depth_sources.open_depth(kind, str(tmp_path), device)
    of_source = photo.stem if kind == "dinov2" else photo
    stamp = source.stamp(of_source, "code")
    assert Network.loaded == 0
    source.encode(of_source)
    source.encode(of_source)
    assert Network.loaded == 1
    Image.new("RGB", (20, 12), (1, 2, 3)).save(photo.path)
    assert source.stamp(of_source, "code") != stamp


def test_masks_are_stamped_with_all_that_makes_and_judges_them(photo: ImageRecord) -> None:
    source = MaskFiles(photo.path.parent.parent)
    moved = photo.keypoints + 1.0
    others = [
        (dataclasses.replace(photo, keypoints=moved), "code"),
        (dataclasses.replace(photo, box=(0.0, 0.0, 9.0, 9.0)), "code"),
        (photo, "other code"),
    ]
    stamps = {source.stamp(*case) for case in [(photo, "code"), *others]}
    assert len(stamps) == 4
    assert source.stamp(dataclasses.replace(photo, notes=("dark",)), "code") in stamps


def test_masks_are_stored_with_their_quality(photo: ImageRecord, tmp_path: Path) -> None:
    found = MaskFiles(tmp_path).encode(photo)
    with store.create(tmp_path / "a.h5", stamp="x") as file:
        write_record(file, found, compress=True)
    stored = store.read(tmp_path / "a.h5", "masks", "scores")
    assert np.array_equal(stored["masks"], [~OBJECT, OBJECT])
    assert stored["scores"].tolist() == [1.0, 1.0]
    with store.open_checked(tmp_path / "a.h5") as file:
        np.testing.assert_allclose(file["quality/box_iou"], [66 / 240, 1.0])
        np.testing.assert_allclose(file["quality/within"], [1.0, 1.0])
        np.testing.assert_allclose(file["agreement"], [1 + 66 / 240, 2.0])
