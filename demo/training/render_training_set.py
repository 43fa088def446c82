"""Render the training set of the demo's two networks: shards of scenes with their truth.

A shard is a folder of plain .npy files, one a field, that the loader maps into memory. Scenes are
seeded by (TRAINING_SEEDS, shard, index): held-out scenes and the demo's dataset use other seeds.

    python -m demo.training.render_training_set --out /tmp/renders --shards 120
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import time
from pathlib import Path

import numpy as np

from demo.rendering.appearance import random_appearance
from demo.rendering.render import cast, develop, project
from demo.rendering.scene import Scene, random_scene
from demo.rendering.shading import GBuffer, Kind, shade

log = logging.getLogger(__name__)

TRAINING_SEEDS = 731_000_001
CATEGORIES = ("chair", "aeroplane")
"""What the networks are trained and scored on; bottles are new to them."""
CANVAS = 256
"""Side of the stored arrays in pixels; an image fills their upper left part."""
LOOKS = 2
"""Appearances a scene."""
MAX_KEYPOINTS = 25
NOCS_RANGE = 0.75
"""Canonical coordinates are stored in 8 bits over [-NOCS_RANGE, NOCS_RANGE]."""
VISIBILITY = 0.04


def image_size(rng: np.random.Generator, longest: int) -> tuple[int, int]:
    """Width and height of a square, landscape or portrait image, as the demo's dataset has them."""
    short = longest if rng.uniform() < 0.34 else int(rng.uniform(0.68, 0.9) * longest)
    return (longest, short) if rng.uniform() < 0.5 else (short, longest)


def relief(depth: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Inverse depth as an affine map of itself that is 0 at the object's median, (H, W) float32.

    With m the object's median depth: m (m / z - 1), about the distance in object diagonals by
    which a surface lies before the object's middle.
    """
    middle = float(np.median(depth[mask]))
    return np.clip(middle * (middle / depth - 1), -8.0, 8.0).astype(np.float32)


def visible_keypoints(scene: Scene, buffer: GBuffer) -> np.ndarray:
    """Pixel coordinates (MAX_KEYPOINTS, 2) of the keypoints that are seen, NaN elsewhere."""
    height, width = buffer.kind.shape
    out = np.full((MAX_KEYPOINTS, 2), np.nan, np.float32)
    points = scene.instance.keypoints
    for index, (x, y) in enumerate(project(scene, points)):
        column, row = round(float(x)), round(float(y))
        if not (0 <= column < width and 0 <= row < height):
            continue
        near = buffer.canonical[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
        gap = np.linalg.norm(near.reshape(-1, 3) - points[index], axis=1)
        if np.any(gap <= VISIBILITY):
            out[index] = x, y
    return out


def _half(values: np.ndarray, limit: float) -> np.ndarray:
    """Every second pixel of (H, W, 3) in [-limit, limit] as 8 bits; NaN becomes 128."""
    scaled = np.nan_to_num(values[::2, ::2] / limit) * 127 + 128
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def render_scene(category: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """One scene as the fields of a shard (see ``allocate``)."""
    while True:
        width, height = image_size(rng, CANVAS)
        scene = random_scene(category, rng, width=width, height=height)
        buffer = cast(scene)
        mask = buffer.kind == Kind.OBJECT
        if mask.sum() > 300:
            break
    looks = [scene.appearance]
    for _ in range(LOOKS - 1):
        looks.append(random_appearance(category, rng, airborne=bool(rng.uniform() < 0.5)))
    rgb = np.stack([develop(shade(buffer, look), look.noise, scene) for look in looks])
    normal = buffer.normal @ scene.camera.rotation.T.astype(np.float32)
    return {
        "rgb": rgb,
        "relief": relief(buffer.depth, mask).astype(np.float16),
        "mask": mask,
        "part": np.where(mask, buffer.part, -1).astype(np.int8),
        "nocs": _half(buffer.canonical, NOCS_RANGE),
        "normal": _half(normal, 1.0),
        "size": np.array([width, height], np.int16),
        "category": np.array(CATEGORIES.index(category), np.uint8),
        "keypoints": visible_keypoints(scene, buffer),
    }


def allocate(count: int) -> dict[str, np.ndarray]:
    """Empty fields of a shard of ``count`` scenes."""
    side, half = CANVAS, CANVAS // 2
    return {
        "rgb": np.zeros((count, LOOKS, side, side, 3), np.uint8),
        "relief": np.zeros((count, side, side), np.float16),
        "mask": np.zeros((count, side, side), bool),
        "part": np.full((count, side, side), -1, np.int8),
        "nocs": np.full((count, half, half, 3), 128, np.uint8),
        "normal": np.full((count, half, half, 3), 128, np.uint8),
        "size": np.zeros((count, 2), np.int16),
        "category": np.zeros(count, np.uint8),
        "keypoints": np.full((count, MAX_KEYPOINTS, 2), np.nan, np.float32),
    }


def _place(field: np.ndarray, value: np.ndarray) -> None:
    """Copy ``value`` into the leading corner of a shard's slot along its image axes."""
    field[tuple(slice(0, n) for n in value.shape)] = value


def render_shard(out: Path, shard: int, count: int) -> None:
    """Render one shard into ``out/shard_<number>``; the folder appears when it is complete."""
    target = out / f"shard_{shard:04d}"
    if target.exists():
        return
    fields = allocate(count)
    for index in range(count):
        rng = np.random.default_rng([TRAINING_SEEDS, shard, index])
        scene = render_scene(CATEGORIES[index % len(CATEGORIES)], rng)
        for name, value in scene.items():
            if value.ndim:
                _place(fields[name][index], value)
            else:
                fields[name][index] = value
    temporary = out / f".shard_{shard:04d}.{os.getpid()}"
    temporary.mkdir(parents=True)
    for name, values in fields.items():
        np.save(temporary / f"{name}.npy", values)
    try:
        temporary.rename(target)
    except OSError:
        shutil.rmtree(temporary)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for the shards")
    parser.add_argument("--shards", type=int, default=120)
    parser.add_argument("--scenes", type=int, default=100, help="scenes a shard")
    parser.add_argument("--first", type=int, default=0, help="number of the first shard")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    options.out.mkdir(parents=True, exist_ok=True)
    for shard in range(options.first, options.first + options.shards):
        start = time.monotonic()
        render_shard(options.out, shard, options.scenes)
        log.info("shard %d: %.0f s", shard, time.monotonic() - start)


if __name__ == "__main__":
    main()
