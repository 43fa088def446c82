"""The pipeline as its users run it, with every process of it measured."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
PROBE = Path(__file__).parent / "probe"
PER_IMAGE = ("checks", "manifest", "descriptors", "masks", "depth")
"""Folders under results/ that hold what comes before the geometry."""
NO_SLURM = {"SLURM_CONF": os.devnull}
"""Jobs run here, but Snakemake's plugin for Slurm asks its controller at every start, and waits for
9 s where Slurm is installed and set up, and no controller runs."""
SNAKEMAKE = "snakemake"
"""Name under which Snakemake's own process is listed beside the stages."""


@dataclass(frozen=True)
class Process:
    """One finished process.

    Attributes
    ----------
    stage : the workflow script, or `SNAKEMAKE`.
    cpu, wall : seconds, user and system time together; from the start to the end.
    peak_mb : most memory.
    """

    stage: str
    cpu: float
    wall: float
    peak_mb: float


def run(
    folder: Path, targets: Sequence[str], config: Mapping[str, Any], cores: int
) -> list[Process]:
    """Run Snakemake in a folder.

    Raises
    ------
    RuntimeError : it failed; the message holds the end of its output.
    """
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "processes.jsonl"
    record.unlink(missing_ok=True)
    sections = [f"{name}={json.dumps(value)}" for name, value in config.items()]
    line = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    line += ["--cores", str(cores), "--config", *sections, "--", *targets]
    environment = {
        **os.environ,
        **NO_SLURM,
        "PYTHONPATH": os.pathsep.join([str(PROBE), str(REPOSITORY)]),
        "BENCHMARK_PROBE": str(record),
    }
    done = subprocess.run(
        line, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)}\n{(done.stdout + done.stderr)[-4000:]}")
    return [_process(json.loads(text)) for text in record.read_text().splitlines()]


def _process(record: Mapping[str, Any]) -> Process:
    """Snakemake runs a script as .snakemake/scripts/tmp<random>.<name>.py."""
    program = Path(record["program"])
    is_script = program.parent.name == "scripts"
    stage = program.stem.split(".", 1)[-1] if is_script else SNAKEMAKE
    return Process(stage, record["cpu"], record["wall"], record["peak_kb"] / 1024)


def forget_geometry(folder: Path) -> None:
    """Delete all results that follow from descriptors, masks and depth."""
    for path in (folder / "results").iterdir():
        if path.name not in PER_IMAGE:
            shutil.rmtree(path)


def share_descriptors(folder: Path, category: str, other: Path, other_category: str) -> None:
    """Link the descriptor maps of another run into this one's results.

    The feature files are the same ones, so that the stage finds its files whole and computes
    nothing.
    """
    target = folder / "results" / "descriptors" / category
    target.mkdir(parents=True)
    for path in sorted((other / "results" / "descriptors" / other_category).glob("*.h5")):
        os.link(path, target / path.name)
