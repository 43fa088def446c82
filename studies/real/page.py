"""The page of a run: table, prior, alignments, matches."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from studies.real.pipeline import ALPHAS, Fold

WRONG = 0.2
"""Median error of a photo's keypoints, in units of the box's longer side, of a wrong pose."""
METHODS = ("nearest", "aligned")
SHOWN = 6
"""Alignments that the page shows: from the worst one to the best one."""


@dataclass(frozen=True)
class Measured:
    """What came of one fold with one guide.

    Attributes
    ----------
    fold, guide : which.
    matches : see `semalign3d.evaluation.tables.match_rows`.
    placed : see `studies.real.pipeline.placements`.
    """

    fold: Fold
    guide: str
    matches: pd.DataFrame
    placed: pd.DataFrame


def table(measured: Sequence[Measured]) -> list[dict[str, object]]:
    """A row a category and guide, all its folds together."""
    groups: dict[tuple[str, str], list[Measured]] = {}
    for one in measured:
        groups.setdefault((one.fold.category, one.guide), []).append(one)
    return [_row(category, guide, parts) for (category, guide), parts in groups.items()]


def _row(category: str, guide: str, parts: Sequence[Measured]) -> dict[str, object]:
    matches = pd.concat([part.matches for part in parts])
    errors = pd.concat([part.placed for part in parts])["error"]
    training = sorted({len(part.fold.stems("trn")) for part in parts})
    row: dict[str, object] = {
        "category": category,
        "folds": len(parts),
        "training photos": " or ".join(map(str, training)),
        "test pairs": sum(part.matches["pair"].nunique() for part in parts),
        "guide": guide,
    }
    for method in METHODS:
        found = [100.0 * np.mean(matches[f"{method}_error"] <= alpha) for alpha in ALPHAS]
        row[method] = " / ".join(f"{value:.1f}" for value in found)
    row["median error"] = f"{errors.median():.3f}"
    row["wrong poses"] = f"{int((errors > WRONG).sum())} of {len(errors)}"
    return row


def as_markdown(rows: Sequence[Mapping[str, object]]) -> str:
    """A table for a document; all rows have the same keys."""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[str(value) for value in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def copy_pictures(one: Measured, output: Path) -> list[tuple[str, str]]:
    """Copy the pictures that the page shows; (title, file name) of each.

    They are copied while the results are those of this guide.
    """
    figures = one.fold.results / "figures" / one.fold.category
    name = f"{one.fold.folder.resolve().name}-{one.guide}"
    worst = one.placed.sort_values("error", ascending=False, kind="stable").reset_index(drop=True)
    chosen = np.unique(np.linspace(0, len(worst) - 1, min(SHOWN, len(worst))).round().astype(int))
    shown = [("Prior", "prior"), ("Matches, best gain first", "matches")]
    for photo, error in worst.loc[chosen, ["photo", "error"]].itertuples(index=False):
        shown.append((f"{photo}, median error {error:.3f}", f"alignment_{photo}"))
    output.mkdir(parents=True, exist_ok=True)
    for _, picture in shown:
        shutil.copyfile(figures / f"{picture}.png", output / f"{name}-{picture}.png")
    return [(title, f"{name}-{picture}.png") for title, picture in shown]


def write_page(
    measured: Sequence[Measured], pictures: Sequence[Sequence[tuple[str, str]]], output: Path
) -> Path:
    """Write `index.md` beside the pictures."""
    parts = [
        "# Real photos",
        "PCK@0.1 / 0.05 per point in per cent. Errors are in units of the box's longer side; a "
        f"pose is wrong where the median of its keypoints is off by more than {WRONG}.",
        as_markdown(table(measured)),
    ]
    for one, shown in zip(measured, pictures, strict=True):
        parts.append(f"## {one.fold.folder.resolve().name}, guide: {one.guide}")
        rows = one.placed.assign(
            error=one.placed["error"].map("{:.3f}".format),
            margin=one.placed["margin"].map("{:.1f}".format),
        )
        parts.append(as_markdown(rows.to_dict("records")))
        parts += [f"{title}:\n\n![{title}]({file})" for title, file in shown]
    page = output / "index.md"
    page.write_text("\n\n".join(parts) + "\n")
    return page
