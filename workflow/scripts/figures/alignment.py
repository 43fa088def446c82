"""results/figures/{category}/alignment_{image}.png: the prior placed in an image."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.alignment.alignment import Alignment
from semalign3d.figures.alignment import draw_alignment
from semalign3d.figures.save import save_figure
from semalign3d.files.records import read_record
from semalign3d.pipeline.job import job
from semalign3d.pipeline.params import opened_dataset
from semalign3d.prior import Prior

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    given, names = snakemake.input, snakemake.wildcards
    dataset = opened_dataset(snakemake.params)
    splits = dataset.splits(names.category).items()
    split = next(split for split, stems in splits if names.image in stems)
    photo = dataset.record(names.category, names.image, split)
    prior, placed = Prior.load(given.prior), read_record(given.alignment, Alignment)
    nearest_last = np.argsort(-placed.dense_xyz[:, 2], kind="stable")
    figure = draw_alignment(
        photo.pixels(),
        placed.dense_px[nearest_last],
        prior.dense.colors[nearest_last],
        placed.dense_visibility[nearest_last],
        placed.keypoints_px,
        placed.visibility,
        f"{names.category} in {names.image}, confidence of the pose {placed.confidence:.2f}",
    )
    save_figure(figure, snakemake.output[0])


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
