"""results/bundle/{category}/: refined shape and cameras, and annotations that disagree."""

from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.arrays import compute_device
from semalign3d.files import store
from semalign3d.files.records import read_record, write_record
from semalign3d.files.tables import write_table
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset
from semalign3d.shape.bundle.refinement import refine, refined_cameras
from semalign3d.shape.bundle.settings import BundleSettings
from semalign3d.shape.bundle.suspects import check_annotations, named_suspects, suspects_table
from semalign3d.shape.cameras.estimation import Cameras
from semalign3d.shape.sparse.prior import KeypointShape

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params = snakemake.params
    cameras = read_record(snakemake.input.cameras, Cameras)
    settings = BundleSettings(
        reprojection_sigma=params.reprojection_sigma,
        depth_sigma=params.depth_sigma,
        max_uncertainty=params.max_uncertainty,
    )
    start = read_record(snakemake.input.sparse, KeypointShape, "shape")
    mirror = opened_dataset(params).mirror(snakemake.wildcards.category)
    device = compute_device(snakemake.config["runtime"]["device"])
    bundle = refine(cameras, start, mirror, settings, device)
    with store.create(snakemake.output.shape) as file:
        write_record(file.create_group("shape"), bundle)
    with store.create(snakemake.output.cameras) as file:
        write_record(file, refined_cameras(cameras, bundle))
        write_record(file.create_group("poses"), bundle.poses)
    check = check_annotations(cameras, bundle, mirror, suspicious=params.suspicious)
    write_table(suspects_table(cameras, check), snakemake.output.images)
    error = np.sqrt(np.nanmean(np.square(bundle.reprojection).sum(axis=2)))
    summary(
        snakemake,
        f"{bundle.posed.sum()} images posed, reprojection error {100 * error:.1f} % of the "
        f"object's size, p from {bundle.p.min():.3f} to {bundle.p.max():.3f}",
    )
    if suspects := named_suspects(cameras, check):
        summary(snakemake, f"{suspects}; see {snakemake.output.images}")
    for number in np.flatnonzero(start.used & ~bundle.used):
        summary(snakemake, f"keypoint {number} is not used: {bundle.reasons[number]}")
    for stem in np.array(cameras.stems)[~bundle.posed]:
        summary(snakemake, f"{stem} takes no part: fewer than 4 used keypoints are seen")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
