"""results/depth/{category}/{image}.h5: relative inverse depth (larger is nearer), intrinsics."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from semalign3d.device import pick_device
from semalign3d.files.records import write_record
from semalign3d.maps.depth.sources import open_depth
from semalign3d.pipeline.batch import ImageBatch
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params = snakemake.params
    dataset = opened_dataset(params)
    source = open_depth(
        params.kind,
        params.source,
        lambda: pick_device(snakemake.config["runtime"]["device"]),
        metric=params.metric,
    )
    stems = [Path(path).stem for path in snakemake.output]
    records = {stem: dataset.record(params.category, stem, "trn") for stem in stems}
    stamps = {stem: source.stamp(record, params.code) for stem, record in records.items()}
    batch = ImageBatch(snakemake.output, stamps)
    for stem in batch.progress():
        found = source.encode(records[stem])
        with batch.create(stem) as file:
            write_record(file, found, compress=True)
    summary(snakemake, batch.finish(params.marker))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
