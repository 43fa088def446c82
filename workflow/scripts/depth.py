"""results/depth/{category}/{image}.h5: relative inverse depth (larger is nearer)."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from batch import ImageBatch
from dataset import opened_dataset
from job import job, summary

from semalign3d import store
from semalign3d.digest import file_digest, values_digest
from semalign3d.images import read_image
from semalign3d.models import depth
from semalign3d.models.device import pick_device

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params = snakemake.params
    dataset = opened_dataset(params)
    stems = [Path(path).stem for path in snakemake.output]
    by_network = params.kind == "depth_anything"
    identity = depth.identity(params.source) if by_network else ""

    def source_file(stem: str) -> Path:
        if by_network:
            return Path(dataset.image_path(params.category, stem))
        return Path(depth.depth_file(params.source, params.category, stem))

    stamps = {
        stem: values_digest(
            code=params.code, model=identity, made_from=file_digest(source_file(stem))
        )
        for stem in stems
    }
    batch = ImageBatch(snakemake.output, stamps)
    if by_network and batch.stale:
        network = depth.DepthAnything(
            params.source, pick_device(snakemake.config["runtime"]["device"])
        )
    for stem in batch.progress():
        if by_network:
            inverse_depth = network.predict(read_image(source_file(stem)), name=stem)
        else:
            record = dataset.record(params.category, stem, "trn")
            size = (record.width, record.height)
            inverse_depth = depth.read_depth_file(params.source, params.category, stem, size)
        with batch.create(stem) as file:
            store.write(file, "depth", inverse_depth, compress=True)
    summary(snakemake, batch.finish(params.marker))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
