"""results/evaluation/summary.csv: PCK of all categories, their mean, and all pairs together."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semalign3d.evaluation.tables import MACRO, read_matches, summary_table
from semalign3d.files.tables import write_table
from semalign3d.pipeline.job import job, summary

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params = snakemake.params
    matches = {Path(path).stem: read_matches(path) for path in snakemake.input.matches}
    table = summary_table(matches, params.alphas, params.resamples, params.seed)
    write_table(table, snakemake.output[0])
    first = table[
        (table["category"] == MACRO)
        & (table["subset"] == "all")
        & (table["average"] == "point")
        & (table["alpha"] == max(params.alphas))
    ]
    figures = [f"{m} {100 * p:.1f} %" for m, p in zip(first["method"], first["pck"], strict=True)]
    summary(snakemake, f"PCK@{max(params.alphas):g} per point, {MACRO}: {', '.join(figures)}")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
