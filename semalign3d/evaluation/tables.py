"""The tables of an evaluation: every match of every pair, and PCK of categories and of all."""

import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from semalign3d.datasets.records import PairRecord
from semalign3d.evaluation.pck import (
    AVERAGES,
    PairHits,
    Sums,
    box_side,
    interval,
    pair_hits,
    pck,
    pooled,
    relative_errors,
    resampled_sums,
)
from semalign3d.seeds import generator

METHODS = ("nearest", "soft_argmax", "aligned")
GRADES = ("viewpoint", "scale", "truncation", "occlusion")
COLUMNS = ["category", "subset", "average", "method", "alpha", "images", "pairs", "points"]
COLUMNS += ["pck", "low", "high"]
MACRO, POOLED = "mean of categories", "all pairs"


def match_rows(pair: PairRecord, predicted: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """One row a query of a pair: where it is, where its match is, where each method puts it.

    Grades are empty where the dataset has none.

    Parameters
    ----------
    pair : with n keypoints.
    predicted : method -> (n, 2) pixels in the target image.

    Returns
    -------
    pandas.DataFrame
        With `side`, the longer side of the target's box in pixels, and for each method the
        pixel (`<method>_x`, `<method>_y`) and `<method>_error`, the distance in units of `side`.
    """
    side = np.full(len(pair.ids), box_side(pair.target_box))
    columns: dict[str, object] = {
        "pair": pair.name,
        "source": pair.source,
        "target": pair.target,
        **dict(zip(GRADES, pair.flags or (None,) * len(GRADES), strict=True)),
        "keypoint": pair.ids,
        "source_x": pair.source_keypoints[:, 0],
        "source_y": pair.source_keypoints[:, 1],
        "target_x": pair.target_keypoints[:, 0],
        "target_y": pair.target_keypoints[:, 1],
        "side": side,
    }
    for method, points in predicted.items():
        columns[f"{method}_x"], columns[f"{method}_y"] = points[:, 0], points[:, 1]
        columns[f"{method}_error"] = relative_errors(points, pair.target_keypoints, side)
    return pd.DataFrame(columns)


def methods_of(matches: pd.DataFrame) -> tuple[str, ...]:
    """The methods that a table of matches has."""
    return tuple(c.removesuffix("_error") for c in matches.columns if c.endswith("_error"))


def _hits(matches: pd.DataFrame, alphas: Sequence[float]) -> PairHits:
    """Right matches of each pair; the last axis holds all methods at all alphas."""
    errors = matches[[f"{method}_error" for method in methods_of(matches)]].to_numpy()
    right = (errors[:, :, None] <= np.asarray(alphas)).reshape(len(matches), -1)
    pairs, sources, targets = (
        matches[name].to_numpy().astype(str) for name in ("pair", "source", "target")
    )
    return pair_hits(pairs, sources, targets, right)


def _subsets(matches: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """All matches, and those of each grade of difference that occurs."""
    subsets = {"all": matches}
    for name in GRADES:
        for grade in sorted(matches[name].dropna().unique()):
            subsets[f"{name} {int(grade)}"] = matches[matches[name] == grade]
    return subsets


def _sums(
    matches: pd.DataFrame, alphas: Sequence[float], resamples: int, seed: int, category: str
) -> dict[str, tuple[PairHits, Sums]]:
    """Of each subset, the same whatever other categories are evaluated with it."""
    sums = {}
    for name, rows in _subsets(matches).items():
        hits = _hits(rows, alphas)
        rng = generator(seed, "evaluation", category, name)
        sums[name] = hits, resampled_sums(hits, resamples, rng)
    return sums


def category_table(
    category: str, matches: pd.DataFrame, alphas: Sequence[float], resamples: int, seed: int
) -> pd.DataFrame:
    """PCK of a category: by average, subset, method and alpha, with 95 % intervals.

    Parameters
    ----------
    category : its name.
    matches : see `match_rows`; without rows the table has none.
    alphas : thresholds, in units of the box's longer side.
    resamples : of the bootstrap.
    seed : of the bootstrap, used with the names of category and subset.

    Returns
    -------
    pandas.DataFrame
        category, subset, average, method, alpha, images, pairs, points, pck, low, high.
    """
    parts = []
    if len(matches):
        for name, (hits, sums) in _sums(matches, alphas, resamples, seed, category).items():
            counts = hits.images, len(hits.points), int(hits.points.sum())
            for average in AVERAGES:
                values = interval(pck(sums, average))
                parts.append(
                    _rows((category, name, average), values, methods_of(matches), alphas, counts)
                )
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def summary_table(
    matches: Mapping[str, pd.DataFrame], alphas: Sequence[float], resamples: int, seed: int
) -> pd.DataFrame:
    """PCK of all categories: each one, the mean of categories, and all pairs taken together.

    Parameters
    ----------
    matches : category -> its matches, see `match_rows`; all with the same methods.
    alphas, resamples, seed : see `category_table`.
    """
    filled = {category: rows for category, rows in matches.items() if len(rows)}
    each = [category_table(c, rows, alphas, resamples, seed) for c, rows in filled.items()]
    parts = [table[table["subset"] == "all"] for table in each]
    sums = {c: _sums(rows, alphas, resamples, seed, c) for c, rows in filled.items()}
    methods = methods_of(next(iter(filled.values()))) if filled else ()
    for subset in sorted({name for of in sums.values() for name in of}):
        found = [of[subset] for of in sums.values() if subset in of]
        counts = (
            sum(hits.images for hits, _ in found),
            sum(len(hits.points) for hits, _ in found),
            sum(int(hits.points.sum()) for hits, _ in found),
        )
        for average in AVERAGES:
            macro = np.mean([pck(part, average) for _, part in found], axis=0)
            micro = pck(pooled([part for _, part in found]), average)
            for name, values in ((MACRO, macro), (POOLED, micro)):
                key = (name, subset, average)
                parts.append(_rows(key, interval(values), methods, alphas, counts))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)


def _rows(
    names: tuple[str, str, str],
    values: tuple[np.ndarray, np.ndarray, np.ndarray],
    methods: Sequence[str],
    alphas: Sequence[float],
    counts: tuple[int, int, int],
) -> pd.DataFrame:
    """The rows of one average of one subset: all methods at all alphas."""
    category, subset, average = names
    images, pairs, points = counts
    estimate, low, high = values
    return pd.DataFrame(
        {
            "category": category,
            "subset": subset,
            "average": average,
            "method": np.repeat(methods, len(alphas)),
            "alpha": np.tile(alphas, len(methods)),
            "images": images,
            "pairs": pairs,
            "points": points,
            "pck": estimate,
            "low": low,
            "high": high,
        }
    )


def read_matches(path: str | os.PathLike[str]) -> pd.DataFrame:
    """A category's matches; names stay texts, also those that look like numbers or NA."""
    texts = dict.fromkeys(("pair", "source", "target"), str)
    grades = dict.fromkeys(GRADES, "Int64")
    missing = {name: [""] for name in GRADES}
    return pd.read_csv(path, dtype={**texts, **grades}, keep_default_na=False, na_values=missing)
