"""How well wrong annotations are named, and how sure the prior is, on the demo's datasets.

python -m studies.robustness annotations --seeds 5
"""

from __future__ import annotations

import argparse
import dataclasses
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml

from semalign3d.datasets.mirror_tables import SPAIR, mirror_permutation
from semalign3d.errors import InputError
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.seeds import generator
from semalign3d.shape.bundle.refinement import Bundle
from semalign3d.shape.bundle.suspects import check_annotations
from semalign3d.shape.cameras.estimation import AnnotatedView, Cameras
from studies.robustness.cases import CLEAN
from studies.robustness.chain import Settings, make_geometry
from studies.robustness.degrade import spoil_keypoints
from studies.robustness.measure import CATEGORIES, CONFIG
from studies.robustness.photos import Album, open_album
from studies.robustness.run import keypoint_error, poor_views

WRONG = 0.05
"""Share of the annotations that are swapped or displaced."""
NINETY = 1.645
"""Standard deviations within which 90 % of a normal distribution lies."""


@dataclass(frozen=True)
class Outcome:
    """Of a dataset, with its annotations right and with some of them wrong.

    Attributes
    ----------
    clean, wrong : errors of the refined keypoints, in shares of the diagonal
    found : share of the wrong annotations that are named
    false : share of the right annotations that are named
    within : coordinates whose error lies within the interval of 90 %, and their number
    correlation : over keypoints, of the length of the error and of the standard deviation
    """

    clean: float
    wrong: float
    found: float
    false: float
    within: tuple[int, int]
    correlation: float


def outcome(category: str, seed: int, settings: Settings, cache: Path) -> Outcome:
    """Refine a dataset twice: annotated rightly, and with wrong annotations."""
    album = open_album(category, seed, CLEAN, cache / "photos")
    mirror = mirror_permutation(SPAIR[category])
    views, _ = poor_views(category, seed, CLEAN, album, mirror)
    target = album.truth["keypoints"]
    _, clean = _refined(category, views, mirror, settings, seed)
    spoilt, bad = _spoilt(category, seed, album, views, mirror)
    cameras, wrong = _refined(category, spoilt, mirror, settings, seed)
    suspicious = settings["bundle"]["suspicious"]
    check = check_annotations(cameras, wrong, mirror, suspicious=suspicious)
    named, seen = check.suspicion != "", np.isfinite(check.residual)
    error = clean.xyz - similarity_procrustes(target[clean.used], clean.xyz[clean.used]).apply(
        target
    )
    # Single keypoints lie on the mirror plane by definition.
    free = clean.uncertainty > 1e-6
    within = np.abs(error[free]) < NINETY * clean.uncertainty[free]
    lengths = (np.linalg.norm(a[clean.used], axis=1) for a in (error, clean.uncertainty))
    return Outcome(
        keypoint_error(clean.xyz, target),
        keypoint_error(wrong.xyz, target),
        float(named[bad & seen].mean()),
        float(named[~bad & seen].mean()),
        (int(within.sum()), int(free.sum())),
        float(np.corrcoef(*lengths)[0, 1]),
    )


def _refined(
    category: str, views: list[AnnotatedView], mirror: np.ndarray, settings: Settings, seed: int
) -> tuple[Cameras, Bundle]:
    """Cameras and shape after bundle refinement."""
    made = make_geometry(category, views, mirror, settings, seed)
    if not isinstance(made.shape, Bundle):
        raise InputError("bundle.enabled is false: there is nothing to check")
    return made.cameras, made.shape


def _spoilt(
    category: str, seed: int, album: Album, views: list[AnnotatedView], mirror: np.ndarray
) -> tuple[list[AnnotatedView], np.ndarray]:
    """The views with wrong annotations, and which are wrong (N, K) bool."""
    keypoints, bad = spoil_keypoints(
        np.stack([view.keypoints for view in views]),
        np.stack([photo.box for photo in album.photos]),
        np.array([view.size for view in views]),
        mirror,
        WRONG,
        generator(seed, "robustness-annotations", category),
    )
    spoilt = [
        dataclasses.replace(view, keypoints=of_view)
        for view, of_view in zip(views, keypoints, strict=True)
    ]
    return spoilt, bad


def rows(categories: list[str], seeds: int, settings: Settings, cache: Path) -> Iterator[str]:
    """A table in Markdown, one row a dataset and one for all."""
    yield "| dataset | error | with 5 % wrong | wrong ones named | right ones named |"
    yield "| --- | --- | --- | --- | --- |"
    every = []
    for category in categories:
        for seed in range(seeds):
            made = outcome(category, seed, settings, cache)
            every.append(made)
            numbers = (made.clean, made.wrong, made.found, made.false)
            yield f"| {category} {seed} | " + " | ".join(f"{n:.2%}" for n in numbers) + " |"
    inside, count = np.sum([made.within for made in every], axis=0)
    low, middle, high = np.quantile([made.correlation for made in every], [0.0, 0.5, 1.0])
    yield ""
    yield (
        f"{inside / count:.1%} of {count} coordinates lie within their intervals of 90 %; the "
        "correlation of error and standard deviation over keypoints is "
        f"{middle:.2f} (median; {low:.2f} to {high:.2f})."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5, help="how many demo datasets a category")
    parser.add_argument("--cache", type=Path, default=Path("results/robustness"))
    parser.add_argument("--categories", nargs="+", default=CATEGORIES, choices=CATEGORIES)
    parser.add_argument("--config", type=Path, default=CONFIG, help="the pipeline's settings")
    options = parser.parse_args(arguments)
    logging.getLogger("semalign3d").setLevel(logging.ERROR)
    settings = yaml.safe_load(options.config.read_text())
    for row in rows(options.categories, options.seeds, settings, options.cache):
        print(row, flush=True)
