"""results/descriptors/{category}/{image}.h5: descriptor maps of an image and its mirror image."""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semalign3d.datasets import ImageRecord
from semalign3d.device import pick_device
from semalign3d.files import store
from semalign3d.maps.descriptors.geoaware import as_stored
from semalign3d.maps.descriptors.sources import DescriptorSource, open_source
from semalign3d.pipeline.batch import ImageBatch
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logging.getLogger(__name__)


def stamp(source: DescriptorSource, output: Path, code: str) -> str:
    """The stamp of an image's file; where what it was made from is gone, the one that it has."""
    try:
        return source.stamp(output.stem, code)
    except FileNotFoundError:
        before = ImageBatch.existing(output)
        if before.get("recipe") != source.recipe:
            return ""
        if before["code"] != code:
            logger.warning("%s is kept from an earlier version of the code", output)
        return str(before[store.STAMP])


def main(snakemake: Any) -> None:
    params = snakemake.params
    dataset = opened_dataset(params)

    def photo(stem: str) -> ImageRecord:
        return dataset.record(params.category, stem, params.split)

    source = open_source(
        params.kind,
        category=params.category,
        root=params.root,
        checkpoint=params.checkpoint,
        model=params.model,
        grid=params.grid,
        photo=photo,
        device=lambda: pick_device(snakemake.config["runtime"]["device"]),
    )
    outputs = [Path(path) for path in snakemake.output]
    stamps = {output.stem: stamp(source, output, params.code) for output in outputs}
    batch = ImageBatch(snakemake.output, stamps)
    for stem in batch.progress():
        maps = as_stored(source.encode(stem))
        turned = photo(stem).turned
        with batch.create(stem, recipe=source.recipe, code=params.code, turned=turned) as file:
            store.write(file, "descriptors", maps)
    summary(snakemake, batch.finish(params.marker))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
