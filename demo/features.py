"""Image features that imitate those of GeoAware-SC, in its layout (METHOD.md section 1.4).

Each map is a smooth function of where a surface point lies on the category's mean shape, so that
equal places of different objects agree. A share of the channels sees only the distance from the
mirror plane, not the side; noise, an offset per image and a random background do the rest, so that
nearest neighbours alone match badly, as they do with real features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from semalign3d.seeds import generator

GRID = 60
CHANNELS = {"dino": 40, "s3": 36, "s4": 72, "s5": 72}
SIDES = {"dino": GRID, "s3": GRID, "s4": 30, "s5": 15}
_SAMPLES = 2
"""Samples a cell of the finest grid along each axis."""
_OBJECT_WEIGHT = 8.0
"""Weight of the object's samples in a cell that also shows background: thin parts stay visible."""
_BACKGROUND = 0.5
"""Strength of the background's features."""
WAVELENGTH = {"dino": 0.55, "s3": 0.4, "s4": 0.6, "s5": 0.9}
"""Length, in object diagonals, over which a map changes."""


@dataclass(frozen=True)
class Disturbance:
    """How far the features are from a perfect surface map.

    Attributes
    ----------
    blind : share of the channels that don't tell left from right
    noise : standard deviation of the noise, in that of the signal
    correlation : width of the noise's smooth half, in cells of the finest grid
    offset : standard deviation of the offset per image and channel
    """

    blind: float = 0.8
    noise: float = 0.45
    correlation: float = 1.2
    offset: float = 0.3


@dataclass(frozen=True)
class _Field:
    """Random Fourier features of a map: frequencies (C, 3), phases (C,), blind channels (C,)."""

    frequencies: np.ndarray
    phases: np.ndarray
    blind: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Values (..., C) float32 with standard deviation about 1 at points (..., 3)."""
        sided = points @ self.frequencies.T
        folded = points * (0.0, 1.0, 1.0) + np.abs(points) * (1.0, 0.0, 0.0)
        angle = np.where(self.blind, folded @ self.frequencies.T, sided)
        return (np.sqrt(2.0) * np.cos(angle + self.phases)).astype(np.float32)


def _field(name: str, blind: float, *purpose: str) -> _Field:
    """The map's fixed field: equal for all images, runs and seeds."""
    rng = generator(0, "demo-features", name, *purpose)
    channels = CHANNELS[name]
    directions = rng.normal(size=(channels, 3))
    return _Field(
        directions * (np.pi / 2 / WAVELENGTH[name]),
        rng.uniform(0.0, 2 * np.pi, size=channels),
        np.arange(channels) < round(blind * channels),
    )


def _sample_pixels(width: int, height: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows and columns (S, S) of the pixels that the padded square's samples fall on.

    S = GRID * _SAMPLES. The third array says which samples lie inside the image.
    """
    side, count = max(width, height), GRID * _SAMPLES
    centres = (np.arange(count) + 0.5) / count * side
    columns = np.rint(centres - (side - width) // 2).astype(int)
    rows = np.rint(centres - (side - height) // 2).astype(int)
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))
    grid = np.meshgrid(np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1), indexing="ij")
    return grid[0], grid[1], inside


def _pool(values: np.ndarray, weights: np.ndarray, side: int) -> np.ndarray:
    """Mean over blocks of (S, S, C), weighted by (S, S), so that (side, side, C) remain."""
    block = values.shape[0] // side
    blocks = (side, block, side, block, -1)
    weighted = (values * weights[..., None]).reshape(blocks).sum(axis=(1, 3))
    return weighted / weights.reshape(blocks).sum(axis=(1, 3))


def _noise(shape: tuple[int, int, int], width: float, rng: np.random.Generator) -> np.ndarray:
    """Noise (G, G, C) of unit variance: half smooth over ``width`` cells, half white."""
    white = rng.standard_normal(shape, dtype=np.float32)
    smooth = gaussian_filter(rng.standard_normal(shape, dtype=np.float32), (width, width, 0))
    smooth /= max(float(smooth.std()), 1e-6)
    return (white + smooth) / np.float32(np.sqrt(2.0))


def imitate(
    template: np.ndarray,
    disturbance: Disturbance,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """The four feature maps of an image.

    Parameters
    ----------
    template : (H, W, 3) places on the mean shape, NaN off the object
    disturbance : how imperfect the maps are
    rng : source of noise, offsets and background

    Returns
    -------
    ``dino``, ``s3``, ``s4``, ``s5``: (C, side, side) float32, height before width
    """
    height, width = template.shape[:2]
    rows, columns, inside = _sample_pixels(width, height)
    sampled = template[rows, columns].astype(np.float64)
    on_object = inside & np.isfinite(sampled[..., 0])
    plane = np.stack([columns, rows, np.zeros_like(rows)], axis=-1) / max(width, height)
    weights = np.where(on_object, _OBJECT_WEIGHT, 1.0)
    maps = {}
    for name, channels in CHANNELS.items():
        background = _field(name, 0.0, "background", str(rng.integers(1 << 40)))
        values = _BACKGROUND * background(1.2 * plane)
        values[on_object] = _field(name, disturbance.blind)(sampled[on_object])
        values[~inside] = 0.0
        pooled = _pool(values, weights, SIDES[name])
        scale = SIDES[name] / GRID
        noise = _noise(pooled.shape, max(disturbance.correlation * scale, 0.3), rng)
        offset = rng.normal(0.0, disturbance.offset, size=channels)
        total = pooled + disturbance.noise * noise + offset
        maps[name] = np.ascontiguousarray(total.transpose(2, 0, 1), dtype=np.float32)
    return maps


def mirrored(template: np.ndarray) -> np.ndarray:
    """What the mirrored image shows: the mirrored object, so that left and right change names."""
    return template[:, ::-1] * np.array([-1.0, 1.0, 1.0], dtype=template.dtype)
