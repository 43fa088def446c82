"""One category of the built-in demo: images, annotations, features, masks, depth and truth."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from demo.dataset import make_category
from demo.plan import Counts
from semalign3d.pipeline.job import job, summary

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main(snakemake: Any) -> None:
    params = snakemake.params
    make_category(
        Path(params.root),
        params.category,
        Counts(*params.counts),
        params.seed,
        processes=snakemake.threads,
    )
    summary(snakemake, f"{len(snakemake.output.images)} images made in {params.root}")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
