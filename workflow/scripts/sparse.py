"""results/sparse/{category}.h5: the keypoints in object space, and their descriptors."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.arrays import compute_device
from semalign3d.files import store
from semalign3d.files.records import read_record, write_record
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset
from semalign3d.pipeline.training import descriptor_maps, image_sizes
from semalign3d.shape.cameras.estimation import Cameras, training_views
from semalign3d.shape.relations.fitting import Relations
from semalign3d.shape.sparse.attention import keypoint_attention
from semalign3d.shape.sparse.image_descriptors import keypoint_descriptors
from semalign3d.shape.sparse.prior import fit_sparse
from semalign3d.shape.sparse.upright import stand_up

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params, category = snakemake.params, snakemake.wildcards.category
    mirror = opened_dataset(params).mirror(category)
    relations = read_record(snakemake.input.relations, Relations)
    cameras = read_record(snakemake.input.cameras, Cameras)
    device = compute_device(snakemake.config["runtime"]["device"])
    shape = fit_sparse(relations, mirror, device=device)
    shape = stand_up(shape, training_views(cameras, mirror)[0], mirror)
    maps = descriptor_maps(snakemake.input.descriptors, cameras.stems)
    views = [
        keypoint_descriptors(of_image, keypoints, size, mirror)
        for of_image, keypoints, size in zip(
            maps, cameras.keypoints_px, image_sizes(cameras), strict=True
        )
    ]
    attention = keypoint_attention(np.concatenate(views))
    with store.create(snakemake.output[0]) as file:
        write_record(file.create_group("shape"), shape)
        write_record(file.create_group("attention"), attention)
    summary(
        snakemake,
        f"{shape.used.sum()} of {len(shape.used)} keypoints, energy {shape.energy.total:.3f} "
        f"(its mirror image {shape.mirrored_energy:.3f})",
    )
    if not shape.handed:
        summary(snakemake, "the handedness is not determined: the mirror image fits as well")
    for number in np.flatnonzero(~shape.used):
        summary(snakemake, f"keypoint {number} is not used: {shape.reasons[number]}")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
