"""Image files in."""

import functools
import os
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from ..errors import InputError
from ..limits import MAX_MEGAPIXELS
from .formats import what_it_is
from .levels import rgb_pixels
from .system import system_error

Size = tuple[int, int]
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What each orientation in EXIF data asks viewers to do; other values mean nothing."""
FIRST_SWAP = 5
"""From this orientation on, width and height change places."""
_BACK = {6: 8, 8: 6}
"""The orientation that undoes another one; the others undo themselves."""
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257
_PNG_START = 8
_PNG_TEXTS = (b"tEXt", b"zTXt", b"iTXt")
_PNG_KEYWORDS = (b"Raw profile type exif", b"XML:com.adobe.xmp")
"""Of texts in a PNG file that may hold an orientation."""


@contextmanager
def opened_image(path: str | Path) -> Iterator[Image.Image]:
    """The image file, opened; whatever goes wrong with it becomes an InputError that names it.

    Pillow's limit on the size is set aside, since `dataset.max_megapixels` stands for it; its
    warnings of damaged metadata are not shown, since only the orientation is read of these.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such image")
    try:
        with _AT_EASE, Image.open(path) as image:
            yield image
    except UnidentifiedImageError as error:
        problem = f"{path}: cannot be decoded as an image: {what_it_is(path)}"
        raise InputError(problem) from error
    except _UNREADABLE as error:
        if isinstance(error, InputError):
            raise
        if refused := system_error(error, path):
            raise InputError(str(refused)) from error
        raise InputError(f"{path}: cannot be decoded as an image ({error})") from error


_UNREADABLE = (OSError, ValueError, SyntaxError, RuntimeError, TypeError, struct.error)
"""What Pillow raises where an image is damaged."""


class _PillowAtEase:
    """No limit of Pillow on the size, and no warnings of its own, while any thread reads a file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files = 0

    def __enter__(self) -> None:
        with self._lock:
            if self._files == 0:
                self._limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
                self._warnings = warnings.catch_warnings()
                self._warnings.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._files += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._files -= 1
            if self._files == 0:
                Image.MAX_IMAGE_PIXELS = self._limit
                self._warnings.__exit__(None, None, None)


_AT_EASE = _PillowAtEase()


def read_image(
    path: str | Path, *, turned: bool = False, max_megapixels: float = MAX_MEGAPIXELS
) -> np.ndarray:
    """Read an image as RGB, (H, W, 3) uint8, decoding all of it.

    Parameters
    ----------
    turned : whether it is turned and mirrored as its EXIF data ask viewers to; else the pixels
        come as they are stored.
    max_megapixels : larger images are refused before anything is decoded.

    Raises
    ------
    InputError : missing, truncated, too large, no image, or pixels of unknown scale; names the
        file.
    """
    asked = stored_photo(path)[1]
    with opened_image(path) as image:
        require_megapixels(path, image.size, max_megapixels)
        image.load()
        is_turned = _orientation(image) != asked  # Pillow turns TIFF files when it decodes them
        if asked in _TURNS and is_turned != turned:
            return _rgb(image.transpose(_TURNS[asked if turned else _BACK.get(asked, asked)]), path)
        return _rgb(image, path)


def _rgb(image: Image.Image, path: str | Path) -> np.ndarray:
    try:
        return rgb_pixels(image)
    except ValueError as error:
        raise InputError(f"{path}: {error}. Save it with 8 bits a channel") from error


def require_megapixels(path: str | Path, size: Size, max_megapixels: float) -> None:
    """Refuse a photo of a size (W, H) that memory may not do for, with an InputError."""
    width, height = size
    if width * height > max_megapixels * 1e6:
        raise InputError(
            f"{path}: {width} x {height} pixels are {width * height / 1e6:.3g} megapixels, "
            f"more than dataset.max_megapixels ({max_megapixels:g}): save it smaller and scale "
            "its labels, or raise that key where memory allows"
        )


def image_size(path: str | Path, *, turned: bool = False) -> Size:
    """(W, H) of an image file, from its header.

    Parameters
    ----------
    turned : whether of the image as its EXIF data ask viewers to turn it, else as it is stored.

    Raises
    ------
    InputError : missing, or no image; names the file.
    """
    stored, orientation = stored_photo(path)
    return stored[::-1] if turned and orientation >= FIRST_SWAP else stored


def stored_photo(path: str | Path) -> tuple[Size, int]:
    """(W, H) of an image file as it is stored, and the orientation that its EXIF data ask for.

    The orientation is one of 2 to 8, else 1: other values mean nothing, and neither do damaged
    EXIF data.

    Raises
    ------
    InputError : missing, or no image; names the file.
    """
    try:
        status = os.stat(path)
    except OSError:
        return _stored_photo(str(path), 0, 0)  # which says what is wrong
    return _stored_photo(str(path), status.st_size, status.st_mtime_ns)


@functools.lru_cache(maxsize=1 << 16)
def _stored_photo(path: str, size: int, changed: int) -> tuple[Size, int]:
    with opened_image(path) as image:
        tags = getattr(image, "tag_v2", {})  # of TIFF, where Pillow gives the size when turned
        width, height = tags.get(_TIFF_WIDTH), tags.get(_TIFF_HEIGHT)
        stored = (int(width), int(height)) if width and height else image.size
        if image.format == "PNG" and not _may_hold_exif(path):
            return stored, 1
        return stored, _orientation(image)


def _may_hold_exif(path: str) -> bool:
    """Whether a PNG file has EXIF data: Pillow would decode the whole image to find none."""
    with open(path, "rb", buffering=0) as file:
        file.seek(_PNG_START)
        while len(head := file.read(40)) >= 8:
            length, kind = struct.unpack(">I4s", head[:8])
            if kind == b"eXIf" or (kind in _PNG_TEXTS and head[8:].startswith(_PNG_KEYWORDS)):
                return True
            file.seek(length + 12 - len(head), os.SEEK_CUR)
    return False


def _orientation(image: Image.Image) -> int:
    try:
        value = image.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # cameras and tools write EXIF data broken in every way
        return 1
    return value if isinstance(value, int) and value in _TURNS else 1


def require_rgb(image: np.ndarray) -> None:
    """Refuse an array that is no image (H, W, 3) uint8, with a ValueError."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image: expected (H, W, 3) uint8, found {image.shape} {image.dtype}")
