"""Masks: through the stock SamPredictor, and from files."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from semalign3d.errors import InputError
from semalign3d.maps.masks import sam as masks
from semalign3d.maps.masks.quality import mask_quality
from semalign3d.maps.masks.sam import SamMasks, select_mask
from semalign3d.maps.masks.sam_registry import SAM_MODELS

SIZE = (20, 12)
BOX = (5.0, 3.0, 16.0, 9.0)
OBJECT = np.zeros((12, 20), dtype=bool)
OBJECT[3:9, 5:16] = True


def read_mask_file(root, category, stem, size):
    return masks.read_mask_file(root, category, stem, size, BOX)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A small SAM with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("sam") / "sam.pth"
    torch.save(SAM_MODELS["vit_demo"]().state_dict(), path)
    return path


@pytest.fixture(scope="module")
def sam(checkpoint):
    return SamMasks("vit_demo", checkpoint, torch.device("cpu"))


@pytest.mark.parametrize("shape", [(60, 100), (100, 60), (80, 80), (400, 7)])
def test_sam_gives_three_masks_of_the_images_size(sam, shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    points = np.array([[1, 2], [5, 20.5]])
    found, scores = sam.predict(image, points)
    assert found.shape == (3, *shape)
    assert found.dtype == bool
    assert scores.shape == (3,)
    assert scores.dtype == np.float32
    again = sam.predict(image, points)
    assert np.array_equal(found, again[0])
    assert np.array_equal(scores, again[1])


def test_sam_is_the_stock_predictor_prompted_with_positive_points(sam):
    from segment_anything import SamPredictor

    image = np.random.default_rng(1).integers(0, 256, (60, 100, 3), dtype=np.uint8)
    points = np.array([[10.0, 20.0], [50.0, 30.0], [70.0, 40.0]])
    predictor = SamPredictor(sam.predictor.model)
    predictor.set_image(image)
    truth, scores, _ = predictor.predict(
        point_coords=points, point_labels=np.array([1, 1, 1]), multimask_output=True
    )
    found = sam.predict(image, points)
    assert np.array_equal(found[0], truth)
    np.testing.assert_array_equal(found[1], scores)


def test_an_image_without_keypoints_has_empty_masks(sam):
    found, scores = sam.predict(np.zeros((6, 8, 3), dtype=np.uint8), np.zeros((0, 2)))
    assert found.shape == (3, 6, 8)
    assert not found.any()
    assert scores.tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("image", "points", "message"),
    [
        (np.zeros((6, 8), np.uint8), np.zeros((1, 2)), "image: expected"),
        (np.zeros((6, 8, 3)), np.zeros((1, 2)), "image: expected"),
        (np.zeros((6, 8, 3), np.uint8), np.zeros(2), "points: expected"),
        (np.zeros((6, 8, 3), np.uint8), np.full((1, 2), np.nan), "points: expected"),
    ],
)
def test_arrays_of_another_shape_are_refused(sam, image, points, message):
    with pytest.raises(ValueError, match=message):
        sam.predict(image, points)


def test_identity_needs_no_network(checkpoint, tmp_path):
    one = masks.identity("vit_demo", checkpoint)
    assert one == masks.identity("vit_demo", checkpoint) != masks.identity("vit_b", checkpoint)
    other = tmp_path / "other.pth"
    other.write_bytes(checkpoint.read_bytes() + b"x")
    assert masks.identity("vit_demo", other) != one


def test_checkpoints_that_cannot_be_used(checkpoint, tmp_path):
    cpu = torch.device("cpu")
    with pytest.raises(InputError, match=r"no such file[\s\S]*segment-anything"):
        masks.identity("vit_h", tmp_path / "nothing.pth")
    with pytest.raises(InputError, match=r"no such file[\s\S]*dl.fbaipublicfiles"):
        SamMasks("vit_h", tmp_path / "nothing.pth", cpu)
    with pytest.raises(InputError, match="vit_x"):
        SamMasks("vit_x", checkpoint, cpu)
    with pytest.raises(InputError, match="vit_b"):
        SamMasks("vit_b", checkpoint, cpu)
    (tmp_path / "text.pth").write_text("no checkpoint")
    with pytest.raises(InputError, match=r"text\.pth"):
        SamMasks("vit_demo", tmp_path / "text.pth", cpu)


def test_select_mask():
    candidates = np.arange(3)[:, None, None] == np.arange(3)[None, :, None]
    scores = np.array([0.9, 0.5, 0.7], dtype=np.float32)
    assert np.array_equal(select_mask(candidates, scores, "whole"), candidates[2])
    assert np.array_equal(select_mask(candidates, scores, "best"), candidates[0])
    assert np.array_equal(select_mask(candidates, np.ones(3), "best"), candidates[2])
    with pytest.raises(ValueError, match="candidate: expected one of"):
        select_mask(candidates, scores, "largest")
    with pytest.raises(ValueError, match="masks and scores"):
        select_mask(candidates, scores[:2], "best")


def save(root, name, content):
    folder = root / "chair"
    folder.mkdir(exist_ok=True)
    if name.endswith(".npy"):
        np.save(folder / name, content)
    else:
        content.save(folder / name)


@pytest.mark.parametrize(
    "array",
    [
        np.stack([~OBJECT, OBJECT, OBJECT]),
        np.stack([~OBJECT, OBJECT, OBJECT]).astype(np.uint8),
        np.stack([~OBJECT, OBJECT, OBJECT]).astype(np.float32) * 255,
        OBJECT[None],
    ],
)
def test_masks_from_arrays(tmp_path, array):
    save(tmp_path, "a_masks.npy", array)
    found, scores = read_mask_file(tmp_path, "chair", "a", SIZE)
    assert found.dtype == bool
    assert len(found) == len(scores) == len(array)
    assert np.array_equal(select_mask(found, scores, "whole"), OBJECT)
    assert np.array_equal(select_mask(found, scores, "best"), OBJECT)


def palette_picture():
    picture = Image.fromarray(OBJECT.astype(np.uint8) * 3).convert("P")
    picture.putpalette(np.full(768, 200, dtype=np.uint8).tobytes())
    return picture


@pytest.mark.parametrize(
    "picture",
    [
        Image.fromarray(OBJECT),
        Image.fromarray(OBJECT.astype(np.uint8)),
        Image.fromarray(OBJECT.astype(np.uint8) * 255),
        Image.fromarray(OBJECT.astype(np.uint8) * 255).convert("RGB"),
        palette_picture(),
    ],
    ids=["1 bit", "0 and 1", "0 and 255", "colour", "palette"],
)
def test_masks_from_pictures(tmp_path, picture):
    save(tmp_path, "a.png", picture)
    found, scores = read_mask_file(tmp_path, "chair", "a", SIZE)
    assert found.shape == (1, 12, 20)
    assert np.array_equal(found[0], OBJECT)
    assert scores.tolist() == [1]


def test_an_empty_mask_is_read_as_such(tmp_path):
    save(tmp_path, "a.png", Image.new("L", SIZE))
    assert not read_mask_file(tmp_path, "chair", "a", SIZE)[0].any()


def test_the_array_is_preferred_to_the_picture(tmp_path):
    save(tmp_path, "a.png", Image.fromarray(~OBJECT))
    assert masks.mask_file(tmp_path, "chair", "a").name == "a.png"
    save(tmp_path, "a_masks.npy", OBJECT[None])
    assert masks.mask_file(tmp_path, "chair", "a").name == "a_masks.npy"
    assert np.array_equal(read_mask_file(tmp_path, "chair", "a", SIZE)[0][0], OBJECT)


class Bomb:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_objects_in_an_array_file_are_refused_and_not_run(tmp_path):
    mark = tmp_path / "mark"
    array = np.empty(1, dtype=object)
    array[0] = Bomb(mark)
    save(tmp_path, "a_masks.npy", array)
    with pytest.raises(InputError, match=r"a_masks\.npy: not a whole array file of numbers"):
        read_mask_file(tmp_path, "chair", "a", SIZE)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (OBJECT, "expected n x 12 x 20 .* found 12 x 20"),
        (OBJECT.T[None], "found 1 x 20 x 12"),
        (OBJECT[None][:0], "found 0 x 12 x 20"),
        (np.full((1, 12, 20), np.nan), "expected booleans"),
        (np.full((1, 12, 20), 0.5), "expected booleans"),
        (np.full((1, 12, 20), "x"), "expected booleans"),
    ],
)
def test_bad_arrays(tmp_path, array, message):
    save(tmp_path, "a_masks.npy", array)
    with pytest.raises(InputError, match=message):
        read_mask_file(tmp_path, "chair", "a", SIZE)


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(InputError, match=r"a_masks\.npy: no such file; one of .* a\.png is needed"):
        read_mask_file(tmp_path, "chair", "a", SIZE)
    save(tmp_path, "a.png", Image.fromarray(OBJECT).resize((400, 300)))
    with pytest.raises(InputError, match="found 1 x 300 x 400"):
        read_mask_file(tmp_path, "chair", "a", SIZE)
    path = tmp_path / "chair" / "a.png"
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InputError, match="cannot be decoded"):
        read_mask_file(tmp_path, "chair", "a", (400, 300))
    save(tmp_path, "a.png", Image.new("RGBA", SIZE))
    with pytest.raises(InputError, match="must not be transparent"):
        read_mask_file(tmp_path, "chair", "a", SIZE)
    (tmp_path / "chair" / "a_masks.npy").write_bytes(b"\x93NUMPY")
    with pytest.raises(InputError, match="not a whole array file"):
        read_mask_file(tmp_path, "chair", "a", SIZE)
    with open(tmp_path / "chair" / "a_masks.npy", "wb") as file:
        np.savez(file, masks=OBJECT)
    with pytest.raises(InputError, match="an archive of several"):
        read_mask_file(tmp_path, "chair", "a", SIZE)


def test_files_need_no_torch():
    code = (
        "import sys; import semalign3d.maps.masks.sam, semalign3d.maps.depth.depth_anything, "
        "semalign3d.maps.descriptors.geoaware, "
        "semalign3d.checks, semalign3d.datasets; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def save_classes(root, array, category="chair"):
    folder = root / "Segmentation" / category
    folder.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(array.astype(np.uint8)).convert("P")
    picture.putpalette(np.arange(768, dtype=np.uint8).tobytes())
    picture.save(folder / "a.png")
    return root / "Segmentation"


def test_class_maps_of_spair(tmp_path):
    """The category's class inside the box; another chair, a person and borders are not it."""
    classes = OBJECT * 9
    classes[4:6, 6:8] = 15
    classes[3, 5:16] = 255
    classes[10:, 17:] = 9
    root = save_classes(tmp_path, classes)
    found, scores = read_mask_file(root, "chair", "a", SIZE)
    truth = OBJECT & (classes == 9)
    assert np.array_equal(found[0], truth)
    assert scores.tolist() == [1]
    with pytest.raises(InputError, match=r"Segmentation.chair.b\.png: no such image"):
        read_mask_file(root, "chair", "b", SIZE)
    with pytest.raises(InputError, match=r"a\.png: expected n x 20 x 12"):
        read_mask_file(root, "chair", "a", SIZE[::-1])
    save_classes(tmp_path, OBJECT * 3)
    with pytest.raises(InputError, match=r"no pixel of class 9 \(chair\) inside .* found: 0, 3"):
        read_mask_file(root, "chair", "a", SIZE)
    save_classes(tmp_path, OBJECT * 3, "mug")
    with pytest.raises(InputError, match="mug is no class of PASCAL VOC"):
        read_mask_file(root, "mug", "a", SIZE)
    path = root / "chair" / "a.png"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match="cannot be decoded"):
        read_mask_file(root, "chair", "a", SIZE)


