"""results/matching/{category}.csv: every query of every test pair, with each method's match."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from semalign3d.alignment.alignment import Alignment
from semalign3d.alignment.settings import MatchingSettings
from semalign3d.evaluation.methods import AlignedPhoto, Methods
from semalign3d.evaluation.tables import match_rows
from semalign3d.files import store
from semalign3d.files.records import read_record
from semalign3d.files.tables import write_table
from semalign3d.pipeline.job import job, summary
from semalign3d.pipeline.params import opened_dataset, settings_of
from semalign3d.pipeline.training import by_stem
from semalign3d.prior import Prior

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def aligned_photos(descriptors: list[str], alignments: list[str]) -> dict[str, AlignedPhoto]:
    """Descriptors in single precision, all in memory: 11 MB an image of full size."""
    maps, placed = by_stem(descriptors), by_stem(alignments)
    return {
        stem: AlignedPhoto(
            store.read(maps[stem], "descriptors")["descriptors"][0].astype(np.float32),
            read_record(placed[stem], Alignment),
        )
        for stem in maps
    }


def main(snakemake: Any) -> None:
    params, given = snakemake.params, snakemake.input
    photos = aligned_photos(given.descriptors, given.alignments)
    methods = Methods(Prior.load(given.prior).matcher(settings_of(MatchingSettings, params)))
    pairs = list(opened_dataset(params).pairs(snakemake.wildcards.category, "test"))
    parts = []
    for pair in tqdm(pairs, unit="pair", disable=None):
        source, target = photos[pair.source], photos[pair.target]
        found, confidence = methods(source, target, pair.source_keypoints)
        parts.append(match_rows(pair, found).assign(aligned_confidence=confidence))
    table = pd.concat(parts, ignore_index=True)
    write_table(table, snakemake.output[0])
    summary(snakemake, f"{len(pairs)} pairs, {len(table)} queries")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
