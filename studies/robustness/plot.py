"""The robustness table as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from studies.robustness.cases import CASES
from studies.robustness.table import Results, failure

matplotlib.use("Agg")

_PARTS = (("sparse", "keypoints", "#2463a6", -0.17), ("dense", "surface", "#e07b39", 0.17))
"""Field of the result, its name, its colour, and its shift from the row's middle."""
_GAP = 0.7
"""Space between groups, in rows."""


def draw(found: Results, categories: Sequence[str], seeds: int) -> Figure:
    """A panel a category, a row a case: a small dot for each seed, a large one for the median."""
    places = row_places()
    figure = Figure(figsize=(10.5, 6.2), layout="constrained")
    panels = figure.subplots(1, len(categories), sharey=True, sharex=True, squeeze=False)[0]
    for axes, category in zip(panels, categories, strict=True):
        _draw_category(axes, found, category, places)
    panels[0].set_yticks(places, [case.name for case in CASES])
    panels[0].set_ylim(places[-1] + 0.6, places[0] - 0.6)
    panels[0].set_xlim(left=0.0)
    for group in dict.fromkeys(case.group for case in CASES):
        rows = [y for y, case in zip(places, CASES, strict=True) if case.group == group]
        panels[0].text(
            *(-0.2, float(np.mean(rows)), group),
            transform=panels[0].get_yaxis_transform(),
            ha="right",
            va="center",
            weight="bold",
        )
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle(f"Error of the prior when its input gets worse (medians of {seeds} seeds)")
    return figure


def row_places() -> np.ndarray:
    """Where each case's row lies, from top to bottom, groups apart."""
    starts = [False] + [case.group != before.group for before, case in pairwise(CASES)]
    return np.arange(len(CASES)) + _GAP * np.cumsum(starts)


def _draw_category(axes: Axes, found: Results, category: str, places: np.ndarray) -> None:
    for part, name, color, shift in _PARTS:
        values = [
            [
                100.0 * getattr(result, part)
                for result in found[case.conditions]
                if result.category == category and getattr(result, part) is not None
            ]
            for case in CASES
        ]
        rows = [(y + shift, v) for y, v in zip(places, values, strict=True) if v]
        heights = np.repeat([y for y, _ in rows], [len(v) for _, v in rows])
        axes.scatter(np.concatenate([v for _, v in rows]), heights, s=11, color=color, alpha=0.4)
        for y, of_row in rows:
            axes.plot([min(of_row), max(of_row)], [y, y], color=color, alpha=0.35, lw=1.6)
        medians = [float(np.median(v)) for _, v in rows]
        axes.scatter(medians, [y for y, _ in rows], s=48, color=color, label=name, zorder=3)
        axes.axvline(medians[0], color=color, lw=0.9, ls=":", zorder=0)
    _mark_failures(axes, found, category, places)
    axes.set(title=category, xlabel="% of the bounding box's diagonal")
    axes.grid(axis="x", color="0.92")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _mark_failures(axes: Axes, found: Results, category: str, places: np.ndarray) -> None:
    """How many seeds of a row failed, in red at the right border."""
    for y, case in zip(places, CASES, strict=True):
        count = sum(
            bool(failure(result)) and result.category == category
            for result in found[case.conditions]
        )
        if count:
            axes.text(
                *(0.99, y, f"{count} failed"),
                transform=axes.get_yaxis_transform(),
                color="#b3202a",
                ha="right",
                va="center",
            )
