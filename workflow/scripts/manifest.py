"""results/manifest/{category}.csv: one row an image."""

from typing import TYPE_CHECKING, Any

import numpy as np
from csv_files import write_rows
from dataset import opened_dataset
from job import job, summary

from semalign3d.datasets import load_records
from semalign3d.datasets.records import ImageRecord

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

COLUMNS = ("image", "split", "width", "height", "x1", "y1", "x2", "y2", "keypoints")


def row(record: ImageRecord) -> tuple[object, ...]:
    visible = int(np.isfinite(record.keypoints).all(axis=1).sum())
    return (record.stem, record.split, record.width, record.height, *record.box, visible)


def main(snakemake: Any) -> None:
    category = snakemake.wildcards.category
    dataset = opened_dataset(snakemake.params)
    records = load_records(dataset, category, dataset.splits(category))
    write_rows(snakemake.output[0], COLUMNS, map(row, records))
    summary(snakemake, f"{category}: {len(records)} images")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
