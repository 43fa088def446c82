"""results/manifest/{category}.csv: one row an image."""

from typing import TYPE_CHECKING, Any

from semalign3d.datasets import load_records
from semalign3d.datasets.manifest import manifest_table
from semalign3d.files.tables import write_table
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    category = snakemake.wildcards.category
    dataset = opened_dataset(snakemake.params)
    records = load_records(dataset, category, dataset.splits(category))
    write_table(manifest_table(records), snakemake.output[0])
    summary(snakemake, f"{category}: {len(records)} images")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
