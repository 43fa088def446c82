"""What each step of dense fusion brings: python -m studies.dense steps --out docs/studies/dense.md

The demo's categories go through the pipeline's geometry, and their object points through more and
more of the steps of dense fusion. The errors against the true mean surface make the table.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.cluster.vq import kmeans2

from demo import files
from semalign3d.datasets.mirror_tables import SPAIR, mirror_permutation
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.seeds import generator
from semalign3d.shape.dense.consensus import pull_together
from semalign3d.shape.dense.fusion import (
    GRAZING,
    TOLERANCE,
    FusedPoints,
    fuse_points,
    points_per_view,
)
from semalign3d.shape.dense.silhouettes import outside_silhouettes, silhouettes_of
from semalign3d.shape.dense.surface import (
    SurfacePoints,
    draw_surface,
    farthest_points,
    neighbour_distances,
)
from studies.robustness.cases import CLEAN, Conditions
from studies.robustness.chain import Geometry, Settings, make_geometry
from studies.robustness.photos import Album, open_album
from studies.robustness.run import poor_views
from studies.shared.prior_score import surface_errors

CONFIG = Path(__file__).parents[2] / "config" / "config.yaml"
CATEGORIES = ("chair", "aeroplane")
NOISES = (0.02, 0.1)
"""Of the depth: as from a sensor or a large network, and worse than the demo's network."""
HEAD = """# What each step of dense fusion brings

Made by `python -m studies.dense steps`: {images} training images, masks and depth imitated, with a
depth noise of {noises}, {seeds} seeds. Each row adds a step to those above it. Errors of the
{points} points and the keypoints in per cent of the bounding box's diagonal, mean over the seeds:
the mean distance from the points to the visible surface of the mean shape, plus the mean distance
back. Of {points} points drawn at random from that very surface the sum is 1.3 (chair) and 0.9
(aeroplane), of evenly spread ones 1.1 and 0.7.

A step may cost something on its own and pay with those after it. Centres of k-means average noise
away, but lie inside edges and thin parts; farthest points reach these, but seek outliers out, too,
until candidates are drawn onto the smooth surface. Outliers are told by density, and places that
few photos show, such as an aeroplane's underside, are as sparse as what lies off the surface:
dropped with it, they leave holes. The last step asks the photos: a point of such a place lies
within the object's silhouette in all of them, one off the surface beside it in some. So far fewer
points are dropped, and more of the wrong ones; with poor depth, which puts many points off the
surface, it brings most. A part that only some instances have lies beside the others' silhouettes as
well; it stays where it is no sparser than the median point. With poor depth, keeping points outside
the tetrahedra and dropping grazing ones, which is judged by the depth itself, cost more than they
bring on the chair.

| step | {columns} |
| --- |{lines}
"""


@dataclass(frozen=True)
class Fusion:
    """Fused points of a category, what they are fused to, and the dense section's numbers.

    `outside` (P,) is what `draw_surface` takes.
    """

    fused: FusedPoints
    outside: np.ndarray
    keypoints: np.ndarray
    options: dict[str, Any]
    rng: np.random.Generator


@dataclass(frozen=True)
class Step:
    """A row of the table: this and all steps above it.

    Attributes
    ----------
    name : what is new.
    grazing : smallest cosine at which a surface may be seen.
    draw : surface points (n, 3) from the fused ones.
    refined : whether cameras and shape are those of bundle refinement.
    tolerance : of the warp; None: as the pipeline's.
    pulled : whether the views are pulled together before.
    silhouettes : whether the photos say which points are in doubt.
    """

    name: str
    grazing: float
    draw: Callable[[Fusion], np.ndarray]
    refined: bool = True
    tolerance: float | None = None
    pulled: bool = False
    silhouettes: bool = False


def crowded_centres(given: Fusion) -> np.ndarray:
    """Centres of k-means over the 85 % of the points that lie nearest to others."""
    points = given.fused.xyz
    count = int(given.options["points"])
    gap, _ = neighbour_distances(points, given.rng, 20 * count)
    return _centres(points[gap <= np.quantile(gap, 0.85)], count, given.rng)


def centres(given: Fusion) -> np.ndarray:
    """Centres of k-means over the points that draw_surface keeps."""
    return _centres(_kept(given), int(given.options["points"]), given.rng)


def farthest(given: Fusion) -> np.ndarray:
    """Farthest points of those that draw_surface keeps, where they are."""
    points = _kept(given)
    return points[farthest_points(points, int(given.options["points"]), _used(given.keypoints))]


def drawn(given: Fusion) -> np.ndarray:
    """Evenly spread points of the smooth surface, as the dense prior has."""
    return _draw(given)[0].xyz


