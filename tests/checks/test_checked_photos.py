"""Photos of one colour, of another size than labelled, there twice, or cut off."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from synthetic_labels import checked_images

from semalign3d.checks.images import CheckedImage, read_photo
from semalign3d.checks.photos import judge_photos
from semalign3d.errors import InputError


def scene(seed: int, size: tuple[int, int] = (640, 480)) -> Image.Image:
    """Something that a camera may see: large shapes, and noise."""
    rng = np.random.default_rng(seed)
    shapes = Image.fromarray(rng.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    large = np.asarray(shapes.resize(size, Image.Resampling.BICUBIC), dtype=float)
    pixels = large + rng.normal(0, 6, large.shape)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def image_of(path: Path, split: str = "trn") -> CheckedImage:
    return CheckedImage(path.name, path.stem, split, path, None, read_photo(path))


@pytest.fixture
def photos(tmp_path: Path) -> list[CheckedImage]:
    for number in range(8):
        scene(number).save(tmp_path / f"{number}.jpg")
    return [image_of(tmp_path / f"{number}.jpg") for number in range(8)]


def test_photos_of_their_own_are_passed_over(photos: list[CheckedImage]) -> None:
    assert judge_photos(photos) == []


@pytest.mark.parametrize("value", [0, 128, 255])
def test_one_photo_of_one_colour(photos: list[CheckedImage], tmp_path: Path, value: int) -> None:
    rng = np.random.default_rng(0)
    nearly = rng.integers(max(value - 1, 0), min(value + 2, 256), (50, 60, 3), dtype=np.uint8)
    nearly[:2, :2] = 90
    Image.fromarray(nearly).save(tmp_path / "flat.png")
    [found] = judge_photos([*photos, image_of(tmp_path / "flat.png")])
    assert (found.level, found.kind) == ("warning", "constant-photo")
    assert found.text.startswith("1 of 9 photos show nothing")
    assert found.items[0].startswith("flat.png (all near ")


def test_most_photos_of_one_colour_are_an_error(photos: list[CheckedImage], tmp_path: Path) -> None:
    images = photos[:2]
    for number in range(3):
        Image.new("L", (40 + number, 30), 255).save(tmp_path / f"w{number}.png")
        images.append(image_of(tmp_path / f"w{number}.png"))
    [found] = judge_photos(images)
    assert (found.level, len(found.items)) == ("error", 3)


def test_a_dark_photo_and_a_small_object_on_white_show_something(tmp_path: Path) -> None:
    dark = (np.asarray(scene(1), dtype=float) / 16).astype(np.uint8)
    Image.fromarray(dark).save(tmp_path / "dark.png")
    white = np.full((480, 640, 3), 255, dtype=np.uint8)
    white[200:260, 300:370] = np.asarray(scene(2))[:60, :70]
    Image.fromarray(white).save(tmp_path / "white.png")
    assert judge_photos([image_of(tmp_path / "dark.png"), image_of(tmp_path / "white.png")]) == []


def test_the_same_photo_under_another_name(photos: list[CheckedImage], tmp_path: Path) -> None:
    (tmp_path / "copy.jpg").write_bytes((tmp_path / "2.jpg").read_bytes())
    scene(5).save(tmp_path / "again.jpg", quality=60)
    scene(6).resize((320, 240)).save(tmp_path / "small.png")
    added = [image_of(tmp_path / name) for name in ("copy.jpg", "again.jpg", "small.png")]
    [found] = judge_photos([*photos, *added])
    assert (found.level, found.kind) == ("warning", "same-photo")
    assert found.items == (
        "2.jpg = copy.jpg (pixel for pixel)",
        "5.jpg = again.jpg (saved again or resized)",
        "6.jpg = small.png (saved again or resized)",
    )
    assert found.text.startswith("3 of 11 photos are there twice")


def test_a_photo_in_two_splits(photos: list[CheckedImage], tmp_path: Path) -> None:
    (tmp_path / "copy.jpg").write_bytes((tmp_path / "2.jpg").read_bytes())
    [found] = judge_photos([*photos, image_of(tmp_path / "copy.jpg", "test")])
    assert (found.level, found.kind) == ("warning", "photo-in-two-splits")
    assert found.items == ("2.jpg (trn) = copy.jpg (test; pixel for pixel)",)


def sized(tmp_path: Path, factors: list[float]) -> list[CheckedImage]:
    """Photos that are smaller than their annotations say."""
    images = []
    for image, factor in zip(checked_images(len(factors)), factors, strict=True):
        size = (round(image.record.width / factor), round(image.record.height / factor))
        scene(len(images), size).save(tmp_path / image.name)
        photo = read_photo(tmp_path / image.name)
        images.append(
            CheckedImage(image.name, image.stem, "trn", tmp_path / image.name, image.record, photo)
        )
    return images


def test_photos_of_another_size_than_labelled(tmp_path: Path) -> None:
    [found] = judge_photos(sized(tmp_path, [1.0, 2.0, 2.0, 2.0]))
    assert (found.level, found.kind) == ("error", "photo-size")
    assert "3 of 4 photos have another size" in found.text
    assert "by a common factor of 2: the labels belong to larger copies" in found.text
    assert found.items[0] == "001.jpg (240 x 320, annotated 480 x 640)"


def test_photos_of_several_other_sizes(tmp_path: Path) -> None:
    [found] = judge_photos(sized(tmp_path, [1.0, 2.0, 3.0]))
    assert found.level == "error"
    assert found.lines() == [
        f"{tmp_path}/001.jpg: 240 x 320 pixels, but its annotation says 480 x 640",
        f"{tmp_path}/002.jpg: 167 x 167 pixels, but its annotation says 500 x 500",
    ]


@pytest.mark.parametrize("missing", [40, 2000, 30_000])
def test_large_files_that_end_too_early(tmp_path: Path, missing: int) -> None:
    """JPEG files are decoded at a fraction of their size, but to their end."""
    whole = io.BytesIO()
    scene(0, (1600, 1200)).save(whole, "JPEG", quality=90)
    (tmp_path / "cut.jpg").write_bytes(whole.getvalue()[:-missing])
    with pytest.raises(InputError, match=r"cut\.jpg: cannot be decoded as an image \(.*truncated"):
        read_photo(tmp_path / "cut.jpg")


def test_the_size_is_that_of_the_file(tmp_path: Path) -> None:
    scene(0, (1600, 1100)).save(tmp_path / "large.jpg")
    photo = read_photo(tmp_path / "large.jpg")
    assert (photo.width, photo.height) == (1600, 1100)
    assert photo.spread > 100
