"""results/priors/{category}.h5: everything that users of the prior need, in one file."""

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.alignment.statistics.collect import AlignmentStatistics
from semalign3d.datasets.manifest import read_manifest
from semalign3d.files.records import read_record
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset
from semalign3d.prior import ImageTable, Prior, sparse_prior
from semalign3d.shape.bundle.refinement import Bundle
from semalign3d.shape.cameras.estimation import Cameras
from semalign3d.shape.dense.prior import DensePrior
from semalign3d.shape.relations.fitting import Relations
from semalign3d.shape.sparse.attention import Attention
from semalign3d.shape.sparse.prior import KeypointShape

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def image_table(manifest: str, cameras: Cameras) -> ImageTable:
    table = read_manifest(manifest)
    focal = dict(zip(cameras.stems, 1.0 / cameras.p, strict=True))
    return ImageTable(
        tuple(table["image"]),
        tuple(table["split"]),
        np.array([focal.get(stem, np.nan) for stem in table["image"]]),
    )


def main(snakemake: Any) -> None:
    params, given = snakemake.params, snakemake.input
    category = snakemake.wildcards.category
    dataset = opened_dataset(params)
    prior = Prior(
        category=category,
        dataset=params.dataset_name,
        mirror=dataset.mirror(category),
        keypoint_names=dataset.keypoint_names(category),
        sparse=sparse_prior(
            read_record(given.shape, Bundle if params.bundled else KeypointShape, "shape"),
            read_record(given.sparse, Attention, "attention"),
        ),
        relations=read_record(given.relations, Relations).kept(),
        dense=read_record(given.dense, DensePrior),
        images=image_table(given.manifest, read_record(given.cameras, Cameras)),
        alignment=read_record(given.statistics, AlignmentStatistics),
        settings=json.loads(params.settings),
        seed=params.seed,
    )
    prior.save(snakemake.output[0])
    summary(
        snakemake,
        f"{snakemake.output[0]}: {prior.sparse.used.sum()} keypoints, "
        f"{(prior.dense.keypoint < 0).sum()} dense points",
    )


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
