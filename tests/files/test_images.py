"""Images as stored or turned, or a clear error; devices that are there, or a clear error."""

import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageOps, PngImagePlugin

from semalign3d.device import pick_device
from semalign3d.errors import InputError
from semalign3d.files.images import image_size, opened_image, read_image, stored_photo

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 50, 3), dtype=np.uint8)


def test_pixels_come_as_they_are_stored(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    found = read_image(tmp_path / "a.png")
    assert found.dtype == np.uint8
    assert np.array_equal(found, PIXELS)
    assert found.flags.writeable


ORIENTATIONS = tuple(range(1, 9))
FORMATS = ("a.jpg", "a.png", "a.webp", "a.tif", "packed.tif", "a.avif")


def save_turned(path, orientation, pixels=PIXELS):
    """Write an image that asks viewers to turn it, without loss where the format can."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    options = {"a.webp": {"lossless": True}, "packed.tif": {"compression": "tiff_lzw"}}
    if path.suffix == ".tif":
        options.setdefault(path.name, {})["tiffinfo"] = {274: orientation}
    else:
        options.setdefault(path.name, {})["exif"] = exif
    Image.fromarray(pixels).save(path, **options[path.name])
    return path


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_orientations_are_those_of_pillow(tmp_path, name, orientation):
    try:
        path = save_turned(tmp_path / name, orientation)
    except (KeyError, OSError):
        pytest.skip("this Pillow was built without the format")
    with Image.open(path) as image:
        wanted = np.array(ImageOps.exif_transpose(image).convert("RGB"))
    assert np.array_equal(read_image(path, turned=True), wanted)
    back = read_image(path)
    assert back.shape == PIXELS.shape
    if name not in {"a.jpg", "a.avif"}:
        assert np.array_equal(back, PIXELS)
    assert image_size(path) == (50, 30)
    assert image_size(path, turned=True) == (wanted.shape[1], wanted.shape[0])
    assert stored_photo(path) == ((50, 30), orientation)


XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf tiff:Orientation="6"/></x:xmpmeta>'


@pytest.mark.parametrize("place", ["exif before", "exif after", "raw profile", "xmp", "nothing"])
def test_where_a_png_file_keeps_its_orientation(tmp_path, place):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    path, info = tmp_path / "a.png", PngImagePlugin.PngInfo()
    info.add_text("Comment", "eXIf is not here")
    if place == "raw profile":
        content = exif.tobytes().hex()
        info.add_text(
            "Raw profile type exif", f"\nexif\n{len(content) // 2:8}\n{content}\n", zip=True
        )
    elif place == "xmp":
        info.add_itxt("XML:com.adobe.xmp", XMP)
    Image.fromarray(PIXELS).save(path, pnginfo=info, **({"exif": exif} if "exif " in place else {}))
    if place == "exif after":
        content = path.read_bytes()
        start = content.index(b"eXIf") - 4
        end = start + 12 + struct.unpack(">I", content[start : start + 4])[0]
        path.write_bytes(content[:start] + content[end:-12] + content[start:end] + content[-12:])
    assert stored_photo(path) == ((50, 30), 1 if place == "nothing" else 6)


@pytest.mark.parametrize("value", [0, 9, 42, 65535])
def test_other_orientations_mean_nothing(tmp_path, value):
    path = save_turned(tmp_path / "a.png", value)
    assert stored_photo(path)[1] == 1
    assert np.array_equal(read_image(path, turned=True), PIXELS)


@pytest.mark.parametrize(
    "exif",
    [
        b"Exif\0\0",
        b"Exif\0\0II*\0",
        b"Exif\0\0II*\0\xff\xff\xff\x7f",
        b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12",
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0\x05\0\0\0\xff\xff\xff\0\0\0\0\0",
        b"no EXIF at all",
        bytes(range(256)),
    ],
)
def test_broken_exif_data_mean_nothing(tmp_path, exif, recwarn):
    for name in ("a.jpg", "a.png", "a.webp"):
        Image.fromarray(PIXELS).save(tmp_path / name, exif=exif)
        assert stored_photo(tmp_path / name) == ((50, 30), 1)
        assert read_image(tmp_path / name, turned=True).shape == (30, 50, 3)
    assert [str(each.message) for each in recwarn] == []


def test_the_limit_on_size_names_its_key(tmp_path, recwarn):
    path = tmp_path / "a.png"
    head = b"IHDR" + struct.pack(">IIBBBBB", 16320, 12240, 8, 2, 0, 0, 0)
    start = (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    )
    path.write_bytes(start + struct.pack(">I", 1000) + b"IDAT")
    with pytest.raises(InputError) as raised:
        read_image(path)
    text = "a.png: 16320 x 12240 pixels are 200 megapixels, more than dataset.max_megapixels (120)"
    assert text in str(raised.value)
    assert image_size(path) == (16320, 12240)
    small = tmp_path / "small.png"
    Image.fromarray(PIXELS).save(small)
    with pytest.raises(InputError, match="max_megapixels"):
        read_image(small, max_megapixels=0.001)
    assert [str(each.message) for each in recwarn] == []


def test_pillow_s_own_limit_is_set_aside_and_put_back(tmp_path, monkeypatch, recwarn):
    paths = [save_turned(tmp_path / name, 6) for name in FORMATS if name != "a.avif"]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    filters = list(warnings.filters)
    for path in paths:
        with opened_image(path):
            assert read_image(path).shape == (30, 50, 3)
        assert Image.MAX_IMAGE_PIXELS == 10
    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(read_image, paths * 20))) == 20 * len(paths)
    assert Image.MAX_IMAGE_PIXELS == 10
    assert warnings.filters == filters
    assert [str(each.message) for each in recwarn] == []


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


def test_what_may_not_be_read_is_not_called_undecodable(tmp_path, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", path)

    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "open", refuse)
    with pytest.raises(InputError, match=r"a\.png: Permission denied \(errno 13\)\. Give yourself"):
        read_image(tmp_path / "a.png")


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
