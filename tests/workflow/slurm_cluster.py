"""A Slurm of one node on this machine, for tests: no accounting, no cgroups, one pretended GPU."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

CONFIG_FOLDER = Path("/etc/slurm")
CPUS = min(2, os.cpu_count() or 1)
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scancel", "scontrol")
DAEMONS = {"slurmctld", "slurmd"}

OURS = "# Written by a test, which removes it when it ends.\n"
SLURM_CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
MailProg=/bin/true
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
SchedulerParameters=batch_sched_delay=0
MinJobAge=86400
KillWait=5
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory_mb} Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES State=UP
PartitionName=gpu Nodes={host} State=UP
"""
GRES_CONF = "NodeName={host} Name=gpu File=/dev/null\n"


def why_not() -> str | None:
    """Why this machine cannot bring up its own Slurm, or None if it can."""
    if find_spec("snakemake_executor_plugin_slurm") is None:
        return "snakemake-executor-plugin-slurm is not installed (pip install '.[slurm]')"
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        return f"not installed: {', '.join(missing)} (Debian: slurmctld slurmd slurm-client munge)"
    if os.geteuid() != 0:
        return "a test cluster needs root: it writes /etc/slurm/slurm.conf"
    running = _running_programs() & DAEMONS
    if running:
        return f"this machine already runs {', '.join(sorted(running))}: it is left alone"
    return None


def _running_programs() -> set[str]:
    names = set()
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            names.add(path.read_text().strip())
        except OSError:  # ended in between
            continue
    return names


@contextmanager
def one_node_cluster(folder: Path) -> Iterator[None]:
    """Run munged, slurmctld and slurmd until the block ends.

    Parameters
    ----------
    folder : for keys, sockets, state and logs; a short path, since sockets allow 107 bytes.

    Raises
    ------
    RuntimeError : the node is not ready after half a minute; the text ends with the logs.
    """
    host = socket.gethostname().split(".")[0]
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20 - 512
    values = {"host": host, "folder": folder, "cpus": CPUS, "memory_mb": memory_mb}
    for name in ("state", "spool"):
        (folder / name).mkdir()
    folder.chmod(0o755)  # munged refuses a socket that not everybody can reach
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(1024))
    with ExitStack() as stack:
        stack.enter_context(_replaced(CONFIG_FOLDER / "slurm.conf", SLURM_CONF.format(**values)))
        stack.enter_context(_replaced(CONFIG_FOLDER / "gres.conf", GRES_CONF.format(**values)))
        files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
        munged = ["munged", "--foreground", f"--socket={folder}/munge.socket", *files]
        stack.enter_context(_daemon(munged, folder))
        _wait_until((folder / "munge.socket").exists, "munged opens its socket", folder)
        stack.enter_context(_daemon(["slurmctld", "-D"], folder))
        stack.enter_context(_daemon(["slurmd", "-D"], folder))
        _wait_until(lambda: _node_state() == "idle", "the node is idle", folder)
        stack.callback(_cancel_all)
        yield


@contextmanager
def _replaced(path: Path, text: str) -> Iterator[None]:
    """Write a file of the system, and put back what was there before."""
    before = path.with_name(path.name + ".before-test")
    path.parent.mkdir(parents=True, exist_ok=True)
    is_ours = path.exists() and path.read_text().startswith(OURS)
    if path.exists() and not is_ours and not before.exists():
        path.rename(before)  # else left by a test that was killed: keep the older, if there is one
    path.write_text(OURS + text)
    try:
        yield
    finally:
        path.unlink()
        if before.exists():
            before.rename(path)


@contextmanager
def _daemon(command: list[str], folder: Path) -> Iterator[None]:
    with open(folder / f"{command[0]}.out", "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until(
    condition: Callable[[], bool], what: str, folder: Path, seconds: float = 30.0
) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            logs = [f"--- {p.name}\n{p.read_text()[-1500:]}" for p in sorted(folder.glob("*.log"))]
            raise RuntimeError(f"not so after {seconds:.0f} s: {what}\n" + "\n".join(logs))
        time.sleep(0.2)


def ask(*command: str) -> str:
    """Output of a Slurm command; empty if it failed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def _node_state() -> str:
    return ask("sinfo", "-h", "-p", "main", "-o", "%T")


def _cancel_all() -> None:
    """End what a failed test left running, so that slurmd leaves no orphans."""
    deadline = time.monotonic() + 15
    while ask("squeue", "-h") and time.monotonic() < deadline:
        ask("scancel", "--user=root")
        time.sleep(0.5)


def job_facts(job_id: str) -> dict[str, str]:
    """What `scontrol show job` tells about a job, also long after its end (MinJobAge)."""
    shown = ask("scontrol", "--oneliner", "show", "job", job_id)
    return dict(word.split("=", 1) for word in shown.split() if "=" in word)
