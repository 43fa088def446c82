"""results/alignment/{category}/{image}.h5: the prior placed in images."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semalign3d.alignment.batch import align_files
from semalign3d.alignment.settings import AlignmentSettings
from semalign3d.datasets.manifest import read_manifest
from semalign3d.files.digest import file_digest, values_digest
from semalign3d.files.records import write_record
from semalign3d.pipeline.batch import ImageBatch
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import settings_of
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


def main(snakemake: Any) -> None:
    params, given = snakemake.params, snakemake.input
    maps, sizes = by_stem(given.descriptors), image_sizes(given.manifest)
    settings = settings_of(AlignmentSettings, params)
    shared = {"code": params.code, "settings": vars(settings), "prior": file_digest(given.prior)}
    stamps = {
        stem: values_digest(**shared, descriptors=file_digest(maps[stem]), size=sizes[stem])
        for stem in (Path(path).stem for path in snakemake.output)
    }
    batch = ImageBatch(snakemake.output, stamps)
    photos = [(maps[stem], sizes[stem]) for stem in batch.stale]
    aligner = partial(load_aligner, given.prior, settings)
    found = align_files(aligner, photos, processes=snakemake.threads)
    for stem, alignment in zip(batch.progress(), found, strict=True):
        with batch.create(stem) as file:
            write_record(file, alignment)
    summary(snakemake, batch.finish(params.marker))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
