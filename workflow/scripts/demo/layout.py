"""The demo's Layout files: the pair names of each split, for all categories."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.dataset import write_layout
from demo.plan import Counts
from semalign3d.pipeline.job import job

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params = snakemake.params
    write_layout(Path(params.root), params.categories, Counts(*params.counts))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
