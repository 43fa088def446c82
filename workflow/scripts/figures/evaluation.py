"""results/figures/pck.png: PCK of all categories and methods."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from semalign3d.evaluation.tables import POOLED
from semalign3d.figures.pck import draw_pck
from semalign3d.figures.save import save_figure
from semalign3d.pipeline.job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    table = pd.read_csv(
        snakemake.input[0], keep_default_na=False, na_values={"low": "", "high": ""}
    )
    save_figure(draw_pck(table[table["category"] != POOLED]), snakemake.output[0])


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
