"""Masks of a category against their annotation: a table, and a page of the worst."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from semalign3d.figures.masks import MaskedImage, draw_masks
from semalign3d.figures.save import save_figure
from semalign3d.files.tables import write_table
from semalign3d.maps.masks.quality import MaskQuality, mask_quality
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset
from semalign3d.pipeline.training import by_stem, object_mask

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

SHOWN = 12


def table_of(found: dict[str, MaskQuality]) -> pd.DataFrame:
    """One row an image, in the given order."""
    return pd.DataFrame(
        {
            "image": list(found),
            "keypoints_within": [q.within[0].round(4) for q in found.values()],
            "box_iou": [q.box_iou[0].round(4) for q in found.values()],
            "area": [q.area[0].round(4) for q in found.values()],
            "doubtful": [int(q.doubtful[0]) for q in found.values()],
        }
    )


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
    table = table_of({stem: found[stem] for stem in worst})
    write_table(table, snakemake.output.table)
    doubtful = [stem for stem in worst if found[stem].doubtful[0]]
    pictures = [
        MaskedImage(
            records[stem].pixels(),
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
    for row in table[table["doubtful"] == 1].itertuples():
        summary(
            snakemake,
            f"doubtful mask: {row.image}, {row.keypoints_within:.0%} of the keypoints within, "
            f"IoU with the box {row.box_iou:.2f}, {row.area:.0%} of the photo",
        )


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
