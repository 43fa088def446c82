"""results/statistics/{category}.h5: what alignment needs to know of the training images."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.alignment.statistics.collect import alignment_statistics
from semalign3d.alignment.statistics.views import TrainingView, prior_points
from semalign3d.files import store
from semalign3d.files.records import read_record, write_record
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset
from semalign3d.pipeline.training import by_stem, image_sizes
from semalign3d.shape.cameras.estimation import Cameras
from semalign3d.shape.dense.prior import DensePrior
from semalign3d.shape.sparse.prior import KeypointShape

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def training_images(cameras: Cameras, files: dict[str, str]) -> list[TrainingView]:
    views = []
    for number, (stem, size) in enumerate(zip(cameras.stems, image_sizes(cameras), strict=True)):
        found = store.read(files[stem], "pixels", "xyz")
        views.append(
            TrainingView(
                size,
                float(cameras.p[number]),
                cameras.keypoints_px[number],
                cameras.keypoints_xyz[number],
                found["pixels"],
                found["xyz"],
            )
        )
    return views


def main(snakemake: Any) -> None:
    category, given = snakemake.wildcards.category, snakemake.input
    cameras = read_record(given.cameras, Cameras)
    maps = by_stem(given.descriptors)
    shape = read_record(given.shape, KeypointShape, "shape")
    dense = read_record(given.dense, DensePrior)

    def descriptors(number: int) -> np.ndarray:
        return store.read(maps[cameras.stems[number]], "descriptors")["descriptors"]

    found = alignment_statistics(
        prior_points(shape.xyz, dense.keypoint, dense.anchoring),
        training_images(cameras, by_stem(given.points)),
        descriptors,
        opened_dataset(snakemake.params).mirror(category),
    )
    with store.create(snakemake.output[0]) as file:
        write_record(file, found)
    seen = np.count_nonzero(found.counts)
    summary(snakemake, f"{seen} of {len(found.counts)} points seen in {len(found.extents)} views")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
