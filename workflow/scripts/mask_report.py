"""Masks of a category against their annotation: a table, and a page of the worst."""

from typing import TYPE_CHECKING, Any

import numpy as np
from csv_files import write_rows
from dataset import opened_dataset
from job import job, summary
from training import by_stem, object_mask

from semalign3d.figures.masks import MaskedImage, draw_masks
from semalign3d.figures.save import save_figure
from semalign3d.images import read_image
from semalign3d.models.mask_quality import MaskQuality, mask_quality

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

SHOWN = 12
COLUMNS = ("image", "keypoints_within", "box_iou", "area", "doubtful")


def row(stem: str, quality: MaskQuality) -> tuple[str, ...]:
    numbers = (quality.within[0], quality.box_iou[0], quality.area[0])
    return (stem, *(f"{number:.4f}" for number in numbers), str(int(quality.doubtful[0])))


def main(snakemake: Any) -> None:
    params, category = snakemake.params, snakemake.wildcards.category
    dataset = opened_dataset(params)
    files = by_stem(snakemake.input.masks)
    records = {stem: dataset.record(category, stem, "trn") for stem in sorted(files)}
    seen = {stem: record.keypoints[record.visible] for stem, record in records.items()}

    def quality(stem: str) -> MaskQuality:
        mask = object_mask(files[stem], params.candidate)
        return mask_quality(mask[None], seen[stem], records[stem].box)

    found = {stem: quality(stem) for stem in records}
    worst = sorted(found, key=lambda stem: found[stem].agreement[0])
    write_rows(snakemake.output.table, COLUMNS, (row(stem, found[stem]) for stem in worst))
    doubtful = [stem for stem in worst if found[stem].doubtful[0]]
    pictures = [
        MaskedImage(
            read_image(records[stem].path),
            object_mask(files[stem], params.candidate),
            seen[stem],
            records[stem].box,
            f"{stem}\n{found[stem].within[0]:.0%} of keypoints, IoU {found[stem].box_iou[0]:.2f}",
            bool(found[stem].doubtful[0]),
        )
        for stem in worst[:SHOWN]
    ]
    title = f"{category}: masks that agree least with keypoints and box ({len(doubtful)} doubtful)"
    save_figure(draw_masks(pictures, title), snakemake.output.figure)
    middle = np.median([q.box_iou[0] for q in found.values()])
    summary(snakemake, f"{len(found)} masks, median box IoU {middle:.2f}, {len(doubtful)} doubtful")
    for stem in doubtful:
        summary(snakemake, f"a doubtful mask: {', '.join(row(stem, found[stem])[:4])}")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
