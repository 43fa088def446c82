"""How jobs run, and what they ask a cluster for."""

from pydantic import Field

from .section import Count, Section


class Runtime(Section):
    """How jobs run."""

    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:[0-9]+)?)$",
        description="auto (cuda, mps, cpu in this order), cpu, cuda, cuda:0 or mps.",
    )
    batches: Count = Field(
        1, description="Jobs a category for stages that work per photo; each loads its model once."
    )
    threads: Count = Field(
        1,
        description="CPU threads of a job. Numbers depend on this, not on --cores. Alignment works "
        "on as many photos at a time as there are cores.",
    )
    seed: int = Field(0, ge=0, description="Seed of every random number.")
    gpu_partition: str | None = Field(
        None,
        description="Cluster partition of jobs that ask for a GPU: with device cuda, and with auto "
        "where Snakemake's machine has one.",
    )


class JobResources(Section):
    """What a job asks for."""

    mem_mb: Count = Field(description="Memory in MB.")
    minutes: Count = Field(description="Run time in minutes.")


class Resources(Section):
    """What a cluster job asks for."""

    networks: JobResources = JobResources(mem_mb=8000, minutes=120)
    geometry: JobResources = JobResources(mem_mb=4000, minutes=60)
