"""results/evaluation/{category}/pck.csv: PCK of a category's matches, with intervals."""

from typing import TYPE_CHECKING, Any

from semalign3d.evaluation.tables import category_table, read_matches
from semalign3d.files.tables import write_table
from semalign3d.pipeline.job import job, summary

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params = snakemake.params
    category = snakemake.wildcards.category
    matches = read_matches(snakemake.input[0])
    table = category_table(category, matches, params.alphas, params.resamples, params.seed)
    write_table(table, snakemake.output[0])
    summary(snakemake, f"{category}: {matches['pair'].nunique()} pairs, {len(matches)} queries")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
