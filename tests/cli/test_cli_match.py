"""`semalign3d match`: what it refuses, and where it takes descriptors from."""

import argparse
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import ExifTags, Image

from semalign3d.cli import main
from semalign3d.cli.match import check_inside, photo_records, point
from semalign3d.errors import InputError
from semalign3d.files import store


def test_points_are_two_numbers() -> None:
    assert point("12,3.5") == (12.0, 3.5)
    for text in ("12", "1,2,3", "a,b"):
        with pytest.raises(argparse.ArgumentTypeError, match="expected x,y"):
            point(text)


def test_points_outside_the_photo_are_named() -> None:
    points = np.array([[0.0, 0.0], [100.0, 5.0], [3.0, -2.0]])
    with pytest.raises(InputError, match=r"100,5, 3,-2: outside a.jpg, which has 100 x 80 pixels"):
        check_inside(points, (100, 80), "a.jpg")
    check_inside(points[:1], (100, 80), "a.jpg")


def test_a_missing_prior_and_a_file_that_is_none_are_errors_without_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo = tmp_path / "a.jpg"
    Image.new("RGB", (20, 20)).save(photo)
    arguments = ["match", str(tmp_path / "no.h5"), str(photo), str(photo), "--points", "1,1"]
    assert main(arguments) == 1
    assert "no.h5 does not exist" in capsys.readouterr().err
    (tmp_path / "no.h5").write_text("nothing")
    assert main(arguments) == 1
    assert "no.h5 is damaged" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("prior", "file", "option", "turned"),
    [
        ("auto", None, None, True),
        ("turned", None, None, True),
        ("stored", None, None, False),
        (None, None, None, True),
        ("auto", False, None, False),
        ("stored", True, None, True),
        ("auto", True, "stored", False),
        ("stored", False, "turned", True),
    ],
)
def test_photos_are_read_the_way_round_that_their_descriptors_were_made(
    tmp_path: Path, prior: str | None, file: bool | None, option: str | None, turned: bool
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.new("RGB", (40, 60)).save(tmp_path / "a.jpg", exif=exif)
    Image.new("RGB", (40, 60)).save(tmp_path / "b.jpg")
    files = []
    if file is not None:
        for name in "ab":
            files.append(tmp_path / f"{name}.h5")
            with store.create(files[-1], turned=file):
                pass
    given = argparse.Namespace(
        source=str(tmp_path / "a.jpg"),
        target=str(tmp_path / "b.jpg"),
        descriptors=files or None,
        exif=option,
    )
    settings = {"dataset": {} if prior is None else {"exif": prior, "max_megapixels": 1}}
    source, target = photo_records(given, SimpleNamespace(settings=settings, category="mug"))
    assert source.turned == turned
    assert (source.width, source.height) == ((60, 40) if turned else (40, 60))
    assert source.pixels().shape[:2] == (source.height, source.width)
    assert (target.width, target.height, target.turned) == (40, 60, False)
