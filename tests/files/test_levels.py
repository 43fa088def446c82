"""Pixels of every kind: scaled as viewers show them, or refused by name."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semalign3d.errors import InputError
from semalign3d.files.images import read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (30, 50), dtype=np.uint8)
COLOURS = RNG.integers(0, 256, (30, 50, 3), dtype=np.uint8)
GREY[0, :2] = 0, 255
WIDE = GREY.astype(np.uint16) * 257
"""What 8 bits become in 16: v / 255 = 257 v / 65535."""


def grey(path: Path) -> np.ndarray:
    """The levels of an image whose three channels agree."""
    found = read_image(path)
    assert found.dtype == np.uint8
    assert (found == found[..., :1]).all()
    return found[..., 0]


def save(array: np.ndarray, path: Path, **options: object) -> Path:
    Image.fromarray(array).save(path, **options)
    return path


class TestWideGrey:
    @pytest.mark.parametrize(
        ("name", "order"), [("a.png", "<u2"), ("a.tif", "<u2"), ("a.tif", ">u2")]
    )
    def test_16_bits_are_scaled(self, tmp_path: Path, name: str, order: str) -> None:
        assert np.array_equal(grey(save(WIDE.astype(order), tmp_path / name)), GREY)

    @pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate"])
    def test_compressed_tiff(self, tmp_path: Path, compression: str) -> None:
        path = save(WIDE, tmp_path / "a.tif", compression=compression)
        assert np.array_equal(grey(path), GREY)

    def test_levels_between_are_rounded(self, tmp_path: Path) -> None:
        found = grey(save(np.array([[0, 128, 129, 65406, 65535]], np.uint16), tmp_path / "a.png"))
        assert found.tolist() == [[0, 0, 1, 254, 255]]

    @pytest.mark.parametrize("dtype", [np.uint16, np.int32])
    def test_8_bits_in_a_wider_type_stay(self, tmp_path: Path, dtype: type) -> None:
        assert np.array_equal(grey(save(GREY.astype(dtype), tmp_path / "a.tif")), GREY)

    def test_16_bits_in_32(self, tmp_path: Path) -> None:
        assert np.array_equal(grey(save(WIDE.astype(np.int32), tmp_path / "a.tif")), GREY)

    @pytest.mark.parametrize(
        ("top", "text"),
        [
            (4095, "16-bit grey levels from 0 to 4095: up to 65535 it is nearly black"),
            (65536, "whole grey levels from 0 to 65536; expected 0 to 65535"),
        ],
    )
    def test_a_scale_that_is_not_known_is_refused(
        self, tmp_path: Path, top: int, text: str
    ) -> None:
        path = save((GREY / 255 * top).astype(np.int32), tmp_path / "a.tif")
        with pytest.raises(InputError, match=rf"a\.tif: {text}.*Save it with 8 bits a channel"):
            read_image(path)

    def test_negative_levels_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="levels from -1 to 254"):
            read_image(save(GREY.astype(np.int32) - 1, tmp_path / "a.tif"))

    def test_tiff_in_which_white_is_zero(self, tmp_path: Path) -> None:
        path = save(WIDE, tmp_path / "a.tif", tiffinfo={262: 0})
        with Image.open(path) as image:
            assert image.tag_v2[262] == 0
        assert np.array_equal(grey(path), 255 - GREY)

    def test_one_transparent_level_is_white(self, tmp_path: Path) -> None:
        path = save(WIDE, tmp_path / "a.png", transparency=0)
        assert np.array_equal(grey(path), np.where(GREY == 0, 255, GREY))


class TestFloats:
    @pytest.mark.parametrize("scale", [1.0, 1 / 255])
    def test_both_scales(self, tmp_path: Path, scale: float) -> None:
        path = save((GREY * scale).astype(np.float32), tmp_path / "a.tif")
        assert np.array_equal(grey(path), GREY)

    @pytest.mark.parametrize(
        ("values", "text"),
        [
            (GREY * 257.0, "from 0 to 65535; expected 0 to 1, or 0 to 255"),
            (GREY / 250.0, r"from 0 to 1\.02; expected"),
            (GREY / 255 - 0.5, r"from -0\.5 to 0\.5; expected"),
            (np.where(GREY == 255, np.nan, GREY), "numbers are not finite"),
        ],
    )
    def test_other_scales_are_refused(self, tmp_path: Path, values: np.ndarray, text: str) -> None:
        path = save(values.astype(np.float32), tmp_path / "a.tif")
        with pytest.raises(InputError, match=rf"a\.tif: .*{text}"):
            read_image(path)


def png(values: np.ndarray, colour_type: int, *extra: tuple[bytes, bytes]) -> bytes:
    """A PNG file of 16 bits a channel, which Pillow does not write."""

    def part(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    height, width = values.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    parts = [(b"IHDR", head), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(part(*each) for each in parts)


class TestColours:
    def test_16_bits_a_channel(self, tmp_path: Path) -> None:
        path = tmp_path / "a.png"
        path.write_bytes(png(COLOURS.astype(np.uint16) * 257, 2))
        assert np.array_equal(read_image(path), COLOURS)

    def test_16_bits_with_alpha(self, tmp_path: Path) -> None:
        values = np.stack([WIDE, np.full_like(WIDE, 65535)], axis=2)
        (tmp_path / "a.png").write_bytes(png(values, 4))
        assert np.array_equal(grey(tmp_path / "a.png"), GREY)

    @pytest.mark.parametrize("name", ["a.png", "a.gif", "a.bmp"])
    def test_palettes(self, tmp_path: Path, name: str) -> None:
        picture = Image.fromarray(COLOURS).quantize(16)
        picture.save(tmp_path / name)
        wanted = np.array(picture.getpalette()).reshape(-1, 3)[np.array(picture)]
        assert np.array_equal(read_image(tmp_path / name), wanted)

    def test_a_transparent_colour_of_a_palette_is_white(self, tmp_path: Path) -> None:
        picture = Image.fromarray(COLOURS).quantize(16)
        picture.save(tmp_path / "a.png", transparency=3)
        palette = np.array(picture.getpalette()).reshape(-1, 3)
        palette[3] = 255
        assert np.array_equal(read_image(tmp_path / "a.png"), palette[np.array(picture)])

    @pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
    def test_what_is_transparent_lies_on_white(self, tmp_path: Path, name: str) -> None:
        alpha = RNG.integers(0, 256, (30, 50, 1))
        values = np.concatenate([COLOURS, alpha], axis=2).astype(np.uint8)
        options = {"lossless": True, "exact": True} if name == "a.webp" else {}
        Image.fromarray(values).save(tmp_path / name, **options)
        wanted = (COLOURS * alpha + 255.0 * (255 - alpha)) / 255
        assert np.abs(read_image(tmp_path / name) - wanted).max() <= 1

    def test_grey_with_alpha(self, tmp_path: Path) -> None:
        alpha = np.where(GREY > 100, 255, 0).astype(np.uint8)
        Image.fromarray(np.stack([GREY, alpha], axis=2)).save(tmp_path / "a.png")
        assert np.array_equal(grey(tmp_path / "a.png"), np.where(alpha, GREY, 255))

    def test_black_and_white(self, tmp_path: Path) -> None:
        Image.fromarray(GREY > 100).save(tmp_path / "a.png")
        assert np.array_equal(grey(tmp_path / "a.png"), np.where(GREY > 100, 255, 0))

    @pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
    def test_inks(self, tmp_path: Path, name: str) -> None:
        """Red is no cyan, all magenta and yellow; inverted inks in JPEG, as Adobe writes them."""
        inks = np.zeros((16, 16, 4), dtype=np.uint8)
        inks[..., 1:3] = 255
        Image.fromarray(inks, "CMYK").save(tmp_path / name)
        if name == "a.jpg":
            assert b"Adobe" in (tmp_path / name).read_bytes()
        assert np.abs(read_image(tmp_path / name).astype(int) - [255, 0, 0]).max() <= 2

    def test_avif(self, tmp_path: Path) -> None:
        smooth = np.linspace(0, 255, 64 * 48 * 3).reshape(48, 64, 3).astype(np.uint8)
        try:
            Image.fromarray(smooth).save(tmp_path / "a.avif", quality=95)
        except (KeyError, OSError):
            pytest.skip("this Pillow was built without AVIF")
        assert np.abs(read_image(tmp_path / "a.avif").astype(int) - smooth).mean() < 3


STARTS = {
    "HEIC": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "a film": b"\0\0\0\x18ftypisom\0\0\0\0mp42isom",
    "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n",
    "a TIFF of a rare kind or a raw photo": b"II*\0\x08\0\0\0\0\0",
    "a raw photo": b"\0\0\0\x18ftypcrx \0\0\0\x01",
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    "PDF": b"%PDF-1.7\n",
    "a web page": b"\n<!DOCTYPE html><html>",
    "git lfs pull": b"version https://git-lfs.github.com/spec/v1\n",
    "it is empty": b"",
    "no format that Pillow knows": b"nonsense",
}


@pytest.mark.parametrize("name", STARTS)
def test_other_files_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.jpg").write_bytes(STARTS[name])
    with pytest.raises(InputError, match=rf"a\.jpg: cannot be decoded as an image: .*{name}"):
        read_image(tmp_path / "a.jpg")


def test_floats_in_three_channels(tmp_path: Path) -> None:
    """Pillow reads no such TIFF: it is named, with the way out."""
    content = io.BytesIO()
    Image.fromarray(COLOURS).save(content, "TIFF")
    bits = struct.pack("<HHH", 8, 8, 8)
    raw = content.getvalue().replace(bits, struct.pack("<HHH", 24, 24, 24))
    assert raw != content.getvalue()
    (tmp_path / "a.tif").write_bytes(raw)
    with pytest.raises(InputError, match=r"a TIFF of a rare kind.*save it as JPEG or PNG"):
        read_image(tmp_path / "a.tif")
