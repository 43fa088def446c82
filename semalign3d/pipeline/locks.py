"""Tell the lock of a killed Snakemake run from the lock of a living one.

Snakemake locks the files of a run by lists under ``.snakemake/locks``. A run that is killed leaves
them, and Snakemake then refuses to start until it is called with ``--unlock``: nothing in the lists
tells whether their run still lives. Every run of this pipeline therefore also holds an flock, which
the kernel releases when the process ends, in whatever way it ends. A run that gets this flock for
itself alone is the only one in the folder, so that the lists left there are stale and can go.

Where the system or the file system has no flock, the user is told and the run goes on. There, and
where a list may belong to a run on another machine (not all network file systems carry flocks from
one machine to another), nothing is removed and Snakemake's own message stays.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

RUNS = "semalign3d-runs.lock"
"""Held by every run; holds the machines of the runs since the last one that was alone."""
JOBS = "semalign3d-jobs.lock"
"""Held by every job that is at work."""
OUTPUTS = "results/"
"""Folder of all outputs, as Snakemake lists them."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PAUSE = 0.2
"""Seconds between two looks at the jobs of a killed run."""

_held: dict[Path, IO[str]] = {}

Say = Callable[[str], None]


def start_run(folder: Path, say: Say) -> list[Path]:
    """Hold the folder as a run until this process ends; first clear up after killed runs.

    Jobs that have outlived their killed run are waited for: they would write into the same
    places as the jobs of this run, and use the same GPU.

    Parameters
    ----------
    folder : Snakemake's own folder ``.snakemake``; made if it does not exist.
    say : takes messages to the user.

    Returns
    -------
    The lock files that were removed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        runs = _open_once(folder / RUNS)
        removed: list[Path] = []
        if _lock(runs, "alone"):
            _wait_for_jobs(folder / JOBS, say)
            removed = _clear(folder, runs, say)
        if not _lock(runs, "shared"):
            say("Another run is starting in this folder: waiting for it.")
            _lock(runs, "shared", wait=True)
        _note_machine(runs)
    except OSError as error:  # no flock, or a folder that may not be written
        reason = error.strerror or error
        say(
            f"{folder}: no file locks here ({reason}), so a run that is killed leaves its lock: "
            "give the command once with --unlock then."
        )
        return []
    return removed


def look_in(folder: Path, say: Say) -> None:
    """Say what a run would clear up, and change nothing, as a dry run does.

    Parameters are those of `start_run`.
    """
    try:
        with open(folder / RUNS) as runs:
            dead = _lock(runs, "alone") and stale_locks(folder / "locks")
            if dead and not _elsewhere(runs):
                say("The last run here was killed: the next one removes its lock.")
    except OSError:  # no flock, or no run before
        return


@contextmanager
def job_at_work(folder: Path) -> Iterator[None]:
    """Show to later runs that a job is at work, even if its own run has been killed."""
    with ExitStack() as stack:
        try:
            jobs = stack.enter_context(open(folder / JOBS, "a+"))
            _lock(jobs, "shared", wait=True)
        except OSError:  # no flock, or no such folder
            pass
        yield


def _open_once(path: Path) -> IO[str]:
    """The file, kept open until the process ends: closing it would release its flock."""
    path = path.absolute()
    if path not in _held:
        _held[path] = open(path, "a+")  # noqa: SIM115
    return _held[path]


def _lock(file: IO[str], how: str, wait: bool = False) -> bool:
    """Take an flock ``shared`` or ``alone``; False if others hold it.

    Raises
    ------
    OSError : the platform or the file system has no flock.
    """
    if fcntl is None:
        raise OSError("no flock on this platform")
    operation = {"shared": fcntl.LOCK_SH, "alone": fcntl.LOCK_EX}[how]
    try:
        fcntl.flock(file, operation if wait else operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait_for_jobs(path: Path, say: Say) -> None:
    """Return when no job is at work; called while no other run is here whose jobs these can be."""
    with open(path, "a+") as jobs:
        if _lock(jobs, "alone"):
            return
        say(
            "Jobs of a run that was killed are still at work in this folder: waiting until they "
            f"end. To end them at once: fuser -k {path}"
        )
        while not _lock(jobs, "alone"):
            time.sleep(PAUSE)


def _clear(folder: Path, runs: IO[str], say: Say) -> list[Path]:
    """Remove the stale lock files of runs on this machine, and forget these runs."""
    stale = stale_locks(folder / "locks")
    elsewhere = _elsewhere(runs)
    if stale and elsewhere:
        say(
            f"A run on {' and '.join(elsewhere)} has left its lock in this folder. If it has been "
            "killed, give the command once with --unlock, then run it again."
        )
        return []
    for path in stale:
        path.unlink(missing_ok=True)
    if stale:
        say("The last run here was killed: its lock is removed, its unfinished jobs run again.")
    runs.truncate(0)
    return stale


def stale_locks(folder: Path) -> list[Path]:
    """The lock files of this pipeline's runs, if none of them lives.

    Parameters
    ----------
    folder : Snakemake's ``.snakemake/locks``.

    Returns
    -------
    Lists of outputs that all lie under results/, and lists of inputs but for those that bear the
    number of another workflow's outputs.
    """
    outputs = sorted(folder.glob("*.output.lock"))
    ours = [path for path in outputs if _is_ours(path)]
    foreign = {_number(path) for path in outputs} - {_number(path) for path in ours}
    inputs = sorted(folder.glob("*.input.lock"))
    return ours + [path for path in inputs if _number(path) not in foreign]


def _is_ours(path: Path) -> bool:
    """Whether all listed files are outputs of this pipeline; half a last line does not count."""
    lines = path.read_text(errors="replace").split("\n")[:-1]
    return all(line.startswith(OUTPUTS) for line in lines)


def _number(path: Path) -> str:
    return path.name.split(".")[0]


def _note_machine(runs: IO[str]) -> None:
    runs.write(" ".join(_machine()) + "\n")
    runs.flush()


def _machine() -> tuple[str, str]:
    """Host name, and the number of the running kernel, which containers share; '-' if none."""
    try:
        boot = BOOT_ID.read_text().strip()
    except OSError:
        boot = "-"
    return socket.gethostname(), boot


def _elsewhere(runs: IO[str]) -> list[str]:
    """Hosts of other machines that runs since the last clearing were on.

    A file without a line was made just now: the lock files are older than it, and their run, of
    an earlier version or of another workflow, is not known.
    """
    runs.seek(0)
    host, boot = _machine()
    machines = [words for line in runs if (words := line.split())]
    others = {m[0] for m in machines if m[0] != host and (m[1:] != [boot] or boot == "-")}
    return sorted(others) if machines else ["an unknown machine"]
