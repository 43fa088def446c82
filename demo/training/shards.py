"""Rendered shards as augmented training batches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from demo.training.render_training_set import CANVAS, LOOKS, NOCS_RANGE

RESCAN_SECONDS = 60.0
"""How often the loader looks for shards that were rendered meanwhile."""


@dataclass(frozen=True)
class RawBatch:
    """Scenes as they are stored, B of them; see ``render_training_set.allocate``."""

    rgb: torch.Tensor
    fields: dict[str, torch.Tensor]


class Shards:
    """The shards of a folder, mapped into memory; new ones are picked up as they appear."""

    def __init__(self, root: Path, names: tuple[str, ...]) -> None:
        self._root = root
        self._names = names
        self._shards: dict[str, dict[str, np.ndarray]] = {}
        self._scanned = -np.inf

    def scan(self) -> int:
        """Open new shards; the number of scenes at hand."""
        if time.monotonic() - self._scanned > RESCAN_SECONDS:
            self._scanned = time.monotonic()
            for folder in sorted(self._root.glob("shard_*")):
                if folder.name not in self._shards:
                    self._shards[folder.name] = {
                        name: np.load(folder / f"{name}.npy", mmap_mode="r")
                        for name in ("rgb", "size", *self._names)
                    }
        return sum(len(shard["size"]) for shard in self._shards.values())

    def batches(self, size: int, rng: np.random.Generator) -> Iterator[RawBatch]:
        """Random scenes without end, one of their appearances each."""
        while True:
            if self.scan() < size:
                raise FileNotFoundError(
                    f"{self._root}: fewer than {size} scenes; run render_training_set first"
                )
            shards = list(self._shards.values())
            places = []
            for shard in rng.integers(0, len(shards), size):
                places.append((shards[shard], int(rng.integers(0, len(shards[shard]["size"])))))
            rgb = np.stack([shard["rgb"][row, rng.integers(0, LOOKS)] for shard, row in places])
            fields = {
                name: torch.from_numpy(np.stack([shard[name][row] for shard, row in places]))
                for name in ("size", *self._names)
            }
            yield RawBatch(torch.from_numpy(rgb), fields)


def random_crops(size: torch.Tensor, rng: np.random.Generator, whole: float) -> torch.Tensor:
    """Crop rectangles (B, 4) in canvas pixels: left, top, width, height.

    Parameters
    ----------
    size : (B, 2) image width and height
    rng : source of random numbers
    whole : share of the crops that are the whole image
    """
    out = np.zeros((len(size), 4))
    for index, (width, height) in enumerate(size.numpy().astype(float)):
        share = np.ones(2)
        if rng.uniform() >= whole:
            share = rng.uniform(0.78, 1.0) * np.exp(rng.uniform(-0.07, 0.07, 2))
            share = np.minimum(share, 1.0)
        extent = share * (width, height)
        out[index, :2] = rng.uniform(0, 1, 2) * ((width, height) - extent)
        out[index, 2:] = extent
    return torch.from_numpy(out).float()


def sampling_grid(crops: torch.Tensor, flip: torch.Tensor, side: tuple[int, int]) -> torch.Tensor:
    """Grid (B, h, w, 2) for ``grid_sample`` that shows crops of a canvas at a size (w, h).

    Parameters
    ----------
    crops : (B, 4) left, top, width, height in canvas pixels
    flip : (B,) bool, mirror left and right
    side : output width and height
    """
    x = (torch.arange(side[0]) + 0.5) / side[0]
    y = (torch.arange(side[1]) + 0.5) / side[1]
    across = torch.where(flip[:, None], 1 - x, x) * crops[:, 2:3] + crops[:, :1]
    down = y[None] * crops[:, 3:] + crops[:, 1:2]
    shape = (len(crops), side[1], side[0])
    grid = torch.stack([across[:, None].expand(shape), down[:, :, None].expand(shape)], dim=-1)
    return grid * (2 / CANVAS) - 1


def sample(values: torch.Tensor, grid: torch.Tensor, mode: str = "nearest") -> torch.Tensor:
    """Values (B, C, H, W) float32 at a grid (B, h, w, 2)."""
    return F.grid_sample(values, grid, mode=mode, padding_mode="border", align_corners=False)


def random_colours(rgb: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Pictures (B, 3, h, w) in [0, 1] with random contrast, colour cast, gamma and noise."""
    count = len(rgb)

    def draw(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(low, high, (count, *shape)).astype(np.float32))

    grey = rgb.mean(dim=1, keepdim=True)
    rgb = grey + (rgb - grey) * draw(0.3, 1.4, 1, 1, 1)
    rgb = rgb * draw(0.75, 1.2, 1, 1, 1) * draw(0.88, 1.12, 3, 1, 1) + draw(-0.06, 0.06, 1, 1, 1)
    rgb = rgb.clamp(1e-3, 1) ** draw(0.8, 1.25, 1, 1, 1)
    noise = torch.from_numpy(rng.standard_normal(rgb.shape, dtype=np.float32))
    return (rgb + noise * draw(0.0, 0.02, 1, 1, 1)).clamp(0, 1)


def pictures(raw: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Stored colours (B, S, S, 3) as (B, 3, S, S) in [0, 1], half of them a little blurred."""
    rgb = raw.permute(0, 3, 1, 2).float() / 255
    chosen = torch.from_numpy(rng.uniform(size=len(rgb)) < 0.5)
    if chosen.any():
        line = torch.tensor([0.25, 0.5, 0.25])
        kernel = (line[:, None] * line[None, :]).expand(3, 1, 3, 3)
        padded = F.pad(rgb[chosen], (1, 1, 1, 1), mode="replicate")
        rgb[chosen] = F.conv2d(padded, kernel, groups=3)
    return rgb


def unpack(values: torch.Tensor, limit: float = NOCS_RANGE) -> torch.Tensor:
    """8-bit coordinates (B, H, W, 3) as (B, 3, H, W) in [-limit, limit]."""
    return (values.permute(0, 3, 1, 2).float() - 128) * (limit / 127)
