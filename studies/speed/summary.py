"""From measured processes to medians, sums and exponents."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from .chain import SNAKEMAKE, Process

SPARSE_STAGES = ("relations", "sparse", "bundle")
SMALLEST_WORK = 0.2
"""Seconds beyond its start that a stage must take somewhere to be given exponents."""


@dataclass(frozen=True)
class StageCost:
    """Medians over the repeats: CPU and wall seconds; the largest peak memory in MB."""

    cpu: float
    wall: float
    peak_mb: float


@dataclass(frozen=True)
class Case:
    """What was measured for a number of keypoints and of images.

    Attributes
    ----------
    keypoints, images : K and N.
    stages : {stage: cost} in the order of first appearance, Snakemake itself left out.
    geometry_wall : median wall seconds of a Snakemake run from descriptors, masks and depth to
        the prior file.
    geometry_cpu : median CPU seconds of its stages together.
    published : see `studies.speed.published.yardstick.measure`; empty where it was not run.
    """

    keypoints: int
    images: int
    stages: dict[str, StageCost]
    geometry_wall: float
    geometry_cpu: float
    published: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def sparse_cpu(self) -> float:
        """CPU seconds of relations, sparse prior and, where there is one, bundle refinement."""
        return sum(cost.cpu for stage, cost in self.stages.items() if stage in SPARSE_STAGES)

    @property
    def peak_mb(self) -> float:
        return max(cost.peak_mb for cost in self.stages.values())

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def summarise(
    keypoints: int,
    images: int,
    before: list[Process],
    geometry: Sequence[list[Process]],
    published: dict[str, dict[str, float]],
) -> Case:
    """A case from the processes of one run of the per-image stages and repeated ones after it.

    A stage of several jobs counts with their sum of times and their largest peak.
    """
    costs = _stage_costs([before])
    costs |= _stage_costs(geometry)
    whole = [
        next(process.wall for process in run if process.stage == SNAKEMAKE) for run in geometry
    ]
    work = [sum(p.cpu for p in run if p.stage != SNAKEMAKE) for run in geometry]
    return Case(
        keypoints, images, costs, statistics.median(whole), statistics.median(work), published
    )


def _stage_costs(runs: Sequence[list[Process]]) -> dict[str, StageCost]:
    stages = list(dict.fromkeys(p.stage for p in runs[0] if p.stage != SNAKEMAKE))
    costs = {}
    for stage in stages:
        jobs = [[p for p in run if p.stage == stage] for run in runs]
        costs[stage] = StageCost(
            statistics.median(sum(p.cpu for p in of_run) for of_run in jobs),
            statistics.median(sum(p.wall for p in of_run) for of_run in jobs),
            max(p.peak_mb for of_run in jobs for p in of_run),
        )
    return costs


def growth(cases: Sequence[Case], startup: dict[str, float]) -> dict[str, tuple[float, float]]:
    """{stage: exponents a of K and b of N} of work ~ K^a N^b, by least squares in the logarithms.

    Work is the stage's CPU time less that of its start. An exponent is NaN where K, or N, does not
    vary; a stage without noteworthy work, or whose start was not measured, is left out.
    """
    found = {}
    for stage in dict.fromkeys(name for case in cases for name in case.stages):
        rows = [
            (case.keypoints, case.images, case.stages[stage].cpu - startup[stage])
            for case in cases
            if stage in case.stages and stage in startup
        ]
        table = np.array([row for row in rows if row[2] > 0.0], dtype=float).reshape(-1, 3)
        if table[:, 2].max(initial=0.0) >= SMALLEST_WORK:
            found[stage] = power_law(table)
    return found


def power_law(table: np.ndarray) -> tuple[float, float]:
    """Exponents of the first two columns in the third (n, 3), NaN where a column is constant."""
    logs = np.log(table)
    varies = np.ptp(logs[:, :2], axis=0) > 0.0
    design = np.column_stack([logs[:, :2][:, varies], np.ones(len(logs))])
    exponents = np.full(2, np.nan)
    if np.linalg.matrix_rank(design) == design.shape[1]:
        exponents[varies] = np.linalg.lstsq(design, logs[:, 2], rcond=None)[0][:-1]
    return float(exponents[0]), float(exponents[1])
