"""A run that is killed goes on by the same command, and ends in the same prior."""

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import runs

from semalign3d.pipeline import locks

fcntl = pytest.importorskip("fcntl")
pytestmark = pytest.mark.workflow

PRIOR = "results/priors/chair.h5"
KILLS = 10
LOG = "killed.log"
CONFIG = {
    **runs.TINY_DEMO,
    "demo": {"images": {"trn": 6, "val": 2, "test": 2}},
    "masks": {"source": "files"},
    "depth": {"source": "files"},
}
EVENT = re.compile(r"^(?:local)?rule \w+:$|^Finished jobid", re.MULTILINE)
"""In Snakemake's output: a job starts or has ended."""


@dataclass(frozen=True)
class Moment:
    """When a run is killed.

    Attributes
    ----------
    events : starts and ends of jobs to wait for.
    seconds : to wait after that.
    alone : whether only Snakemake's main process is killed, so that its jobs go on.
    """

    events: int
    seconds: float
    alone: bool


def moments(seed: int) -> list[Moment]:
    """Moments at which Snakemake starts, jobs start, jobs are at work, or end.

    Few enough events that the chain of 26 can't end before the last one.
    """
    rng = random.Random(seed)
    drawn = [Moment(rng.choice((0, 1, 1, 2)), 0.0, rng.random() < 0.25) for _ in range(KILLS)]
    return [Moment(m.events, rng.uniform(0, 0.8 if m.events else 3.0), m.alone) for m in drawn]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository, in which a run starts as in the user's clone."""
    folder = tmp_path_factory.mktemp("project")
    runs.copy_project(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    runs.run(folder, PRIOR, config=CONFIG)
    return folder


@pytest.fixture
def killed_groups() -> Iterator[list[int]]:
    """Process groups of which nothing may be left after the test."""
    groups: list[int] = []
    yield groups
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            continue


def start(line: list[str], folder: Path, groups: list[int]) -> subprocess.Popen[bytes]:
    """Start a run with a process group of its own, which prints to `LOG`."""
    with open(folder / LOG, "w") as output:
        process = subprocess.Popen(
            line,
            cwd=folder,
            env={**os.environ, **runs.NO_SLURM, "PYTHONPATH": str(folder)},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    groups.append(process.pid)
    return process


def run_until(moment: Moment, line: list[str], folder: Path, groups: list[int]) -> str:
    """Start a run, kill it at a moment, and give what it printed."""
    log = folder / LOG
    process = start(line, folder, groups)
    while process.poll() is None and len(EVENT.findall(log.read_text())) < moment.events:
        time.sleep(0.01)
    time.sleep(moment.seconds)
    assert process.poll() is None, f"ended before it was killed:\n{log.read_text()[-4000:]}"
    (os.kill if moment.alone else os.killpg)(process.pid, signal.SIGKILL)
    process.wait()
    return log.read_text()


def is_held(path: Path) -> bool:
    """Whether a process holds a file's flock."""
    if not path.exists():
        return False
    with open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def leave_a_job(line: list[str], folder: Path, groups: list[int]) -> None:
    """Start a run and kill its main process alone as soon as its first job, of seconds, works."""
    process = start(line, folder, groups)
    while process.poll() is None and not is_held(folder / ".snakemake" / locks.JOBS):
        time.sleep(0.05)
    process.kill()
    assert process.wait() == -signal.SIGKILL, (folder / LOG).read_text()


def test_ten_times_at_random_moments(
    project: Path, undisturbed: Path, killed_groups: list[int]
) -> None:
    line = runs.command(PRIOR, config=CONFIG)
    where = line.index("--snakefile")
    line = line[:where] + line[where + 2 :]  # in the clone, as make prior does it
    leave_a_job(line, project, killed_groups)
    printed = [run_until(moment, line, project, killed_groups) for moment in moments(seed=0)]
    last = start(line, project, killed_groups).wait()
    every = "".join([*printed, (project / LOG).read_text()])
    assert last == 0, every[-8000:]
    assert "its lock is removed" in every
    assert "still at work in this folder: waiting until they end" in every
    assert "LockException" not in every
    assert "IncompleteFilesException" not in every
    runs.assert_same_numbers(project / PRIOR, undisturbed / PRIOR)
    assert runs.leftovers(project / "results") == []
