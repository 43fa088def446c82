"""results/cameras/{category}.h5: focal lengths, and keypoints corrected to the mask, in 3D."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.datasets import Dataset
from semalign3d.files import store
from semalign3d.files.records import read_record, write_record
from semalign3d.maps.depth.depth_anything import DepthMap
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset
from semalign3d.pipeline.training import by_stem, object_mask
from semalign3d.seeds import generator
from semalign3d.shape.cameras.estimation import AnnotatedView, estimate_cameras

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def annotated_views(dataset: Dataset, snakemake: Any) -> Iterator[AnnotatedView]:
    masks, depths = by_stem(snakemake.input.masks), by_stem(snakemake.input.depth)
    for stem in sorted(masks):
        record = dataset.record(snakemake.wildcards.category, stem, "trn")
        found = read_record(depths[stem], DepthMap)
        yield AnnotatedView(
            stem,
            (record.width, record.height),
            record.keypoints,
            object_mask(masks[stem], snakemake.params.candidate),
            found.depth,
            found.offset,
            found.intrinsics,
        )


def main(snakemake: Any) -> None:
    params = snakemake.params
    dataset = opened_dataset(params)
    cameras = estimate_cameras(
        annotated_views(dataset, snakemake),
        dataset.mirror(snakemake.wildcards.category),
        erosion_size=params.erosion_size,
        erosion_iterations=params.erosion_iterations,
        rng=generator(params.seed, "cameras", snakemake.wildcards.category),
    )
    with store.create(snakemake.output[0]) as file:
        write_record(file, cameras)
    summary(
        snakemake,
        f"{len(cameras.stems)} cameras, {np.isfinite(cameras.p_given).sum()} with intrinsics, "
        f"p from {cameras.p.min():.3f} to {cameras.p.max():.3f}",
    )
    for stem, reason in zip(cameras.excluded, cameras.reasons, strict=True):
        summary(snakemake, f"left out: {stem}: {reason}")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
