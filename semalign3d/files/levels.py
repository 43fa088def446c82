"""Pixels of every kind as RGB with 8 bits a channel."""

import numpy as np
from PIL import Image

WIDE = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
"""Pillow's modes of grey levels with more than 8 bits; it would cut them off at 255."""
FULL_16, FULL_12, FULL_8 = 65535, 4095, 255
DARKEST = 16
"""Floating-point levels of 0 to 255 reach this at least; those of 0 to 1 may overshoot a little."""
WHITE_IS_ZERO, PHOTOMETRIC = 0, 262
"""Value and number of the TIFF tag that says what level is black."""


def rgb_pixels(image: Image.Image) -> np.ndarray:
    """(H, W, 3) uint8 of an image; what is transparent lies on white, as in most viewers.

    Raises
    ------
    ValueError : grey levels whose scale is not known, or colours that cannot be turned into RGB.
    """
    if image.mode in WIDE:
        return np.repeat(grey_pixels(image)[..., None], 3, axis=2)
    if image.has_transparency_data:
        pixels = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), pixels)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def grey_pixels(image: Image.Image) -> np.ndarray:
    """(H, W) uint8 of an image in one of the modes `WIDE`."""
    values = np.asarray(image)
    levels = _float_levels(values) if image.mode == "F" else _integer_levels(values)
    if getattr(image, "tag_v2", {}).get(PHOTOMETRIC) == WHITE_IS_ZERO:
        levels = 255 - levels
    if "transparency" in image.info:
        levels[values == image.info["transparency"]] = 255
    return levels


def _integer_levels(values: np.ndarray) -> np.ndarray:
    """Levels of the full range of 16 bits, or of 8 bits in a wider type."""
    low, high = int(values.min()), int(values.max())
    if low >= 0 and high <= FULL_8:
        return values.astype(np.uint8)
    if low < 0 or high > FULL_16:
        raise ValueError(
            f"whole grey levels from {low} to {high}; expected 0 to {FULL_16} (or 0 to {FULL_8})"
        )
    if high <= FULL_12:
        raise ValueError(
            f"16-bit grey levels from {low} to {high}: up to {FULL_16} it is nearly black, and a "
            "scale of 10 or 12 bits is only a guess"
        )
    return np.rint(values / (FULL_16 / FULL_8)).astype(np.uint8)


def _float_levels(values: np.ndarray) -> np.ndarray:
    """Levels from 0 to 1, or from 0 to 255."""
    if not np.isfinite(values).all():
        raise ValueError(f"{np.count_nonzero(~np.isfinite(values))} of its numbers are not finite")
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > FULL_8 or 1 < high < DARKEST:
        raise ValueError(
            f"floating-point grey levels from {low:g} to {high:g}; expected 0 to 1, or 0 to 255"
        )
    return np.rint(values * FULL_8 if high <= 1 else values).astype(np.uint8)
