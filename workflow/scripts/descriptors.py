"""results/descriptors/{category}/{image}.h5: descriptor maps of an image and its mirror image."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch import ImageBatch
from job import job, summary

from semalign3d import store
from semalign3d.digest import file_digest, values_digest
from semalign3d.models import descriptors
from semalign3d.models.device import pick_device

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params = snakemake.params
    folder = Path(params.root) / params.category
    checkpoint = None if params.checkpoint == "raw" else Path(params.checkpoint)
    identity = descriptors.identity(checkpoint)
    stamps = {
        stem: values_digest(
            code=params.code,
            model=identity,
            made_from=[file_digest(path) for path in descriptors.feature_files(folder, stem)],
        )
        for stem in (Path(path).stem for path in snakemake.output)
    }
    batch = ImageBatch(snakemake.output, stamps)
    if batch.stale:
        device = pick_device(snakemake.config["runtime"]["device"])
        encoder = descriptors.DescriptorEncoder(checkpoint, device)
    for stem in batch.progress():
        maps = [
            encoder.encode(
                descriptors.read_features(folder, stem, mirrored=mirrored),
                name=f"features of {stem} in {folder}",
            )
            for mirrored in (False, True)
        ]
        with batch.create(stem) as file:
            store.write(file, "descriptors", descriptors.as_stored(maps))
    summary(snakemake, batch.finish(params.marker))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
