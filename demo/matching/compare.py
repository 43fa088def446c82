"""Variants of the settings, scored on the same photos."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np

from demo.matching.cases import ALPHAS, Case, Scores, align_photos, score
from demo.matching.commands import open_setup
from demo.matching.variants import Variant
from semalign3d.alignment.settings import AlignmentSettings
from semalign3d.evaluation.methods import AlignedPhoto

QUERIES = ("keypoints", "surface")


def scored(
    given: argparse.Namespace, split: str, cases: Sequence[Case], variants: Sequence[Variant]
) -> list[dict[str, object]]:
    """A row a variant: its score and figures, means over priors and cases.

    Photos are aligned once for all variants with the same settings of the alignment.
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
    return [{"variant": name, **means(scores)} for name, scores in found.items()]


def means(scores: Sequence[Scores]) -> dict[str, float | int]:
    """Mean figures of the aligned prior over several setups, and all their wrong poses."""
    row: dict[str, float | int] = {}
    for queries in QUERIES:
        for alpha in ALPHAS:
            values = [of.pck("aligned", alpha, queries) for of in scores]
            row[f"{queries} @{alpha:g}"] = round(float(np.mean(values)), 1)
    both = [row[f"{queries} @{alpha:g}"] for queries in QUERIES for alpha in ALPHAS[:2]]
    wrong = sum(of.wrong_poses for of in scores)
    return {"score": round(float(np.mean(both)), 2), **row, "wrong poses": wrong}
