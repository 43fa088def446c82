"""The demo dataset: SPair-71k's layout, GeoAware-layout features, imitated maps, and the truth.

Everything follows from the seed and the names of category and image; the number of processes
changes no byte.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from demo import files, plan
from demo.annotations import image_annotation, pair_annotation
from demo.features import Disturbance, imitate, mirrored
from demo.rendering.camera import azimuth_range, elevation_range
from demo.rendering.render import Render, keypoint_visibility, project, render
from demo.rendering.scene import Scene, random_scene
from demo.shapes import VARIATION, Instance
from demo.truth import image_truth, mean_surface
from semalign3d.seeds import generator

LOGGER = logging.getLogger(__name__)
SAMPLES = 2
"""Rays a pixel along each axis."""
DISTURBANCE = {
    "chair": Disturbance(blind=0.8, noise=0.45),
    "aeroplane": Disturbance(blind=0.9, noise=0.17),
    "bottle": Disturbance(blind=0.8, noise=0.22),
}
"""How imperfect the features of each category are: set so that nearest neighbours reach 55 to 70 %
PCK@0.1 on the test pairs."""
DEPTH_NOISE = 0.03
"""Standard deviation of the imitated depth's noise, in the object's range of inverse depth."""


def viewpoint(
    category: str, stem: str, seed: int, azimuths: tuple[float, float] | None = None
) -> tuple[float, float]:
    """Azimuth and elevation of an image in degrees.

    The images of a split follow an additive sequence that fills all views evenly, however many
    there are, plus a jitter of their own.

    Parameters
    ----------
    category, stem, seed : of the image
    azimuths : first and last azimuth of the images, in degrees; by default the category's
    """
    number = plan.image_number(category, stem)
    start = generator(seed, "demo-views", category, plan.split_of(category, stem)).uniform(size=2)
    jitter = generator(seed, "demo-view", category, stem).uniform(-0.02, 0.02, size=2)
    turn, rise = np.mod(start + number * np.array([0.6180339887, 0.4142135624]) + jitter, 1.0)
    low, high = elevation_range(category)
    first, last = azimuth_range(category) if azimuths is None else azimuths
    return float(first + (last - first) * turn), float(low + rise * (high - low))


def make_scene(
    category: str,
    stem: str,
    seed: int,
    *,
    spread: float = VARIATION,
    azimuths: tuple[float, float] | None = None,
) -> Scene:
    """The scene of one image of the dataset; see ``random_scene`` and ``viewpoint``."""
    width, height = plan.image_size(category, stem)
    azimuth, elevation = viewpoint(category, stem, seed, azimuths)
    return random_scene(
        category,
        generator(seed, "demo-scene", category, stem),
        width=width,
        height=height,
        azimuth=azimuth,
        elevation=elevation,
        spread=spread,
    )


def imitated_depth(
    depth: np.ndarray, mask: np.ndarray, rng: np.random.Generator, noise: float = DEPTH_NOISE
) -> np.ndarray:
    """What a depth network gives for a true depth: relative inverse depth (H, W), larger is nearer.

    Affine per image, smoothed (little across the object's outline), with noise of standard
    deviation ``noise`` in the object's range, most of it smooth. The farthest surface is near 0.
    """
    inverse = 1.0 / depth.astype(np.float64)
    for side in (mask, ~mask):
        weight = gaussian_filter(side.astype(float), 1.5)
        smooth = gaussian_filter(np.where(side, inverse, 0.0), 1.5) / np.maximum(weight, 1e-9)
        inverse = np.where(side, smooth, inverse)
    inverse = gaussian_filter(inverse, 0.5)
    low, high = float(inverse.min()), float(inverse.max())
    relative = (inverse - low) / (high - low) + rng.uniform(0.0, 0.06)
    spread = np.ptp(relative[mask])
    field = np.zeros_like(relative)
    for width, share in ((12.0, 0.8), (1.5, 0.6)):
        part = gaussian_filter(rng.standard_normal(depth.shape), width)
        field += share * part / part.std()
    relative = relative + noise * spread * field
    return (rng.uniform(2.0, 30.0) * np.maximum(relative, 0.0)).astype(np.float32)


def imitated_mask(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What a mask network gives: the outline off by up to about a pixel here and there."""
    wobble = gaussian_filter(rng.standard_normal(mask.shape), 3.0)
    return gaussian_filter(mask.astype(float), 0.8) + 0.12 * wobble / wobble.std() > 0.5


def image_features(
    category: str, stem: str, seed: int, template: np.ndarray
) -> dict[str, dict[str, np.ndarray]]:
    """The feature maps of an image ("") and of its mirror image ("_flip")."""
    return {
        suffix: imitate(
            view, DISTURBANCE[category], generator(seed, "demo-features", category, stem, suffix)
        )
        for suffix, view in (("", template), ("_flip", mirrored(template)))
    }


def _write_features(root: Path, category: str, stem: str, seed: int, template: np.ndarray) -> None:
    """The four feature files of an image."""
    folder = root / "features" / category
    for suffix, maps in image_features(category, stem, seed, template).items():
        files.write_tensors(folder / f"{stem}_dino{suffix}.pt", maps.pop("dino"))
        files.write_tensors(folder / f"{stem}_sd{suffix}.pt", maps)


def _write_maps(root: Path, category: str, stem: str, seed: int, picture: Render) -> None:
    """The imitated outputs of a mask and of a depth network."""
    rng = generator(seed, "demo-maps", category, stem)
    depth = imitated_depth(picture.depth, picture.mask, rng)
    files.write_array(root / "depth" / category / f"{stem}_depth.npy", depth)
    mask = imitated_mask(picture.mask, rng)
    files.write_image(root / "masks" / category / f"{stem}.png", mask)


def make_image(root: Path, category: str, seed: int, stem: str) -> tuple[dict[str, Any], Instance]:
    """Render one image, write all its files, and return its annotation and object."""
    scene = make_scene(category, stem, seed)
    picture = render(scene, SAMPLES)
    annotation = image_annotation(
        category,
        stem,
        picture.mask,
        project(scene, scene.instance.keypoints),
        keypoint_visibility(scene, picture.canonical),
        scene.camera.azimuth,
    )
    files.write_image(root / "JPEGImages" / category / f"{stem}.jpg", picture.rgb)
    files.write_json(root / "ImageAnnotation" / category / f"{stem}.json", annotation)
    _write_features(root, category, stem, seed, picture.template)
    _write_maps(root, category, stem, seed, picture)
    truth = image_truth(scene, picture.depth, picture.mask, picture.canonical)
    files.write_arrays(root / "truth" / category / f"{stem}.npz", truth)
    return annotation, scene.instance


def _results(
    root: Path, category: str, seed: int, stems: Sequence[str], processes: int
) -> Iterator[tuple[dict[str, Any], Instance]]:
    """Annotation and object of each stem, in order, made by some processes."""
    work = partial(make_image, root, category, seed)
    if processes <= 1:
        yield from map(work, stems)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(work, stems)


def write_truth(root: Path, category: str, seed: int, objects: dict[str, Instance]) -> None:
    """The category's truth: mean training keypoints, all objects' keypoints, the mean surface."""
    training = [i for stem, i in objects.items() if plan.split_of(category, stem) == "trn"]
    mean = np.mean([instance.keypoints for instance in training], axis=0)
    surface, seen = mean_surface(training, mean, generator(seed, "demo-surface", category))
    arrays = {
        "keypoints": mean,
        "stems": np.array(list(objects)),
        "instance_keypoints": np.array([instance.keypoints for instance in objects.values()]),
        "surface": surface,
        "surface_seen": seen,
    }
    files.write_arrays(root / "truth" / f"{category}.npz", arrays)


def write_pairs(
    root: Path, category: str, counts: plan.Counts, found: dict[str, dict[str, Any]]
) -> None:
    """The PairAnnotation files of a category, given its images' annotations by stem."""
    for split, named in plan.pair_names(category, counts).items():
        for number, name, source, target in named:
            pair = pair_annotation(number, name, found[source], found[target])
            files.write_json(root / "PairAnnotation" / split / f"{name}.json", pair)


def write_layout(
    root: Path,
    categories: Sequence[str] = plan.CATEGORIES,
    counts: plan.Counts = plan.DEFAULT,
) -> None:
    """``Layout/{large,small}/{trn,val,test}.txt`` for some categories."""
    for split, lines in plan.layout_lines(categories, counts).items():
        for size in ("large", "small"):
            files.write_lines(root / "Layout" / size / f"{split}.txt", lines)


def make_category(
    root: Path,
    category: str,
    counts: plan.Counts = plan.DEFAULT,
    seed: int = 0,
    *,
    processes: int = 1,
) -> None:
    """Write all files of one category under ``root`` (but the layout, see ``write_layout``).

    Parameters
    ----------
    root : the dataset's folder, made if needed
    category : one of ``demo.plan.CATEGORIES``
    counts : images of each split
    seed : any integer
    processes : how many to use; the files don't depend on it
    """
    root = Path(root)
    stems = [stem for split in plan.splits(category, counts).values() for stem in split]
    found, objects = {}, {}
    results = _results(root, category, seed, stems, processes)
    for stem, (annotation, instance) in zip(stems, results, strict=True):
        found[stem], objects[stem] = annotation, instance
        LOGGER.info(
            "%s: %d keypoints seen", stem, sum(v is not None for v in annotation["kps"].values())
        )
    write_pairs(root, category, counts, found)
    write_truth(root, category, seed, objects)
