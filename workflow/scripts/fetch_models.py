"""Networks that the configuration names, fetched where there is a connection."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from semalign3d.errors import InputError
from semalign3d.maps.depth.sources import network_model
from semalign3d.maps.descriptors.vit import vit_model
from semalign3d.maps.fetch import fetch_hub_model, fetch_sam
from semalign3d.pipeline.job import job, summary

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def wanted(params: Any) -> list[Callable[[], str]]:
    """What is to be fetched; an empty name means that the configuration needs none."""
    found: list[Callable[[], str]] = []
    if params.descriptor_model:
        found.append(lambda: fetch_hub_model(vit_model(params.descriptor_model)))
    if params.depth_model:
        found.append(lambda: fetch_hub_model(network_model(params.depth_kind, params.depth_model)))
    if params.sam_type:
        found.append(lambda: fetch_sam(params.sam_type, params.sam_checkpoint))
    return found


def main(snakemake: Any) -> None:
    problems: list[str] = []
    for fetch in wanted(snakemake.params):
        try:
            summary(snakemake, fetch())
        except InputError as error:
            problems.append("\n    ".join([*error.problems, error.hint]).rstrip())
    if problems:
        raise InputError(problems)
    summary(snakemake, "every network that the configuration names is there")


if "snakemake" in globals():
    with job(snakemake):
        main(snakemake)
