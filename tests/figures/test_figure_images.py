"""The page of images: keypoints where they are, pairs in one colour."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from semalign3d.datasets.records import ImageRecord
from semalign3d.errors import InputError
from semalign3d.figures.images import (
    HEADER,
    SIDE,
    SPLIT_COLORS,
    draw_images,
    keypoint_colors,
    thumbnail_of,
)
from semalign3d.files.images import image_size, read_image

MIRROR = np.array([1, 0, 2, 3])


def record(path: Path, stem: str, split: str = "trn") -> ImageRecord:
    keypoints = np.array([[99.5, 199.5], [299.5, 199.5], [199.5, 49.5], [np.nan, np.nan]])
    return ImageRecord("mug", stem, split, path, 480, 300, (40.0, 20.0, 400.0, 280.0), keypoints)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.new("RGB", (480, 300), (128, 128, 128)).save(tmp_path / "a b.png")
    return tmp_path / "a b.png"


def test_a_thumbnail_shows_what_is_annotated(photo: Path) -> None:
    pixels = read_image(photo)
    pixels[199:201, 99:101] = (255, 0, 0)
    small = thumbnail_of(record(photo, "a"), pixels)
    # The box is 360 x 260; 43.2 pixels of margin, but only 40, 20 and 20 to three of the borders.
    assert small.pixels.shape == (round(240 * 300 / 444), 240, 3)
    scale = np.array([240 / 444, 162 / 300])
    np.testing.assert_allclose(small.box, [40, 20, 400, 280] * np.tile(scale, 2))
    x, y = small.keypoints[0].round().astype(int)
    red = small.pixels[..., 0].astype(int) - small.pixels[..., 1]
    assert red[y, x] > 0.5 * red.max() > 40
    assert np.isnan(small.keypoints[3]).all()


def test_an_image_without_keypoints_and_with_a_box_at_its_border(photo: Path) -> None:
    whole = (-3.0, 0.0, 480.0, 300.0)
    bare = replace(record(photo, "a"), box=whole, keypoints=np.full((4, 2), np.nan))
    assert thumbnail_of(bare, read_image(photo)).pixels.shape == (150, 240, 3)
    assert image_size(photo) == (480, 300)
    with pytest.raises(InputError, match=r"none\.png: no such image"):
        image_size(photo.with_name("none.png"))


def test_colors_belong_to_pairs() -> None:
    colors = keypoint_colors(MIRROR)
    np.testing.assert_array_equal(colors[0], colors[1])
    apart = np.linalg.norm(colors[[0, 2, 3]][:, None] - colors[[0, 2, 3]][None], axis=2)
    assert (apart + np.eye(3) > 0.3).all()
    assert len(np.unique(keypoint_colors(np.arange(30)), axis=0)) == 30


def test_keypoints_are_drawn_where_they_are(photo: Path) -> None:
    thumbnails = [
        thumbnail_of(record(photo, f"image {i}", split), read_image(photo))
        for i, split in enumerate(SPLIT_COLORS)
    ]
    figure = draw_images(thumbnails, ("left", "right", "rim", "foot"), MIRROR, "mug")
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(110)
    canvas.draw()
    shown = np.asarray(canvas.buffer_rgba())[..., :3] / 255.0
    colors = keypoint_colors(MIRROR)
    for column in range(3):
        for number in range(3):
            x, y = thumbnails[column].keypoints[number] + 0.5
            row = int(y) + 3 * HEADER
            found = shown[row - 1 : row + 2, int(x) + column * (SIDE + 6)]
            assert np.abs(found - colors[number]).min(axis=0).max() < 0.1


def test_without_names_and_mirror_table(photo: Path) -> None:
    thumbnails = [thumbnail_of(record(photo, "x" * 80), read_image(photo))]
    figure = draw_images(thumbnails, (), None, "mug")
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert {"0", "1", "2", "3"} <= set(texts)
    assert max(map(len, texts)) == 34
