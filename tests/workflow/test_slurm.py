"""The demo chain through Slurm: what its jobs ask for, and one that is cancelled on the way."""

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import runs
import yaml
from slurm_cluster import CPUS, ask, job_facts, one_node_cluster, why_not

from semalign3d.files import store

PROFILE = "slurm"
DATA = ("results/demo/Layout/large/trn.txt", "results/demo/truth/chair.npz")
TARGET = "results/priors/chair.h5"
IMAGES = runs.TINY_DEMO["demo"]["images"]["trn"]
SECTIONS = ("networks", "geometry")
NETWORKS = ("descriptors", "masks", "depth")
RESOURCES = {s: {"mem_mb": 900 + 10 * n, "minutes": 20 + n} for n, s in enumerate(SECTIONS)}
CONFIG = {
    **runs.TINY_DEMO,
    "masks": {"source": "files"},
    "depth": {"source": "files"},
    "resources": RESOURCES,
}
CANCELLED = "descriptors_chair_trn_0"
SUBMITTED = re.compile(r"submitted with SLURM jobid (\d+) \(log: \S*/rule_(\w+)/")
SLURM_PROGRAMS = ("sinfo", "squeue", "sacct", "scontrol", "sbatch")
PROBLEM = why_not()
needs_slurm = [
    pytest.mark.slurm,
    pytest.mark.skipif(PROBLEM is not None, reason=f"no test cluster here: {PROBLEM}"),
]


def section(rule: str) -> str:
    """The part of `resources` in the config that a rule takes its own from."""
    return "networks" if rule.split("_")[0] in NETWORKS else "geometry"


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="slurm-") as folder, one_node_cluster(Path(folder)):
        yield


def through_slurm(
    *targets: str, config: dict[str, object], options: tuple[str, ...] = ()
) -> list[str]:
    """The command line of a run on the cluster, with status checks for jobs of seconds."""
    checks = ("--slurm-init-seconds-before-status-checks", "2")
    options = ("--workflow-profile", PROFILE, *checks, *options)
    return runs.command(*targets, config=config, cores=CPUS, options=options)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(runs.REPOSITORY)}


def cancel_in_its_work(snakemake: subprocess.Popen[bytes], staged: Path, rule: str) -> str:
    """Cancel the job of a per-image rule when it has computed its first image; its Slurm id."""
    while snakemake.poll() is None:
        if staged.is_dir() and any(staged.glob("*.h5")):
            jobs = ask("squeue", "-h", "--states=RUNNING", "-o", "%i %k").splitlines()
            for job_id, comment in (line.split() for line in jobs):
                if comment == f"rule_{rule}":
                    subprocess.run(["scancel", job_id], check=True)
                    return job_id
        time.sleep(0.05)
    pytest.fail(f"Snakemake ended before a job of {rule} could be cancelled")


@dataclass(frozen=True)
class Chain:
    """What a whole run through Slurm left.

    Attributes
    ----------
    run : the finished Snakemake process.
    folder : where it ran.
    cancelled : Slurm id of the job that was cancelled on the way.
    retried : the log of the same rule in the end.
    """

    run: runs.Run
    folder: Path
    cancelled: str
    retried: str


