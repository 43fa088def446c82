"""Image files in."""

from pathlib import Path

import numpy as np
from PIL import Image

from .errors import InputError


def read_image(path: str | Path) -> np.ndarray:
    """Read an image as RGB, (H, W, 3) uint8, decoding all of it.

    An orientation in the EXIF data is not applied: annotations, features and masks refer to the
    pixels as they are stored.

    Raises
    ------
    InputError : missing, truncated or no image; names the file.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such image")
    try:
        with Image.open(path) as image:
            return np.array(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be decoded as an image ({error})") from error


def image_size(path: str | Path) -> tuple[int, int]:
    """(W, H) of an image file, from its header.

    Raises
    ------
    InputError : missing, or no image; names the file.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such image")
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(f"{path}: cannot be decoded as an image ({error})") from error
