"""The picture of an evaluation: PCK by category and method with its intervals."""

from collections.abc import Sequence

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

matplotlib.use("Agg")

COLORS = ("#8c8c8c", "#3d7ea6", "#d1603d", "#5b8e3e")
NAMES = {
    "nearest": "nearest neighbour",
    "soft_argmax": "windowed soft-argmax",
    "aligned": "aligned prior",
}


def draw_pck(table: pd.DataFrame, averages: Sequence[str] = ("point", "image")) -> Figure:
    """PCK with 95 % intervals: a row of panels for each average, a column for each alpha.

    Parameters
    ----------
    table : see `semalign3d.evaluation.tables.summary_table`; its subset "all" is drawn.
    averages : which ones.
    """
    rows = table[table["subset"] == "all"]
    categories = list(dict.fromkeys(rows["category"]))
    alphas = sorted(rows["alpha"].unique(), reverse=True)
    width = max(3.0, 0.42 * len(categories) + 1.2)
    size = (width * len(alphas), 3.1 * len(averages) + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(averages), len(alphas), squeeze=False, sharex=True)
    for line, average in zip(axes, averages, strict=True):
        for panel, alpha in zip(line, alphas, strict=True):
            chosen = rows[(rows["average"] == average) & (rows["alpha"] == alpha)]
            _panel(panel, chosen, categories)
            panel.set_title(f"PCK@{alpha:g} per {average}", fontsize=10)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, categories: list[str]) -> None:
    """One average at one alpha: a bar with its interval for each category and method."""
    methods = list(dict.fromkeys(rows["method"]))
    breadth = 0.8 / len(methods)
    for number, method in enumerate(methods):
        found = rows[rows["method"] == method].set_index("category").reindex(categories)
        place = np.arange(len(categories)) + (number - (len(methods) - 1) / 2) * breadth
        height = 100 * found["pck"].to_numpy()
        ends = np.stack([found["pck"] - found["low"], found["high"] - found["pck"]])
        panel.bar(
            place,
            height,
            breadth * 0.92,
            yerr=100 * np.maximum(np.nan_to_num(ends), 0.0),
            color=COLORS[number % len(COLORS)],
            error_kw={"elinewidth": 0.9, "capsize": 1.5, "ecolor": "0.2"},
            label=NAMES.get(method, method),
        )
    turned = len(categories) > 4
    panel.set_xticks(
        np.arange(len(categories)),
        [name.replace("mean of ", "mean of\n") for name in categories],
        rotation=60 if turned else 0,
        ha="right" if turned else "center",
        rotation_mode="anchor" if turned else "default",
        fontsize=8,
    )
    panel.set_ylim(0, 100)
    panel.grid(axis="y", linewidth=0.4, color="0.85")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
