"""results/dense/{category}.h5: the surface in object space, with descriptors."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.arrays import compute_device
from semalign3d.files import store
from semalign3d.files.records import read_record, write_record
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset
from semalign3d.pipeline.training import by_stem, image_sizes, object_masks
from semalign3d.seeds import generator
from semalign3d.shape.cameras.estimation import Cameras
from semalign3d.shape.dense.fusion import ViewPoints, fuse_points, points_per_view, silent_because
from semalign3d.shape.dense.prior import dense_prior
from semalign3d.shape.dense.silhouettes import silhouettes_of
from semalign3d.shape.sparse.attention import Attention
from semalign3d.shape.sparse.image_descriptors import pixel_descriptors
from semalign3d.shape.sparse.prior import KeypointShape

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
    masks = object_masks(snakemake.input.masks, cameras.stems, params.candidate)
    sizes = image_sizes(cameras)

    def descriptors(number: int) -> np.ndarray:
        stem = cameras.stems[number]
        of_image = store.read(maps[stem], "descriptors")["descriptors"]
        pixels = store.read(points[stem], "pixels")["pixels"]
        return pixel_descriptors(of_image, pixels, sizes[number])

    shape = read_record(snakemake.input.shape, KeypointShape, "shape")
    mirror = opened_dataset(params).mirror(category)
    device = compute_device(snakemake.config["runtime"]["device"])
    fused = fuse_points(
        views(cameras, points),
        shape.xyz,
        mirror,
        per_view=points_per_view(params.fused, len(cameras.stems), mirror),
        device=device,
    )
    dense = dense_prior(
        fused,
        descriptors,
        shape.xyz,
        read_record(snakemake.input.sparse, Attention, "attention"),
        generator(params.seed, "dense", category),
        silhouettes=silhouettes_of(cameras, masks),
        mirror=mirror,
        points=params.points,
        outliers=params.outliers,
        smoothing=params.smoothing,
        device=device,
    )
    with store.create(snakemake.output[0]) as file:
        write_record(file, dense)
    summary(snakemake, f"{len(dense.xyz)} points from {len(fused)} of all views")
    for number in np.setdiff1d(np.arange(len(cameras.stems)), fused.image):
        reason = silent_because(cameras.keypoints_xyz[number], shape.xyz)
        summary(snakemake, f"no point fused: {cameras.stems[number]}: {reason}")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
