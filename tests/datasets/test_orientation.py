"""Photos that their EXIF data turn: read the way round that they were labelled."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layouts import WRITERS, Content, coco_content, make_content, write_json
from PIL import ExifTags, Image, ImageOps

from semalign3d.datasets import Dataset, load_records, open_dataset
from semalign3d.datasets.orientation import Reading, unlabelled, view_of
from semalign3d.errors import InputError

WIDE, TALL = (60, 40), (40, 60)
MIDDLE = np.array([[10.0, 10.0], [30.0, 30.0]])
FAR_RIGHT = np.array([[55.0, 10.0]])
"""In a photo of 60 x 40 pixels, not in one of 40 x 60."""


def photo(path: Path, orientation: int, size: tuple[int, int] = TALL) -> Path:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    width, height = size
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, exif=exif)
    return path


def as_viewers_show(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(ImageOps.exif_transpose(image).convert("RGB"))


def as_stored(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


class TestView:
    @pytest.mark.parametrize("orientation", [5, 6, 7, 8])
    def test_the_annotated_size_decides(self, tmp_path: Path, orientation: int) -> None:
        path = photo(tmp_path / "a.png", orientation)
        turned = view_of(path, WIDE, FAR_RIGHT, "auto")
        assert (turned.size, turned.turned, turned.remarks) == (WIDE, True, ())
        stored = view_of(path, TALL, MIDDLE, "auto")
        assert (stored.size, stored.turned) == (TALL, False)
        [remark] = stored.remarks
        assert remark.level == "warning"
        assert "a.png: its EXIF data turn it in viewers, and its annotated size fits" in remark.text

    @pytest.mark.parametrize(
        ("orientation", "size"), [(2, TALL), (3, TALL), (4, TALL), (6, (50, 50))]
    )
    def test_where_both_fit_a_warning_says_so(
        self, tmp_path: Path, orientation: int, size: tuple[int, int]
    ) -> None:
        path = photo(tmp_path / "a.png", orientation, size)
        view = view_of(path, size, MIDDLE, "auto")
        assert not view.turned
        assert "set dataset.exif: turned, else stored" in view.remarks[0].text
        assert view_of(path, size, MIDDLE, "stored").remarks == ()
        silenced = view_of(path, size, MIDDLE, "turned")
        assert (silenced.size, silenced.turned, silenced.remarks) == (size, True, ())

    def test_labels_that_fit_the_turned_photo_alone(self, tmp_path: Path) -> None:
        """As Label Studio exports it: the stored size, and labels in the turned photo."""
        path = photo(tmp_path / "a.png", 6)
        with pytest.raises(InputError, match="to 60 x 40 pixels; its labels fit that"):
            view_of(path, TALL, FAR_RIGHT, "auto")
        view = view_of(path, TALL, FAR_RIGHT, "turned")
        assert (view.size, view.turned) == (WIDE, True)
        assert view_of(path, TALL, FAR_RIGHT, "stored").turned is False
        outside_of_both = np.array([[55.0, 55.0]])
        assert view_of(path, TALL, outside_of_both, "auto").remarks

    @pytest.mark.parametrize("orientation", [0, 1, 9])
    @pytest.mark.parametrize("exif", ["auto", "stored", "turned"])
    def test_without_an_orientation_nothing_is_said(
        self, tmp_path: Path, orientation: int, exif: Any
    ) -> None:
        path = photo(tmp_path / "a.png", orientation)
        for size in (WIDE, TALL):
            view = view_of(path, size, FAR_RIGHT, exif)
            assert (view.size, view.turned, view.remarks) == (size, False, ())

    def test_a_photo_that_is_missing_or_none(self, tmp_path: Path) -> None:
        (tmp_path / "a.png").write_text("nothing")
        for name in ("a.png", "b.png"):
            assert view_of(tmp_path / name, WIDE, MIDDLE, "auto").size == WIDE

    def test_a_setting_that_is_none(self) -> None:
        with pytest.raises(InputError, match="expected auto, stored, turned, found 'yes'"):
            Reading("yes")  # type: ignore[arg-type]


def test_a_photo_without_labels(tmp_path: Path) -> None:
    path = photo(tmp_path / "a.png", 8)
    turned = unlabelled(path, "chair", turned=True)
    assert (turned.width, turned.height, turned.box) == (60, 40, (0, 0, 60, 40))
    assert np.array_equal(turned.pixels(), as_viewers_show(path))
    stored = unlabelled(path, "chair", turned=False)
    assert (stored.width, stored.height) == TALL
    assert np.array_equal(stored.pixels(), as_stored(path))
    assert not unlabelled(photo(tmp_path / "b.png", 1), "chair", turned=True).turned
    assert turned.identity() != stored.identity()


def first_of(dataset: Dataset) -> tuple[str, str, str]:
    """Category, stem and split of an image."""
    [category] = dataset.categories()
    return category, dataset.splits(category)["trn"][0], "trn"


def turn_on_disk(path: Path) -> np.ndarray:
    """Store a photo with width and height exchanged and an orientation that undoes it."""
    pixels = as_stored(path)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.fromarray(np.rot90(pixels)).save(path, exif=exif, quality=95)
    return as_viewers_show(path)


@pytest.mark.parametrize("name", sorted(set(WRITERS) - {"pf-pascal"}))
def test_every_layout_reads_a_photo_as_its_size_says(tmp_path: Path, name: str) -> None:
    dataset = WRITERS[name](tmp_path, make_content())
    image = first_of(dataset)
    before = dataset.record(*image)
    shown = turn_on_disk(before.path)
    after = dataset.record(*image)
    assert after.turned
    assert (after.width, after.height) == (before.width, before.height)
    assert np.array_equal(after.pixels(), shown)
    np.testing.assert_array_equal(after.keypoints, before.keypoints)


def test_a_size_taken_from_the_file_fits_both_ways(tmp_path: Path) -> None:
    """PF-Pascal annotates no size: the stored one is taken, and its box is the whole photo."""
    WRITERS["pf-pascal"](tmp_path, make_content())
    dataset = open_dataset("pf-pascal", tmp_path)
    image = first_of(dataset)
    width, height = dataset.record(*image).width, dataset.record(*image).height
    shown = turn_on_disk(dataset.record(*image).path)
    turned = open_dataset("pf-pascal", tmp_path, exif="turned").record(*image)
    assert (turned.width, turned.height, turned.box) == (width, height, (0, 0, width, height))
    assert np.array_equal(turned.pixels(), shown)


def write_stored_sizes(root: Path) -> list[Path]:
    """Photos labelled turned, in a file that has the sizes of the stored pixels."""
    images, paths = [], []
    for number in range(9):
        paths.append(photo(root / "photos" / f"p{number}.png", 6))
        keypoints = np.full((15, 2), np.nan)
        keypoints[:4] = [[55, 5], [5, 5], [5, 35], [55, 35 - number]]
        images.append(Content(f"p{number}", TALL, [5.0, 5.0, 55.0, 35.0], keypoints))
    content = coco_content(images, "cat", tuple(f"point {i}" for i in range(15)))
    for image in content["images"]:
        image["file_name"] = f"{image['file_name'][:-4]}.png"
    write_json(root / "cat.json", content)
    return paths


def test_labels_in_turned_photos_of_stored_sizes(tmp_path: Path) -> None:
    paths = write_stored_sizes(tmp_path)
    options = {"annotations": tmp_path / "cat.json", "val": 0, "test": 0}
    with pytest.raises(InputError) as raised:
        load_records(open_dataset("coco", tmp_path / "photos", **options), "cat", ["trn"])
    assert len(raised.value.problems) == len(paths)
    assert all("set dataset.exif: turned" in problem for problem in raised.value.problems)
    turned = open_dataset("coco", tmp_path / "photos", exif="turned", **options)
    for record, path in zip(load_records(turned, "cat", ["trn"]), paths, strict=True):
        assert (record.width, record.height) == WIDE
        assert record.visible.sum() == 4
        assert np.array_equal(record.pixels(), as_viewers_show(path))


def test_a_limit_on_size_reaches_every_photo(tmp_path: Path) -> None:
    write_stored_sizes(tmp_path)
    options = {"annotations": tmp_path / "cat.json", "exif": "turned", "max_megapixels": 0.001}
    dataset = open_dataset("coco", tmp_path / "photos", **options)
    with pytest.raises(InputError, match=r"40 x 60 pixels are 0.0024 megapixels.*max_megapixels"):
        dataset.record("cat", "p0", "trn").pixels()
