"""Run real Snakemake in a folder and tell what ran."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from semalign3d.files import store
from studies.speed.chain import NO_SLURM

REPOSITORY = Path(__file__).parent.parent.parent
TINY_DEMO = {
    "demo": {"images": {"trn": 8, "val": 2, "test": 2}},
    "points": {"per_image": 400},
    "dense": {"points": 100},
}
PROJECT_FILES = (
    "Snakefile",
    "rules",
    "profiles",
    "workflow",
    "config",
    "envs",
    "docs",
    "semalign3d",
    "demo",
)
FINISHED = re.compile(r"Finished jobid: \d+ \(Rule: (\w+)\)")
PLANNED = re.compile(r"^(?:local)?rule (\w+):$", re.MULTILINE)
COMPUTED = re.compile(r"^(\w+): (\d+) of (\d+) images computed", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """A finished Snakemake process.

    Attributes
    ----------
    returncode : of the process.
    output : what it printed, standard output and error together.
    """

    returncode: int
    output: str

    @property
    def ran(self) -> Counter[str]:
        """Finished jobs by stage: a batch rule such as masks_chair_0 counts as masks."""
        return Counter(name.split("_")[0] for name in FINISHED.findall(self.output))

    @property
    def planned(self) -> set[str]:
        """Stages that were started, or would have been in a dry run."""
        return {name.split("_")[0] for name in PLANNED.findall(self.output)}

    @property
    def computed(self) -> dict[str, tuple[int, int]]:
        """Images computed and images in all, of each per-image stage that ran."""
        counts: dict[str, tuple[int, int]] = {}
        for rule, new, every in COMPUTED.findall(self.output):
            stage = rule.split("_")[0]
            before = counts.get(stage, (0, 0))
            counts[stage] = (before[0] + int(new), before[1] + int(every))
        return counts


def command(
    *targets: str,
    config: Mapping[str, Any] | None = None,
    cores: int = 2,
    repository: Path = REPOSITORY,
    options: tuple[str, ...] = (),
) -> list[str]:
    """The command line of a run; config sections are given as the README tells users to."""
    sections = [f"{name}={json.dumps(value)}" for name, value in (config or {}).items()]
    given = ["--config", *sections] if sections else []
    snakefile = str(repository / "Snakefile")
    start = [sys.executable, "-m", "snakemake", "--snakefile", snakefile, "--cores", str(cores)]
    return [*start, *options, *given, "--", *targets]


def run(
    folder: Path,
    *targets: str,
    config: Mapping[str, Any] | None = None,
    cores: int = 2,
    repository: Path = REPOSITORY,
    options: tuple[str, ...] = (),
    expect_failure: bool = False,
) -> Run:
    """Run Snakemake in a folder, without Slurm; another result than expected fails the test."""
    line = command(*targets, config=config, cores=cores, repository=repository, options=options)
    environment = {**os.environ, **NO_SLURM, "PYTHONPATH": str(repository)}
    done = subprocess.run(
        line,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (done.returncode != 0) == expect_failure, done.stdout[-8000:]
    return Run(done.returncode, done.stdout)


def leftovers(folder: Path) -> list[Path]:
    """Files that only a job in the middle of its work has."""
    found = [path for path in folder.rglob("*") if path.suffix in {".partial", ".tmp"}]
    return found + [path for path in folder.rglob(".staged/*")]


def copy_project(folder: Path) -> None:
    """Copy what a user clones, but for tests and benchmarks, into a folder."""
    for name in PROJECT_FILES:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder)


def arrays(path: Path) -> dict[str, np.ndarray]:
    """Every dataset of a file."""
    found: dict[str, np.ndarray] = {}

    def collect(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = store.read_dataset(item)

    with store.open_checked(path) as file:
        file.visititems(collect)
    return found


def assert_same_numbers(path: Path, other: Path) -> None:
    found, wanted = arrays(path), arrays(other)
    assert found.keys() == wanted.keys()
    assert "dense/xyz" in wanted
    for name in wanted:
        np.testing.assert_array_equal(found[name], wanted[name], err_msg=name, strict=True)
