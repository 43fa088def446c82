"""results/points/{category}/{image}.h5: sampled object points and keypoints in camera space."""

from typing import TYPE_CHECKING, Any

import numpy as np
from batch import ImageBatch
from job import job, summary
from training import by_stem, object_mask

from semalign3d import store
from semalign3d.digest import file_digest, values_digest
from semalign3d.geometry.cameras import back_project
from semalign3d.geometry.keypoints import erode, sample_pixels
from semalign3d.prior.cameras import Cameras
from semalign3d.records import read_record
from semalign3d.seeds import generator

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


def sampled_points(
    cameras: Cameras, stem: str, mask_path: str, depth_path: str, params: Any
) -> dict[str, np.ndarray]:
    """The datasets of an image's file; no points where the image was left out."""
    if stem not in cameras.stems:
        keypoint_count = cameras.keypoints_xyz.shape[1]
        return {
            "xyz": np.zeros((0, 3)),
            "pixels": np.zeros((0, 2), dtype=np.int64),
            "keypoints_xyz": np.full((keypoint_count, 3), np.nan),
        }
    number = cameras.stems.index(stem)
    mask = object_mask(mask_path, params.candidate)
    mask = erode(mask, params.erosion_size, params.erosion_iterations)
    rng = generator(params.seed, "points", params.category, stem)
    pixels = sample_pixels(mask, params.per_image, rng)
    depth = cameras.depth(number, store.read(depth_path, "depth")["depth"])
    size = (int(cameras.sizes[number, 0]), int(cameras.sizes[number, 1]))
    z = depth[pixels[:, 1], pixels[:, 0]]
    return {
        "xyz": back_project(
            pixels, z, size, float(cameras.p[number]), cameras.principal_px[number]
        ),
        "pixels": pixels,
        "keypoints_xyz": cameras.keypoints_xyz[number],
    }


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
    for stem in batch.progress():
        datasets = sampled_points(cameras, stem, masks[stem], depths[stem], params)
        with batch.create(stem) as file:
            for name, array in datasets.items():
                store.write(file, name, array)
    summary(snakemake, batch.finish(params.marker))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
