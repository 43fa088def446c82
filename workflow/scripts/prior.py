"""results/priors/{category}.h5: all that a user of the prior needs, in one file."""

import csv
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from dataset import opened_dataset
from job import job, summary

from semalign3d.alignment.statistics import AlignmentStatistics
from semalign3d.prior.attention import Attention
from semalign3d.prior.bundle import Bundle
from semalign3d.prior.cameras import Cameras
from semalign3d.prior.dense import DensePrior
from semalign3d.prior.prior import ImageTable, Prior, sparse_prior
from semalign3d.prior.relations import Relations
from semalign3d.prior.sparse import KeypointShape
from semalign3d.records import read_record

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def image_table(manifest: str, cameras: Cameras) -> ImageTable:
    with open(manifest, newline="") as file:
        rows = list(csv.DictReader(file))
    focal = dict(zip(cameras.stems, 1.0 / cameras.p, strict=True))
    return ImageTable(
        tuple(row["image"] for row in rows),
        tuple(row["split"] for row in rows),
        np.array([focal.get(row["image"], np.nan) for row in rows]),
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
