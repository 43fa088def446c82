"""`semalign3d match`: what it refuses, and where it takes descriptors from."""

import argparse
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semalign3d.cli import main
from semalign3d.cli.match import check_inside, point
from semalign3d.errors import InputError


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
