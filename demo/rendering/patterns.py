"""Procedural textures: functions of surface coordinates with values in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Waves:
    """A smooth random field: a sum of cosines, used for grain, stains and clouds.

    ``directions`` (N, D) are angular frequencies at scale 1, ``phases`` (N,), ``weights`` (N,).
    """

    directions: np.ndarray
    phases: np.ndarray
    weights: np.ndarray

    def __call__(self, coordinates: np.ndarray) -> np.ndarray:
        """Values (...,) with mean about 0 and standard deviation about 1."""
        angle = coordinates.astype(np.float32) @ self.directions.T.astype(np.float32)
        return np.cos(angle + self.phases.astype(np.float32)) @ self.weights.astype(np.float32)


def random_waves(rng: np.random.Generator, dimensions: int, scale: float, count: int = 10) -> Waves:
    """Waves whose longest wavelength is about ``scale``, over two octaves."""
    directions = rng.normal(size=(count, dimensions))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    octave = rng.uniform(0.0, 2.5, size=count)
    weights = 2.0 ** (-0.6 * octave)
    return Waves(
        directions * (2 * np.pi / scale * 2.0**octave)[:, None],
        rng.uniform(0.0, 2 * np.pi, size=count),
        weights * np.sqrt(2.0 / np.sum(weights**2)),
    )


@dataclass(frozen=True)
class Texture:
    """Two colours (linear, (3,)) mixed by a pattern of a given size, with some waves on top.

    ``kind`` is one of plain, checker, planks, tiles, stripes, clouds, gradient, grain.
    """

    kind: str
    first: np.ndarray
    second: np.ndarray
    scale: float
    waves: Waves
    roughness: float

    def __call__(self, coordinates: np.ndarray) -> np.ndarray:
        """Colours (N, 3) at surface coordinates (N, 2) or (N, 3)."""
        share = _PATTERNS[self.kind](coordinates / self.scale, self.waves)[:, None]
        colour = self.first * (1 - share) + self.second * share
        if self.roughness > 0:
            colour = colour * (1 + self.roughness * self.waves(coordinates / self.scale))[:, None]
        return np.clip(colour, 0.01, 1.0)


def _hash(cells: np.ndarray) -> np.ndarray:
    """Pseudo-random numbers in [0, 1) of integer cells (N,)."""
    return np.mod(np.sin(cells * 12.9898 + 4.1) * 43758.5453, 1.0)


def _plain(x: np.ndarray, waves: Waves) -> np.ndarray:
    return np.zeros(len(x))


def _checker(x: np.ndarray, waves: Waves) -> np.ndarray:
    return np.mod(np.floor(x[:, 0]) + np.floor(x[:, 1]), 2)


def _planks(x: np.ndarray, waves: Waves) -> np.ndarray:
    row = np.floor(x[:, 0] * 2)
    along = x[:, 1] / 3 + _hash(row)
    seam = (np.mod(x[:, 0] * 2, 1) < 0.05) | (np.mod(along, 1) < 0.012)
    tone = 0.55 * _hash(row + 17 * np.floor(along))
    return np.where(seam, 1.0, tone)


def _tiles(x: np.ndarray, waves: Waves) -> np.ndarray:
    shifted = x[:, 0] + 0.5 * np.mod(np.floor(x[:, 1] * 2), 2)
    joint = (np.mod(shifted, 1) < 0.06) | (np.mod(x[:, 1] * 2, 1) < 0.1)
    tone = 0.25 * _hash(np.floor(shifted) + 31 * np.floor(x[:, 1] * 2))
    return np.where(joint, 1.0, tone)


def _stripes(x: np.ndarray, waves: Waves) -> np.ndarray:
    return (np.mod(x[:, 0], 1) < 0.5).astype(float)


def _clouds(x: np.ndarray, waves: Waves) -> np.ndarray:
    return 1 / (1 + np.exp(-2 * waves(x)))


def _gradient(x: np.ndarray, waves: Waves) -> np.ndarray:
    share = np.clip(0.5 - 0.5 * x[:, 1], 0, 1)
    return np.clip(share + 0.06 * waves(x), 0, 1)


def _grain(x: np.ndarray, waves: Waves) -> np.ndarray:
    stretched = x * np.array([1.0, 0.15, 1.0])[: x.shape[1]]
    return 0.5 + 0.5 * np.sin(12 * stretched[:, 0] + 2.5 * waves(stretched))


_PATTERNS = {
    "plain": _plain,
    "checker": _checker,
    "planks": _planks,
    "tiles": _tiles,
    "stripes": _stripes,
    "clouds": _clouds,
    "gradient": _gradient,
    "grain": _grain,
}