@pytest.fixture(scope="module")
def chain(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """From data that are there, as on any cluster, to the prior."""
    folder = tmp_path_factory.mktemp("slurm")
    runs.run(folder, *DATA, config=CONFIG)
    log = folder / "run.log"
    with open(log, "w") as output:
        snakemake = subprocess.Popen(
            through_slurm(TARGET, config=CONFIG),
            cwd=folder,
            env=environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        staged = folder / "results" / "descriptors" / "chair" / ".staged"
        cancelled = cancel_in_its_work(snakemake, staged, CANCELLED)
        snakemake.wait(timeout=1800)
    finally:
        snakemake.terminate()
        snakemake.wait()
        print(log.read_text()[-8000:])
    retried = (folder / "results" / "logs" / "descriptors" / "chair_trn_0.log").read_text()
    return Chain(runs.Run(snakemake.returncode, log.read_text()), folder, cancelled, retried)


class TestOneNode:
    pytestmark = needs_slurm

    def test_the_run_completes_though_a_job_was_cancelled(self, chain: Chain) -> None:
        jobs = [number for number, rule in SUBMITTED.findall(chain.run.output) if rule == CANCELLED]
        assert chain.run.returncode == 0
        assert [job_facts(number)["JobState"] for number in jobs] == ["CANCELLED", "COMPLETED"]
        assert jobs[0] == chain.cancelled

    def test_images_that_it_had_finished_are_kept(self, chain: Chain) -> None:
        slurm_logs = chain.folder / ".snakemake" / "slurm_logs"
        first = next(slurm_logs.rglob(f"{chain.cancelled}.log")).read_text()
        computed = re.search(r"(\d+) of (\d+) images computed", chain.retried)
        assert computed is not None
        if "images computed" not in first:  # else it was cancelled just after its last image
            assert int(computed[1]) < int(computed[2]) == IMAGES

    def test_all_outputs_are_whole(self, chain: Chain) -> None:
        files = sorted((chain.folder / "results").rglob("*.h5"))
        assert chain.folder / TARGET in files
        assert [store.verify(path) for path in files] == [None] * len(files)
        assert runs.leftovers(chain.folder / "results") == []

    def test_jobs_ask_for_what_the_config_says(self, chain: Chain) -> None:
        jobs = SUBMITTED.findall(chain.run.output)
        assert {section(rule) for _, rule in jobs} == set(SECTIONS)
        for number, rule in jobs:
            facts, wanted = job_facts(number), RESOURCES[section(rule)]
            assert facts["MinMemoryNode"] == f"{wanted['mem_mb']}M", rule
            assert facts["TimeLimit"] == f"00:{wanted['minutes']}:00", rule
            assert facts["NumCPUs"] == "1", rule
            assert (facts["Partition"], facts.get("TresPerJob")) == ("main", None), rule

    def test_a_network_stage_gets_a_gpu_and_its_partition(self, chain: Chain) -> None:
        """All images are computed already, so that the job needs no real GPU."""
        runtime = {"device": "cuda", "gpu_partition": "gpu", "threads": CPUS}
        line = through_slurm(
            "results/descriptors/chair/chair_000.h5",
            config={**CONFIG, "runtime": runtime},
            options=("--forcerun", CANCELLED),
        )
        done = subprocess.run(
            line, cwd=chain.folder, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-8000:]
        [(number, rule)] = SUBMITTED.findall(done.stdout + done.stderr)
        facts = job_facts(number)
        assert rule == CANCELLED
        assert facts["Partition"] == "gpu"
        assert facts["TresPerJob"] == "gres:gpu:1"
        assert facts["NumCPUs"] == str(CPUS)


@pytest.mark.workflow
def test_a_dry_run_needs_no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages that compute on the device ask for a GPU; all keys of the profile are known."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "sh", "which", "git"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(programs))
    assert not any(shutil.which(name) for name in SLURM_PROGRAMS)
    config = {
        **runs.TINY_DEMO,
        "depth": {"source": "depth_anything"},
        "runtime": {"device": "cuda", "gpu_partition": "gpu"},
    }
    options = ("--workflow-profile", PROFILE, "--dry-run")
    output = runs.run(tmp_path, TARGET, config=config, options=options).output
    resources = dict(re.findall(r"^rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", output, re.M))
    on_gpu = {rule.split("_")[0] for rule, line in resources.items() if "gpu=1" in line}
    in_partition = {
        rule.split("_")[0] for rule, line in resources.items() if "slurm_partition=gpu" in line
    }
    assert (
        on_gpu
        == in_partition
        == {
            "descriptors",
            "masks",
            "depth",
            "relations",
            "sparse",
            "bundle",
            "dense",
        }
    )
    config = yaml.safe_load((runs.REPOSITORY / "config" / "config.yaml").read_text())
    for rule, line in resources.items():
        wanted = config["resources"][section(rule)]
        assert f"mem_mb={wanted['mem_mb']}," in line, rule
        assert f"runtime={wanted['minutes']}" in line, rule
