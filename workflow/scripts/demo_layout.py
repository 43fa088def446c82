"""The demo's Layout files: the pair names of each split, for all categories."""

from pathlib import Path
from typing import Any

from job import job

from demo.dataset import write_layout
from demo.plan import Counts


def main(snakemake: Any) -> None:
    params = snakemake.params
    write_layout(Path(params.root), counts=Counts(*params.counts))


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
