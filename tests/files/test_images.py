"""Images as they are stored, or a clear error; devices that are there, or a clear error."""

import numpy as np
import pytest
import torch
from PIL import Image

from semalign3d.device import pick_device
from semalign3d.errors import InputError
from semalign3d.files.images import read_image

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)


def test_pixels_come_as_they_are_stored(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    found = read_image(tmp_path / "a.png")
    assert found.dtype == np.uint8
    assert np.array_equal(found, PIXELS)
    assert found.flags.writeable


def test_exif_orientation_is_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(tmp_path / "a.jpg", exif=exif)
    assert read_image(tmp_path / "a.jpg").shape == (30, 50, 3)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "CMYK", "LA"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    ending = "jpg" if mode == "CMYK" else "png"
    Image.fromarray(PIXELS).convert(mode).save(tmp_path / f"a.{ending}")
    assert read_image(tmp_path / f"a.{ending}").shape == (30, 50, 3)


def test_truncated_jpegs_are_errors_that_name_the_file(tmp_path):
    path = tmp_path / "a.jpg"
    Image.fromarray(PIXELS).save(path, quality=95)
    content = path.read_bytes()
    for share in (0.0, 0.1, 0.5, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(InputError, match=r"a\.jpg: cannot be decoded"):
            read_image(path)


def test_what_is_no_image(tmp_path):
    with pytest.raises(InputError, match=r"a\.jpg: no such image"):
        read_image(tmp_path / "a.jpg")
    with pytest.raises(InputError, match="no such image"):
        read_image(tmp_path)
    (tmp_path / "a.jpg").write_text("<html>Not found</html>")
    with pytest.raises(InputError, match=r"a\.jpg: cannot be decoded"):
        read_image(tmp_path / "a.jpg")


def accelerators(monkeypatch, kind, count):
    """torch finds so many devices of a kind."""
    found = torch.device(kind) if count else None
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: found)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: count)


def test_devices(monkeypatch):
    accelerators(monkeypatch, "cuda", 0)
    assert pick_device("auto") == pick_device("cpu") == torch.device("cpu")
    for absent in ("cuda", "cuda:0", "mps"):
        with pytest.raises(InputError, match=rf"'{absent}' was asked for[\s\S]*runtime\.device"):
            pick_device(absent)
    for unknown in ("gpu", "cuda:", "cuda:x", "CPU", ""):
        with pytest.raises(InputError, match="expected auto, cpu, cuda"):
            pick_device(unknown)


def test_devices_where_there_is_one_gpu(monkeypatch):
    accelerators(monkeypatch, "cuda", 1)
    assert pick_device("auto").type == "cuda"
    assert pick_device("cuda:0").index == 0
    for absent in ("cuda:1", "mps"):
        with pytest.raises(InputError, match=f"'{absent}' was asked for"):
            pick_device(absent)
    accelerators(monkeypatch, "mps", 1)
    assert pick_device("auto") == pick_device("mps")
