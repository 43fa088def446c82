"""results/dense/{category}.h5: the surface in object space, with descriptors."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from dataset import opened_dataset
from job import job, summary
from training import by_stem, image_sizes

from semalign3d import store
from semalign3d.prior.attention import Attention
from semalign3d.prior.cameras import Cameras
from semalign3d.prior.dense import ViewPoints, fuse
from semalign3d.prior.image_descriptors import pixel_descriptors
from semalign3d.prior.sparse import KeypointShape
from semalign3d.records import read_record, write_record
from semalign3d.seeds import generator

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def views(cameras: Cameras, files: dict[str, str]) -> Iterator[ViewPoints]:
    for stem in cameras.stems:
        found = store.read(files[stem], "xyz", "keypoints_xyz")
        yield ViewPoints(found["xyz"], found["keypoints_xyz"])


def main(snakemake: Any) -> None:
    params, category = snakemake.params, snakemake.wildcards.category
    cameras = read_record(snakemake.input.cameras, Cameras)
    points, maps = by_stem(snakemake.input.points), by_stem(snakemake.input.descriptors)
    sizes = image_sizes(cameras)

    def descriptors(number: int) -> np.ndarray:
        stem = cameras.stems[number]
        of_image = store.read(maps[stem], "descriptors")["descriptors"]
        pixels = store.read(points[stem], "pixels")["pixels"]
        return pixel_descriptors(of_image, pixels, sizes[number])

    shape = fuse(
        views(cameras, points),
        descriptors,
        read_record(snakemake.input.shape, KeypointShape, "shape"),
        read_record(snakemake.input.sparse, Attention, "attention"),
        opened_dataset(params).mirror(category),
        generator(params.seed, "dense", category),
        clusters=params.clusters,
        nearest=params.nearest,
        outliers=params.outliers,
        tolerance=params.tolerance,
        flat=params.flat,
    )
    with store.create(snakemake.output[0]) as file:
        write_record(file, shape)
    summary(snakemake, f"{len(shape.xyz)} points, {params.clusters} clusters asked for")
    for stem in np.array(cameras.stems)[~cameras.fusible()]:
        summary(snakemake, f"left out of fusion: {stem}: fewer than 4 keypoints are seen")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
