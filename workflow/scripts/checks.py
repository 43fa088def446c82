"""results/checks/{category}.json: every input of a category is there and sound, or a full list."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semalign3d.checks import check_category
from semalign3d.errors import InputError
from semalign3d.files import store
from semalign3d.maps.descriptors.inspection import open_feature_files
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params, category = snakemake.params, snakemake.wildcards.category
    report = check_category(
        opened_dataset(params),
        category,
        tuple(params.splits),
        open_feature_files(params.kind, params.features_root, category),
        done=lambda stem: store.verify(Path(params.descriptors) / f"{stem}.h5") is None,
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
