"""results/alignment/{category}/{image}.h5: the prior placed in images."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.alignment.batch import PhotoFile, align_files
from semalign3d.alignment.photo.region import box_mask
from semalign3d.alignment.settings import AlignmentSettings
from semalign3d.datasets.manifest import read_manifest
from semalign3d.datasets.records import ImageRecord
from semalign3d.files.digest import file_digest, values_digest
from semalign3d.files.records import write_record
from semalign3d.maps.masks.sources import whole_object
from semalign3d.pipeline.batch import ImageBatch
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset, settings_of
from semalign3d.pipeline.training import by_stem
from semalign3d.prior import load_aligner

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def image_sizes(manifest: str) -> dict[str, tuple[int, int]]:
    table = read_manifest(manifest)
    return {
        stem: (int(width), int(height))
        for stem, width, height in zip(table["image"], table["width"], table["height"], strict=True)
    }


def guide_of(photo: ImageRecord, params: Any) -> Callable[[], np.ndarray]:
    """What says where the photo's object lies; it pickles."""
    size = (photo.width, photo.height)
    if params.guide == "box":
        return partial(box_mask, photo.box, size)
    names = params.masks_root, photo.category, photo.stem
    return partial(whole_object, *names, size, photo.box)


def guided_records(stems: list[str], params: Any) -> dict[str, ImageRecord]:
    """Annotations of the photos, read only where they guide the alignment."""
    if params.guide == "none":
        return {}
    dataset = opened_dataset(params)
    return {stem: dataset.record(params.category, stem, params.split) for stem in stems}


def main(snakemake: Any) -> None:
    params, given = snakemake.params, snakemake.input
    maps, sizes = by_stem(given.descriptors), image_sizes(given.manifest)
    settings = settings_of(AlignmentSettings, params)
    shared = {"code": params.code, "settings": vars(settings), "prior": file_digest(given.prior)}
    stems = [Path(path).stem for path in snakemake.output]
    records = guided_records(stems, params)
    masks = dict(zip(stems, given.masks, strict=True)) if params.guide == "mask" else {}
    stamps = {
        stem: values_digest(
            **shared,
            descriptors=file_digest(maps[stem]),
            size=sizes[stem],
            guide=params.guide,
            mask=file_digest(masks[stem]) if masks else "",
            box=records[stem].box if records else "",
        )
        for stem in stems
    }
    batch = ImageBatch(snakemake.output, stamps)
    photos = [
        PhotoFile(maps[stem], sizes[stem], guide_of(records[stem], params) if records else None)
        for stem in batch.stale
    ]
    aligner = partial(load_aligner, given.prior, settings)
    found = align_files(aligner, photos, processes=snakemake.threads)
    for stem, alignment in zip(batch.progress(), found, strict=True):
        with batch.create(stem) as file:
            write_record(file, alignment)
    summary(snakemake, batch.finish(params.marker))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
