"""What the commands of this folder share: their options, and tables as text."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

import pandas as pd

from demo import plan
from semalign3d.evaluation.pck import AVERAGES
from semalign3d.evaluation.tables import MACRO, METHODS
from semalign3d.prior import Prior
from studies.matching.cases import (
    ALPHAS,
    CASES,
    Case,
    Scores,
    Setup,
    make_setup,
)

QUERIES = ("keypoints", "surface")


def options(description: str) -> argparse.ArgumentParser:
    """A parser with the options that all commands have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("priors", nargs="+", type=Path, help="prior files of the demo")
    parser.add_argument("--truth", type=Path, default=Path("results/demo/truth"))
    parser.add_argument("--images", type=int, default=None, help="at most so many of the split")
    parser.add_argument("--surface-points", type=int, default=200, help="surface queries a pair")
    parser.add_argument("--seed", type=int, default=0, help="of the demo")
    parser.add_argument("--output", type=Path, help="also write the table as CSV")
    return parser


def add_cases(parser: argparse.ArgumentParser, default: Sequence[Case]) -> None:
    """The option for the cases that a command looks at."""
    names = [case.name for case in CASES]
    chosen = [case.name for case in default]
    parser.add_argument("--cases", nargs="+", choices=names, default=chosen)


def chosen_cases(given: argparse.Namespace) -> list[Case]:
    """The cases that were asked for."""
    return [case for case in CASES if case.name in given.cases]


def open_setup(given: argparse.Namespace, path: Path, split: str, case: Case) -> Setup:
    """The photos of a split in a case, for the prior of a file."""
    prior = Prior.load(path)
    counts = plan.DEFAULT
    if given.images is not None:
        counts = counts._replace(**{split: given.images})
    truth = given.truth / f"{prior.category}.npz"
    return make_setup(prior, truth, split, case, counts, given.seed)


def figures(found: Scores) -> dict[str, float | int]:
    """A row of a table: PCK of keypoints and surface by method, and wrong poses."""
    row: dict[str, float | int] = {}
    for queries in QUERIES:
        for method in METHODS:
            for alpha in ALPHAS:
                row[f"{queries} {method} @{alpha:g}"] = round(found.pck(method, alpha, queries), 1)
    row["wrong poses"] = found.wrong_poses
    return row


def averages(found: Mapping[str, Scores]) -> list[dict[str, object]]:
    """Rows of a table: PCK of each category, and the mean of categories, in either average."""
    rows: list[dict[str, object]] = []
    for queries, average in product(QUERIES, AVERAGES):
        every = {
            category: {
                f"{method} @{alpha:g}": of.pck(method, alpha, queries, average)
                for method, alpha in product(METHODS, ALPHAS)
            }
            for category, of in found.items()
        }
        every[MACRO] = pd.DataFrame(every).mean(axis=1).to_dict()
        for category, values in every.items():
            names = {"category": category, "queries": queries, "average": f"per {average}"}
            rows.append({**names, **{name: round(value, 1) for name, value in values.items()}})
    return rows


def as_markdown(table: pd.DataFrame) -> str:
    """A table for a document; the three alphas of a method share a column."""
    rows = table.astype(str)
    heads: dict[str, pd.Series] = {}
    for name in rows.columns:
        head, at, _ = name.partition(" @")
        joined = heads[head] + " / " + rows[name] if head in heads and at else rows[name]
        heads[head] = joined
    merged = pd.DataFrame(heads)
    lines = [merged.columns.tolist(), ["---"] * merged.shape[1], *merged.to_numpy().tolist()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def report(rows: list[dict[str, object]], given: argparse.Namespace) -> None:
    """Print a table, and write it where that is wanted."""
    table = pd.DataFrame(rows)
    print(as_markdown(table))
    if given.output is not None:
        given.output.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(given.output, index=False)
