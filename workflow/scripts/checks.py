"""results/checks/{category}.json: what the inputs of a category are, or all that is wrong."""

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
        min_images=params.min_images,
        threads=snakemake.threads,
    )
    summary(snakemake, report.line())
    for line in report.lines("note", "warning"):
        summary(snakemake, line)
    problems = report.problems(strict=params.strict)
    if problems:
        Path(params.failed).parent.mkdir(parents=True, exist_ok=True)
        Path(params.failed).write_text(report.to_json(), encoding="utf-8")
        hint = f"Mend this and run again; nothing was computed from it. All of it: {params.failed}."
        raise InputError(problems, hint=hint)
    Path(snakemake.output[0]).write_text(report.to_json(), encoding="utf-8")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
