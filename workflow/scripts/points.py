"""results/points/{category}/{image}.h5: sampled object points and keypoints in camera space."""

from typing import TYPE_CHECKING, Any

from semalign3d.files import store
from semalign3d.files.digest import file_digest, values_digest
from semalign3d.files.records import read_record, write_record
from semalign3d.geometry.keypoints import erode
from semalign3d.pipeline.batch import ImageBatch
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.training import by_stem, object_mask
from semalign3d.seeds import generator
from semalign3d.shape.cameras.estimation import Cameras
from semalign3d.shape.points import ObjectPoints, no_points, sample_points

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


SETTINGS = (
    "code",
    "category",
    "candidate",
    "per_image",
    "erosion_size",
    "erosion_iterations",
    "seed",
)


def main(snakemake: Any) -> None:
    params = snakemake.params
    cameras = read_record(snakemake.input.cameras, Cameras)
    masks, depths = by_stem(snakemake.input.masks), by_stem(snakemake.input.depth)
    settings = {name: getattr(params, name) for name in SETTINGS}
    camera_digest = file_digest(snakemake.input.cameras)
    stamps = {
        stem: values_digest(
            **settings,
            cameras=camera_digest,
            made_from=[file_digest(masks[stem]), file_digest(depths[stem])],
        )
        for stem in masks
    }
    batch = ImageBatch(snakemake.output, stamps)

    def points_of(stem: str) -> ObjectPoints:
        if stem not in cameras.stems:
            return no_points(cameras)
        mask = erode(
            object_mask(masks[stem], params.candidate),
            params.erosion_size,
            params.erosion_iterations,
        )
        inverse_depth = store.read(depths[stem], "depth")["depth"]
        rng = generator(params.seed, "points", params.category, stem)
        return sample_points(cameras, stem, mask, inverse_depth, params.per_image, rng)

    for stem in batch.progress():
        with batch.create(stem) as file:
            write_record(file, points_of(stem))
    summary(snakemake, batch.finish(params.marker))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
