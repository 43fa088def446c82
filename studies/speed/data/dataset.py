"""A dataset on disk in SPair-71k's layout, as the pipeline's users have it, of synthetic shapes."""

from pathlib import Path

import numpy as np

from demo import files
from demo.annotations import image_annotation
from demo.plan import pair_name
from semalign3d.datasets.mirror_tables import SPAIR, listed_ids, mirror_permutation
from semalign3d.seeds import generator
from studies.shared.synthetic_views import symmetric_shape

from .features import write_features
from .scene import photograph, relative_inverse_depth, skeleton

SHARED = ("JPEGImages", "ImageAnnotation")


def categories() -> dict[int, str]:
    """{K: a category of SPair-71k whose keypoints are exactly 0 to K - 1}."""
    found: dict[int, str] = {}
    for name in sorted(SPAIR):
        ids = listed_ids(SPAIR[name])
        if ids == tuple(range(len(ids))):
            found.setdefault(len(ids), name)
    return found


def stems(images: int) -> list[str]:
    return [f"image_{number:03d}" for number in range(images)]


def write_category(root: Path, category: str, images: int, visible: float) -> None:
    """Photos, annotations, masks, depth and (linked) features of a category's training images."""
    mirror = mirror_permutation(SPAIR[category])
    rng = generator(0, "benchmark-shape", category)
    shape = symmetric_shape(mirror, rng)
    weights = skeleton(shape)
    turns = np.mod(np.arange(images) * 0.6180339887, 1.0)
    for turn, stem in zip(turns, stems(images), strict=True):
        rng = generator(0, "benchmark-image", category, stem)
        view = photograph(shape, weights, float(turn), visible, rng)
        annotation = image_annotation(
            category, stem, view.mask, view.pixels, view.visible, view.azimuth
        )
        rgb = np.repeat(np.where(view.mask, 200, 60).astype(np.uint8)[..., None], 3, axis=2)
        files.write_image(root / "JPEGImages" / category / f"{stem}.jpg", rgb)
        files.write_json(root / "ImageAnnotation" / category / f"{stem}.json", annotation)
        files.write_image(root / "masks" / category / f"{stem}.png", view.mask)
        depth = relative_inverse_depth(view.depth, rng)
        files.write_array(root / "depth" / category / f"{stem}_depth.npy", depth)
    write_features(root / "features" / category, stems(images))


def write_subset(root: Path, whole: Path, category: str, images: int) -> None:
    """A dataset of the first images of a larger one, by its lists of pairs and links."""
    names = stems(images)
    following = [*names[1:], names[0]]
    lines = [
        pair_name(number, source, target, category)
        for number, (source, target) in enumerate(zip(names, following, strict=True), start=1)
    ]
    files.write_lines(root / "Layout" / "large" / "trn.txt", lines)
    for name in SHARED:
        (root / name).symlink_to(whole / name, target_is_directory=True)


def config(whole: Path, root: Path, checkpoint: Path, points: int, surface: int) -> dict:
    """The pipeline's settings for such a dataset: masks and depth from files, all on one thread."""
    return {
        "dataset": {"name": "spair-71k", "root": str(root), "splits": ["trn"]},
        "descriptors": {"root": str(whole / "features"), "checkpoint": str(checkpoint)},
        "masks": {"source": "files", "root": str(whole / "masks")},
        "depth": {"source": "files", "root": str(whole / "depth")},
        "points": {"per_image": points},
        "dense": {"points": surface},
        "runtime": {"device": "cpu", "threads": 1},
    }
