"""results/relations/{category}.h5: Beta distributions of relations between keypoints."""

from typing import TYPE_CHECKING, Any

from semalign3d.arrays import compute_device
from semalign3d.files import store
from semalign3d.files.records import read_record, write_record
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset
from semalign3d.seeds import generator
from semalign3d.shape.cameras.estimation import Cameras, training_views
from semalign3d.shape.relations.choice import choose_relations
from semalign3d.shape.relations.fitting import fit_relations

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params, category = snakemake.params, snakemake.wildcards.category
    cameras = read_record(snakemake.input.cameras, Cameras)
    mirror = opened_dataset(params).mirror(category)
    views, images = training_views(cameras, mirror)
    generators = [
        generator(params.seed, "relations", category, stem, side)
        for stem in cameras.stems
        for side in ("original", "mirrored")[: len(views) // len(cameras.stems)]
    ]
    chosen = choose_relations(
        views,
        images,
        generator(params.seed, "relations", category),
        budget=params.budget,
        min_images=params.min_images,
    )
    relations = fit_relations(
        views,
        images,
        generators,
        chosen,
        min_images=params.min_images,
        device=compute_device(snakemake.config["runtime"]["device"]),
    )
    with store.create(snakemake.output[0]) as file:
        write_record(file, relations)
    summary(
        snakemake,
        f"kept {relations.pair_kept.sum()} of {len(relations.pair_kept)} edge pairs and "
        f"{relations.triangle_kept.sum()} of {len(relations.triangle_kept)} triangles",
    )


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
