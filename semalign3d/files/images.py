"""Image files in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image

from ..errors import InputError


@contextmanager
def opened_image(path: str | Path) -> Iterator[Image.Image]:
    """The image file, opened; whatever goes wrong with it becomes an InputError that names it."""
    if not Path(path).is_file():
        raise InputError(f"{path}: no such image")
    try:
        with Image.open(path) as image:
            yield image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be decoded as an image ({error})") from error


def read_image(path: str | Path) -> np.ndarray:
    """Read an image as RGB, (H, W, 3) uint8, decoding all of it.

    An orientation in the EXIF data is not applied: annotations, features and masks refer to the
    pixels as they are stored.

    Raises
    ------
    InputError : missing, truncated or no image; names the file.
    """
    with opened_image(path) as image:
        return np.array(image.convert("RGB"))


def turned_by_exif(path: str | Path) -> bool:
    """Whether the EXIF data of an image file ask viewers to turn or mirror it.

    Raises
    ------
    InputError : missing, or no image; names the file.
    """
    with opened_image(path) as image:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1)) != 1


def image_size(path: str | Path) -> tuple[int, int]:
    """(W, H) of an image file, from its header.

    Raises
    ------
    InputError : missing, or no image; names the file.
    """
    with opened_image(path) as image:
        return image.size


def require_rgb(image: np.ndarray) -> None:
    """Refuse an array that is no image (H, W, 3) uint8, with a ValueError."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"image: expected (H, W, 3) uint8, found {image.shape} {image.dtype}")
