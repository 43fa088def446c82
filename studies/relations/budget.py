"""Error and time of the sparse prior against the number of relations.

python -m studies.relations budget --docs

Random symmetric shapes, whose instances differ in proportion, are seen from all sides; depth is
bent as relative inverse depth bends it. The mean of the instances is the truth.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from demo import files
from semalign3d.figures.save import save_figure
from semalign3d.geometry.cameras import with_mirror_images
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.shape.cameras.focal import estimate_focal
from semalign3d.shape.relations.choice import PER_EDGE, choose_relations
from semalign3d.shape.relations.fitting import fit_relations
from semalign3d.shape.sparse.prior import fit_sparse
from studies.shared.synthetic_views import category, generators

DOCS = Path("docs")
IMAGES = 24
ALL = 10**9
MOST_OF_ALL = 30
"""Keypoints up to which all relations are tried: 68 have 2.6 and 3.3 million."""
HEAD = """# How many relations a shape needs

Made by `python -m studies.relations budget`: random symmetric shapes with K keypoints,
{images} photos, {seeds} seeds. Each cell has the mean keypoint error of the sparse prior before
bundle refinement, in per cent of the bounding box's diagonal, and the CPU seconds of focal lengths,
relations and sparse prior. A budget of n means at most n edge pairs and as many triangles, but at
least {per_edge} edge pairs for each edge.

"""
TAIL = """
![Error against the budget](../images/relations.png)

The error hardly depends on the budget: the spread of the instances decides. The default is
`relations.budget: 8192`. All relations of 14 keypoints are below it.
"""


@dataclass(frozen=True)
class Cell:
    """Mean error in per cent of the diagonal, and CPU seconds, of some keypoints and budget."""

    keypoints: int
    budget: int
    error: float
    seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m studies.relations budget", description=__doc__)
    parser.add_argument("--keypoints", type=int, nargs="+", default=[14, 25, 30, 68, 133])
    parser.add_argument("--budgets", type=int, nargs="+", default=[512, 2048, 8192, 32768])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--docs", action="store_true", help="write the page and its picture")
    given = parser.parse_args(arguments)
    logging.getLogger("semalign3d").setLevel(logging.ERROR)
    tasks = [
        (count, budget)
        for count in given.keypoints
        for budget in (*given.budgets, ALL)
        if budget != ALL or count <= MOST_OF_ALL
    ]
    with threadpool_limits(1):
        cells = [measure(count, budget, given.seeds) for count, budget in tqdm(tasks, disable=None)]
    head = HEAD.format(images=IMAGES, seeds=given.seeds, per_edge=PER_EDGE)
    page = head + table(cells)
    print(page)
    if given.docs:
        files.write_bytes(DOCS / "studies" / "relations.md", (page + TAIL).encode())
        save_figure(draw(cells), DOCS / "images" / "relations.png")


def measure(keypoints: int, budget: int, seeds: int) -> Cell:
    """The mean over the seeds."""
    start = time.process_time()
    errors = [error(keypoints, budget, seed) for seed in range(seeds)]
    return Cell(keypoints, budget, float(np.mean(errors)), (time.process_time() - start) / seeds)


def error(keypoints: int, budget: int, seed: int) -> float:
    """Mean distance of the used keypoints from the truth, in per cent of its diagonal."""
    made = category(seed, keypoints=keypoints, pairs=int(0.42 * keypoints), images=IMAGES)
    p = estimate_focal(made.rays, made.mirror)
    points = made.rays * np.stack([p, p, np.ones_like(p)], axis=1)[:, None]
    views = with_mirror_images(points, made.mirror).reshape(-1, keypoints, 3)
    images = np.repeat(np.arange(IMAGES), 2)
    chosen = choose_relations(views, images, np.random.default_rng(seed), budget=budget)
    relations = fit_relations(views, images, generators(len(views), seed), chosen)
    shape = fit_sparse(relations, made.mirror)
    truth = made.instances.mean(axis=0)
    placed = similarity_procrustes(shape.xyz[shape.used], truth[shape.used])
    apart = placed.apply(shape.xyz[shape.used]) - truth[shape.used]
    diagonal = np.linalg.norm(np.ptp(truth, axis=0))
    return 100.0 * float(np.linalg.norm(apart, axis=1).mean() / diagonal)


def table(cells: Sequence[Cell]) -> str:
    """Rows are numbers of keypoints, columns budgets."""
    budgets = sorted({cell.budget for cell in cells})
    found = {(cell.keypoints, cell.budget): cell for cell in cells}
    names = ["all" if budget == ALL else f"{budget:,}" for budget in budgets]
    lines = [f"| K | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    for count in sorted({cell.keypoints for cell in cells}):
        row = [found.get((count, budget)) for budget in budgets]
        texts = ["-" if c is None else f"{c.error:.2f} %, {c.seconds:.1f} s" for c in row]
        lines.append(f"| {count} | {' | '.join(texts)} |")
    return "\n".join(lines) + "\n"


def draw(cells: Sequence[Cell]) -> Figure:
    """Errors against budgets, a line for each number of keypoints; all relations at the right."""
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    axes = figure.add_subplot()
    budgets = sorted({cell.budget for cell in cells})
    for count in sorted({cell.keypoints for cell in cells}):
        row = sorted((c for c in cells if c.keypoints == count), key=lambda c: c.budget)
        axes.plot(
            [budgets.index(c.budget) for c in row],
            [c.error for c in row],
            "o-",
            label=f"K = {count}",
        )
    axes.set_xticks(range(len(budgets)), ["all" if b == ALL else f"{b:,}" for b in budgets])
    top = 1.15 * max(cell.error for cell in cells)
    axes.set(xlabel="budget of relations", ylabel="keypoint error (%)", ylim=(0, top))
    axes.legend(ncols=2)
    return figure
