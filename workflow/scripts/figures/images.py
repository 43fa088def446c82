"""results/figures/{category}/images.png: thumbnails of the images with what is annotated."""

from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from semalign3d.datasets import load_records
from semalign3d.figures.images import draw_images, thumbnail_of
from semalign3d.figures.save import save_figure
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

MOST = 150


def main(snakemake: Any) -> None:
    category = snakemake.wildcards.category
    dataset = opened_dataset(snakemake.params)
    records = load_records(dataset, category, dataset.splits(category))
    chosen = np.linspace(0, len(records) - 1, min(MOST, len(records))).round().astype(int)
    thumbnails = [
        thumbnail_of(records[i], records[i].pixels())
        for i in tqdm(chosen, unit="image", disable=None)
    ]
    title = f"{category}: {len(thumbnails)} of {len(records)} images"
    names = dataset.keypoint_names(category)
    figure = draw_images(thumbnails, names, dataset.mirror(category), title)
    save_figure(figure, snakemake.output[0])
    summary(snakemake, f"{snakemake.output[0]}: look for labelling mistakes")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
