"""results/figures/{category}/matches.png: a sheet of test pairs, right and wrong matches."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from semalign3d.evaluation.examples import example_pairs
from semalign3d.evaluation.tables import read_matches
from semalign3d.figures.matches import PairMatches, draw_sheet
from semalign3d.figures.save import save_figure
from semalign3d.pipeline.job import job
from semalign3d.pipeline.params import opened_dataset

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

SHOWN = ("nearest", "aligned")


def pair_matches(rows: pd.DataFrame, dataset: Any, category: str, alpha: float) -> PairMatches:
    """The matches of one pair with its two photos."""
    source, target = rows["source"].iloc[0], rows["target"].iloc[0]
    return PairMatches(
        title=f"{source} to {target}",
        source=dataset.record(category, source, "test").pixels(),
        target=dataset.record(category, target, "test").pixels(),
        points=rows[["source_x", "source_y"]].to_numpy(),
        truth=rows[["target_x", "target_y"]].to_numpy(),
        predicted={name: rows[[f"{name}_x", f"{name}_y"]].to_numpy() for name in SHOWN},
        right={name: (rows[f"{name}_error"] <= alpha).to_numpy() for name in SHOWN},
    )


def main(snakemake: Any) -> None:
    params, category = snakemake.params, snakemake.wildcards.category
    dataset = opened_dataset(params)
    matches = read_matches(snakemake.input.matches)
    names = example_pairs(matches, params.pairs, params.alpha, *SHOWN)
    pairs = [
        pair_matches(matches[matches["pair"] == name], dataset, category, params.alpha)
        for name in names
    ]
    title = (
        f"{category}: from where the aligned prior gains most on nearest neighbours to where it "
        f"loses most (right within {params.alpha:g} of the box)"
    )
    save_figure(draw_sheet(pairs, title), snakemake.output[0])


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
