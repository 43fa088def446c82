"""Locks of dead runs go; locks of living runs, of other machines and of other workflows stay."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from semalign3d.pipeline import locks

fcntl = pytest.importorskip("fcntl")

RUN = "locks.start_run(folder, print); print('ready', flush=True); time.sleep(600)"
JOB = "with locks.job_at_work(folder): print('ready', flush=True); time.sleep(600)"
CODE = "import sys, time, pathlib; from semalign3d.pipeline import locks; "
CODE += "folder = pathlib.Path(sys.argv[1]); exec(sys.argv[2])"
OUTPUTS = "results/demo/truth/chair.npz\nresults/priors/chair.h5\n"
INPUTS = "photos/a.jpg\nresults/demo/truth/chair.npz\n"
Other = Callable[[str], subprocess.Popen[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Snakemake's folder, without a lock."""
    (tmp_path / "locks").mkdir()
    return tmp_path


@pytest.fixture
def other(folder: Path) -> Iterator[Other]:
    """Start another process that holds the folder; it is killed at the latest with the test."""
    started = []

    def start(what: str) -> subprocess.Popen[str]:
        line = [sys.executable, "-c", CODE, str(folder), what]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield start
    for process in started:
        kill(process)


@pytest.fixture(autouse=True)
def _no_run_stays(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This process holds a folder only as long as a test."""
    held: dict[Path, object] = {}
    monkeypatch.setattr(locks, "_held", held)
    yield
    for file in held.values():
        file.close()  # type: ignore[attr-defined]


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def lock(folder: Path, number: int, outputs: str = OUTPUTS, inputs: str = INPUTS) -> set[Path]:
    """Lock files as Snakemake 9 writes them."""
    files = {
        folder / "locks" / f"{number}.output.lock": outputs,
        folder / "locks" / f"{number}.input.lock": inputs,
    }
    for path, text in files.items():
        path.write_text(text)
    return set(files)


def present(folder: Path) -> set[Path]:
    return set((folder / "locks").iterdir())


class TestStartRun:
    def test_makes_the_folder(self, tmp_path: Path) -> None:
        said: list[str] = []
        assert locks.start_run(tmp_path / "new" / ".snakemake", said.append) == []
        assert said == []

    def test_a_dead_run_s_lock_is_removed(self, folder: Path, other: Other) -> None:
        run, said = other(RUN), []
        files = lock(folder, 0)
        kill(run)
        assert set(locks.start_run(folder, said.append)) == files
        assert present(folder) == set()
        assert "was killed: its lock is removed" in said[0]

    def test_a_living_run_s_lock_stays(self, folder: Path, other: Other) -> None:
        other(RUN)
        files = lock(folder, 0)
        assert locks.start_run(folder, print) == []
        assert present(folder) == files

    def test_a_dead_run_s_lock_stays_while_a_third_run_lives(
        self, folder: Path, other: Other
    ) -> None:
        """The files tell nothing of their run: none goes unless all runs are dead."""
        dead = other(RUN)
        files = lock(folder, 0)
        third = other(RUN)
        kill(dead)
        assert locks.start_run(folder, print) == []
        assert present(folder) == files
        kill(third)
        assert set(locks.start_run(folder, print)) == files

    def test_later_runs_see_this_one(self, folder: Path) -> None:
        locks.start_run(folder, print)
        files = lock(folder, 0)
        code = CODE.replace("exec(sys.argv[2])", "print(locks.start_run(folder, print))")
        line = [sys.executable, "-c", code, str(folder)]
        assert subprocess.run(line, capture_output=True, text=True).stdout == "[]\n"
        assert present(folder) == files

    def test_a_list_that_was_half_written(self, folder: Path, other: Other) -> None:
        run = other(RUN)
        files = lock(folder, 0, outputs="results/priors/chair.h5\nres", inputs="")
        kill(run)
        assert set(locks.start_run(folder, print)) == files

    def test_locks_of_another_workflow_stay(self, folder: Path, other: Other) -> None:
        run = other(RUN)
        ours = lock(folder, 0)
        foreign = lock(folder, 1, outputs="thesis.pdf\n", inputs="results/priors/chair.h5\n")
        kill(run)
        assert set(locks.start_run(folder, print)) == ours
        assert present(folder) == foreign

    def test_locks_without_any_trace_of_their_run_stay(self, folder: Path) -> None:
        """They are older than the file in which runs note their machines."""
        files, said = lock(folder, 0), []
        assert locks.start_run(folder, said.append) == []
        assert present(folder) == files
        assert "an unknown machine" in said[0]
        assert "--unlock" in said[0]

    def test_locks_of_another_machine_stay(
        self, folder: Path, other: Other, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run, said = other(RUN), []
        host, _ = locks._machine()
        files = lock(folder, 0)
        kill(run)
        monkeypatch.setattr(locks, "_machine", lambda: ("login2", "another"))
        assert locks.start_run(folder, said.append) == []
        assert present(folder) == files
        assert f"A run on {host} has left its lock" in said[0]

    def test_another_container_on_the_same_kernel_is_the_same_machine(
        self, folder: Path, other: Other, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        _, boot = locks._machine()
        if boot == "-":
            pytest.skip("this system does not number its kernel's starts")
        run = other(RUN)
        files = lock(folder, 0)
        kill(run)
        monkeypatch.setattr(locks, "_machine", lambda: ("container", boot))
        assert set(locks.start_run(folder, print)) == files

    def test_no_flock(self, folder: Path, other: Other, monkeypatch: pytest.MonkeyPatch) -> None:
        run = other(RUN)
        files = lock(folder, 0)
        kill(run)

        def unsupported(*arguments: object) -> None:
            raise OSError(38, "Function not implemented")

        said: list[str] = []
        monkeypatch.setattr(fcntl, "flock", unsupported)
        assert locks.start_run(folder, said.append) == []
        assert "no file locks here (Function not implemented)" in said.pop()
        with locks.job_at_work(folder):
            assert present(folder) == files
        monkeypatch.setattr(locks, "fcntl", None)  # as on Windows
        assert locks.start_run(folder, said.append) == []
        assert "no file locks here (no flock on this platform)" in said.pop()
        assert present(folder) == files


class TestOrphanedJobs:
    def test_they_are_waited_for(self, folder: Path, other: Other) -> None:
        job, said = other(JOB), []
        run = threading.Thread(target=locks.start_run, args=(folder, said.append))
        run.start()
        while not said:
            time.sleep(0.01)
        assert "still at work in this folder" in said[0]
        run.join(3 * locks.PAUSE)
        assert run.is_alive()
        kill(job)
        run.join(30)
        assert not run.is_alive()

    def test_jobs_of_a_living_run_are_not(self, folder: Path, other: Other) -> None:
        other(RUN)
        other(JOB)
        said: list[str] = []
        locks.start_run(folder, said.append)
        assert said == []

    def test_a_job_that_has_ended_is_not(self, folder: Path) -> None:
        said: list[str] = []
        with locks.job_at_work(folder):
            pass
        locks.start_run(folder, said.append)
        assert said == []

    def test_a_job_outside_a_run(self, tmp_path: Path) -> None:
        with locks.job_at_work(tmp_path / "nowhere"):
            assert not (tmp_path / "nowhere").exists()


class TestLookIn:
    def test_says_what_a_run_would_do_and_changes_nothing(self, folder: Path, other: Other) -> None:
        run, said = other(RUN), []
        files = lock(folder, 0)
        before = (folder / locks.RUNS).read_bytes()
        locks.look_in(folder, said.append)
        assert said == []
        kill(run)
        locks.look_in(folder, said.append)
        assert said == ["The last run here was killed: the next one removes its lock."]
        assert present(folder) == files
        assert (folder / locks.RUNS).read_bytes() == before
        assert set(locks.start_run(folder, print)) == files

    def test_makes_no_folder(self, tmp_path: Path) -> None:
        locks.look_in(tmp_path / ".snakemake", print)
        assert not (tmp_path / ".snakemake").exists()
        locks.look_in(tmp_path, print)
        assert list(tmp_path.iterdir()) == []