STEPS = (
    Step("published: k-means centres", 0.0, crowded_centres, refined=False, tolerance=0.1),
    Step("calibrated depth, shape and poses of bundle refinement", 0.0, crowded_centres, True, 0.1),
    Step("points a quarter outside a tetrahedron are kept", 0.0, crowded_centres),
    Step("surfaces seen at a grazing angle are dropped", GRAZING, crowded_centres),
    Step("outliers are those off the others' surface", GRAZING, centres),
    Step("farthest points in place of centres", GRAZING, farthest),
    Step("candidates by area, drawn onto the smooth surface", GRAZING, drawn),
    Step("views pulled onto their common surface", GRAZING, drawn, pulled=True),
    Step(
        "silhouettes say which points are in doubt", GRAZING, drawn, pulled=True, silhouettes=True
    ),
)


def _used(keypoints: np.ndarray) -> np.ndarray:
    return keypoints[np.isfinite(keypoints).all(axis=1)]


def _draw(given: Fusion) -> tuple[SurfacePoints, FusedPoints]:
    options = given.options
    return draw_surface(
        given.fused,
        given.outside,
        given.rng,
        points=int(options["points"]),
        first=_used(given.keypoints),
        outliers=options["outliers"],
        radius=options["smoothing"],
    )


def _kept(given: Fusion) -> np.ndarray:
    return _draw(given)[1].xyz


def _centres(points: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Centres of k-means after 20 rounds from points drawn at random."""
    start = points[np.sort(rng.choice(len(points), size=count, replace=False))]
    return np.asarray(kmeans2(points, start, iter=20, minit="matrix")[0])


def error(
    step: Step, found: Geometry, album: Album, options: dict[str, Any], rng: np.random.Generator
) -> float:
    """Sum of both mean distances of a step's points and the keypoints, as share of the diagonal."""
    fused = fuse_points(
        found.points,
        found.shape.xyz,
        found.mirror,
        per_view=points_per_view(options["fused"], len(found.points), found.mirror),
        grazing=step.grazing,
        tolerance=TOLERANCE if step.tolerance is None else step.tolerance,
    )
    if step.pulled:
        fused = pull_together(fused, points=options["points"], radius=options["smoothing"])
    outside = outside_silhouettes(
        fused.xyz,
        silhouettes_of(found.cameras, found.masks) if step.silhouettes else (),
        found.shape.xyz,
        found.mirror,
    )
    points = step.draw(Fusion(fused, outside, found.shape.xyz, options, rng))
    used = _used(found.shape.xyz)
    truth = album.truth["keypoints"][np.isfinite(found.shape.xyz).all(axis=1)]
    laid = similarity_procrustes(used, truth)
    return sum(surface_errors(laid.apply(np.concatenate([points, used])), album.truth))


def errors(
    category: str, seed: int, conditions: Conditions, settings: Settings, cache: Path
) -> Iterator[float]:
    """The error of each step in turn."""
    album = open_album(category, seed, conditions, cache)
    mirror = mirror_permutation(SPAIR[category])
    views, _ = poor_views(category, seed, conditions, album, mirror)

    @functools.cache
    def found(refined: bool) -> Geometry:
        chosen = {**settings, "bundle": {**settings["bundle"], "enabled": refined}}
        return make_geometry(category, views, mirror, chosen, seed)

    for step in STEPS:
        rng = generator(seed, "dense", category)
        yield error(step, found(step.refined), album, settings["dense"], rng)


def table(seeds: int, settings: Settings, cache: Path) -> str:
    """The page in Markdown."""
    columns = [(category, noise) for category in CATEGORIES for noise in NOISES]
    values = np.array(
        [
            [
                list(errors(category, seed, replace(CLEAN, depth_noise=noise), settings, cache))
                for seed in range(seeds)
            ]
            for category, noise in columns
        ]
    ).mean(axis=1)
    rows = [
        f"| {step.name} | {' | '.join(f'{100 * value:.2f}' for value in column)} |"
        for step, column in zip(STEPS, values.T, strict=True)
    ]
    head = HEAD.format(
        images=CLEAN.images,
        seeds=seeds,
        points=settings["dense"]["points"],
        noises=" and ".join(f"{noise:.0%}" for noise in NOISES),
        columns=" | ".join(f"{category}, {noise:.0%}" for category, noise in columns),
        lines=" --- |" * len(columns),
    )
    return head + "\n".join(rows) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many demo datasets a category")
    parser.add_argument("--out", type=Path, default=Path("docs/studies/dense.md"), help="the page")
    parser.add_argument("--cache", type=Path, default=Path("results/robustness/photos"))
    options = parser.parse_args(arguments)
    page = table(options.seeds, yaml.safe_load(CONFIG.read_text()), options.cache)
    files.write_bytes(options.out, page.encode())
    print(page)
