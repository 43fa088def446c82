"""results/masks/{category}/{image}.h5: SAM's candidates for the object, or the user's masks."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.datasets.records import ImageRecord
from semalign3d.device import pick_device
from semalign3d.files import store
from semalign3d.files.digest import file_digest, values_digest
from semalign3d.files.images import read_image
from semalign3d.files.records import write_record
from semalign3d.maps.masks import sam as masks
from semalign3d.maps.masks.quality import mask_quality
from semalign3d.pipeline.batch import ImageBatch
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def visible_keypoints(record: ImageRecord) -> np.ndarray:
    return record.keypoints[np.isfinite(record.keypoints).all(axis=1)]


def main(snakemake: Any) -> None:
    params = snakemake.params
    dataset = opened_dataset(params)
    stems = [Path(path).stem for path in snakemake.output]
    records = {stem: dataset.record(params.category, stem, "trn") for stem in stems}
    by_sam = params.kind == "sam"
    identity = masks.identity(params.model_type, Path(params.source)) if by_sam else ""

    def stamp(record: ImageRecord) -> str:
        if by_sam:
            image = file_digest(record.path)
        else:
            image = file_digest(masks.mask_file(params.source, params.category, record.stem))
        annotation = [visible_keypoints(record).tolist(), record.box]
        return values_digest(code=params.code, model=identity, made_from=[image, annotation])

    batch = ImageBatch(snakemake.output, {stem: stamp(record) for stem, record in records.items()})
    if by_sam and batch.stale:
        device = pick_device(snakemake.config["runtime"]["device"])
        sam = masks.SamMasks(params.model_type, Path(params.source), device)
    for stem in batch.progress():
        record = records[stem]
        if by_sam:
            found = sam.predict(read_image(record.path), visible_keypoints(record))
        else:
            size = (record.width, record.height)
            found = masks.read_mask_file(params.source, params.category, stem, size, record.box)
        quality = mask_quality(found[0], visible_keypoints(record), record.box)
        with batch.create(stem) as file:
            store.write(file, "masks", found[0], compress=True)
            store.write(file, "scores", found[1])
            write_record(file.create_group("quality"), quality)
            store.write(file, "agreement", quality.agreement)
    summary(snakemake, batch.finish(params.marker))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
