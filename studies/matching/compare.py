"""Variants of the settings, scored on the same photos."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from semalign3d.alignment.settings import AlignmentSettings
from semalign3d.evaluation.methods import AlignedPhoto
from studies.matching.cases import ALPHAS, Case, Scores, align_photos, score
from studies.matching.commands import QUERIES, open_setup
from studies.matching.variants import Variant


def scored(
    given: argparse.Namespace, split: str, cases: Sequence[Case], variants: Sequence[Variant]
) -> list[dict[str, object]]:
    """A row a variant: its score and figures, means over priors and cases.

    Photos are aligned once for all variants with the same settings of the alignment. `gain` is the
    score less that of the first variant, with its standard error over priors and cases.
    """
    found: dict[str, list[Scores]] = {variant.name: [] for variant in variants}
    for path in given.priors:
        for case in cases:
            setup = open_setup(given, path, split, case)
            placed: dict[AlignmentSettings, list[AlignedPhoto]] = {}
            for variant in variants:
                settings = variant.alignment
                if settings not in placed:
                    placed[settings] = align_photos(setup, settings)
                found[variant.name].append(
                    score(setup, placed[settings], variant.matching, given.surface_points, 1)
                )
    first = np.array([total(of) for of in found[variants[0].name]])
    rows: list[dict[str, object]] = []
    for name, scores in found.items():
        gains = np.array([total(of) for of in scores]) - first
        error = gains.std(ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
        gain = f"{gains.mean():+.1f} ± {error:.1f}"
        rows.append({"variant": name, **means(scores), "gain": gain})
    return rows


def total(found: Scores) -> float:
    """The score: mean PCK of keypoints and surface at the two wider thresholds, in per cent."""
    every = [found.pck("aligned", alpha, queries) for queries in QUERIES for alpha in ALPHAS[:2]]
    return float(np.mean(every))


def means(scores: Sequence[Scores]) -> dict[str, float | int]:
    """Mean figures of the aligned prior over several setups, and all their wrong poses."""
    row: dict[str, float | int] = {"score": round(float(np.mean([total(of) for of in scores])), 1)}
    for queries in QUERIES:
        for alpha in ALPHAS:
            values = [of.pck("aligned", alpha, queries) for of in scores]
            row[f"{queries} @{alpha:g}"] = round(float(np.mean(values)), 1)
    return {**row, "wrong poses": sum(of.wrong_poses for of in scores)}
