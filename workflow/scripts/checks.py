"""results/checks/{category}.json: every input of a category is there and sound, or a full list."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dataset import opened_dataset
from job import job, summary

from semalign3d.checks import check_category
from semalign3d.errors import InputError

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params = snakemake.params
    dataset = opened_dataset(params)
    report = check_category(
        dataset,
        snakemake.wildcards.category,
        splits=tuple(params.splits),
        features_root=Path(params.features_root),
    )
    summary(snakemake, report.line())
    if report.problems:
        hint = "Mend or replace these files and run again; nothing was computed from them."
        raise InputError(report.problems, hint=hint)
    for exclusion in report.exclusions:
        summary(snakemake, f"left out: {exclusion}")
    Path(snakemake.output[0]).write_text(report.to_json())


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