def test_quality_of_known_masks():
    """Rectangles, for which shares and overlaps can be counted by hand."""
    other = np.zeros_like(OBJECT)
    other[3:9, 5:11] = True
    found = mask_quality(
        np.stack([OBJECT, other, ~OBJECT & False]),
        np.array([[5.0, 3.0], [10.0, 8.0], [15.0, 8.0], [16.0, 8.0]]),
        BOX,
    )
    np.testing.assert_allclose(found.within, [1.0, 0.5, 0.0])
    np.testing.assert_allclose(found.box_iou, [1.0, 36 / 66, 0.0])
    np.testing.assert_allclose(found.area, [66 / 240, 36 / 240, 0.0])
    assert found.doubtful.tolist() == [False, True, True]
    assert mask_quality(OBJECT[None], np.zeros((0, 2)), BOX).within.tolist() == [1.0]


def test_the_candidate_that_agrees_with_the_annotation():
    candidates = np.stack([np.zeros_like(OBJECT), OBJECT, np.ones_like(OBJECT)])
    keypoints = np.array([[5.0, 3.0], [15.0, 8.0]])
    agreement = mask_quality(candidates, keypoints, BOX).agreement
    assert np.array_equal(select_mask(candidates, agreement, "agree"), OBJECT)
    assert select_mask(candidates, agreement, "whole").all()
