"""What the demo's renderer knows of a category's training images, made once and kept."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from demo import files, plan
from demo.annotations import image_annotation
from demo.dataset import make_scene
from demo.rendering.casting import cast
from demo.rendering.render import keypoint_visibility, project
from demo.rendering.scene import Scene
from demo.rendering.shading import Kind
from demo.shapes import Instance
from demo.truth import mean_surface
from semalign3d.files.digest import values_digest
from semalign3d.pipeline.code import code_digest
from semalign3d.seeds import generator
from studies.robustness.cases import Conditions

ONE_SIDE = 120.0
"""Degrees of azimuth within which the cameras of one-sided views lie."""


@dataclass(frozen=True)
class Photo:
    """An image as its annotator, and perfect mask and depth networks, would give it.

    Attributes
    ----------
    keypoints : (K, 2) annotated pixels, NaN where not seen
    box : (4,) x1, y1, x2, y2
    mask : (H, W) bool
    depth : (H, W) float32, true depth in object diagonals
    """

    keypoints: np.ndarray
    box: np.ndarray
    mask: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True)
class Album:
    """The photos of a category under some conditions, and the truth about their mean shape."""

    stems: tuple[str, ...]
    photos: tuple[Photo, ...]
    truth: dict[str, np.ndarray]


def open_album(category: str, seed: int, conditions: Conditions, folder: Path) -> Album:
    """The photos and the truth that the conditions ask for, rendered where not yet kept.

    Photos are kept for each spread and kind of views; fewer images are the first ones of them.

    Parameters
    ----------
    category, seed : of the demo's dataset
    conditions : only `images`, `spread` and `one_sided` play a part
    folder : where they are kept
    """
    stems = plan.splits(category, plan.Counts(trn=conditions.images))["trn"]
    kept = folder / _name(category, seed, conditions)
    photos = tuple(_photo(category, stem, seed, conditions, kept) for stem in stems)
    return Album(stems, photos, _truth(category, stems, seed, conditions, kept))


def _name(category: str, seed: int, conditions: Conditions) -> str:
    """Folder name of what is made by this code from these numbers."""
    digest = values_digest(
        code=code_digest(__name__), spread=conditions.spread, one_sided=conditions.one_sided
    )
    return f"{category}-{seed}-{digest[:16]}"


def _scene(category: str, stem: str, seed: int, conditions: Conditions) -> Scene:
    azimuths = None
    if conditions.one_sided:
        first = 360.0 * float(generator(seed, "demo-one-side", category).uniform())
        azimuths = (first, first + ONE_SIDE)
    return make_scene(category, stem, seed, spread=conditions.spread, azimuths=azimuths)


def _photo(category: str, stem: str, seed: int, conditions: Conditions, kept: Path) -> Photo:
    path = kept / f"{stem}.npz"
    if not path.is_file():
        photo = take_photo(category, stem, _scene(category, stem, seed, conditions))
        files.write_arrays(path, {f.name: getattr(photo, f.name) for f in fields(photo)})
    with np.load(path) as arrays:
        return Photo(**arrays)


def take_photo(category: str, stem: str, scene: Scene) -> Photo:
    """Rays through the pixels of a scene, without colours."""
    seen = cast(scene)
    mask = seen.kind == Kind.OBJECT
    pixels = project(scene, scene.instance.keypoints)
    visible = keypoint_visibility(scene, seen.canonical)
    annotation = image_annotation(category, stem, mask, pixels, visible, scene.camera.azimuth)
    found = [annotation["kps"][str(i)] or (np.nan, np.nan) for i in range(len(pixels))]
    return Photo(np.array(found, dtype=float), np.array(annotation["bndbox"]), mask, seen.depth)


def _truth(
    category: str, stems: tuple[str, ...], seed: int, conditions: Conditions, kept: Path
) -> dict[str, np.ndarray]:
    """Mean shape of the photographed objects, as the demo's truth file has it."""
    path = kept / f"truth-{len(stems)}.npz"
    if not path.is_file():
        objects = [_scene(category, stem, seed, conditions).instance for stem in stems]
        files.write_arrays(path, mean_shape(objects, generator(seed, "demo-surface", category)))
    with np.load(path) as arrays:
        return dict(arrays)


def mean_shape(objects: list[Instance], rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Mean keypoints (K, 3) of objects, and their surface (see `demo.truth.mean_surface`)."""
    mean = np.mean([instance.keypoints for instance in objects], axis=0)
    surface, seen = mean_surface(objects, mean, rng)
    return {"keypoints": mean, "surface": surface, "surface_seen": seen}
