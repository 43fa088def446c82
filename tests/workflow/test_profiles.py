"""The profiles are in force with the very commands that README and documentation name."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import runs
import yaml

pytestmark = pytest.mark.workflow

PAGES = [runs.REPOSITORY / "README.md", *sorted((runs.REPOSITORY / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
PARSE = """
import json, sys
from snakemake.cli import parse_args
_, args = parse_args(sys.argv[1:])
found = {"resources": {name: str(value) for name, value in (args.resources or {}).items()}}
for name in ("rerun_incomplete", "keep_going", "executor", "retries", "jobs"):
    found[name] = getattr(args, name)
print(json.dumps({**found, "targets": list(args.targets)}))
"""
GPU_JOBS = """
from pathlib import Path

rule all:
    input: expand("{n}.done", n=range(4))

rule on_gpu:
    output: "{n}.done"
    resources: gpu=1
    shell: "mkdir busy && sleep 0.5 && rmdir busy && touch {output}"
"""


def commands_of(text: str) -> list[tuple[str, ...]]:
    """Arguments of every Snakemake command in a text of shell lines."""
    lines = [line for line in text.replace("\\\n", " ").splitlines() if "bin/snakemake " in line]
    return [tuple(shlex.split(line, comments=True)[1:]) for line in lines]


def documented() -> list[tuple[str, ...]]:
    pages = [BLOCK.findall(path.read_text()) for path in PAGES]
    found = [command for blocks in pages for block in blocks for command in commands_of(block)]
    return list(dict.fromkeys(found))


def of_make() -> tuple[str, ...]:
    line = ["make", "--dry-run", "--old-file=setup", "prior", "CORES=2"]
    done = subprocess.run(line, cwd=runs.REPOSITORY, capture_output=True, text=True, check=True)
    [command] = commands_of(done.stdout)
    return command


def settings(folder: Path, arguments: tuple[str, ...]) -> dict[str, Any]:
    """What Snakemake's command line makes of arguments in a folder."""
    line = [sys.executable, "-c", PARSE, *arguments]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def assert_in_force(found: dict[str, Any], arguments: tuple[str, ...]) -> None:
    assert found["rerun_incomplete"] is True
    assert found["keep_going"] is True
    named = [argument for argument in arguments if argument.startswith("results/")]
    assert found["targets"] == named, "an option takes the targets for its own: put -- before them"
    if "--workflow-profile" in arguments:
        wanted = yaml.safe_load((runs.REPOSITORY / "profiles/slurm/profile.yaml").read_text())
        assert found["executor"] == "slurm"
        assert found["retries"] == wanted["retries"]
        assert found["resources"] == {}
    else:
        assert found["resources"].keys() == {"gpu"}
        assert re.search(r"\b1\b", found["resources"]["gpu"])


def test_the_documentation_names_commands() -> None:
    every = documented()
    assert of_make()
    assert any("--configfile" in command for command in every)
    assert any("--workflow-profile" in command for command in every)


@pytest.mark.parametrize("arguments", [of_make(), *documented()], ids=" ".join)
def test_from_the_repository(arguments: tuple[str, ...]) -> None:
    assert_in_force(settings(runs.REPOSITORY, arguments), arguments)


@pytest.mark.parametrize("arguments", [of_make(), *documented()], ids=" ".join)
def test_from_another_folder(arguments: tuple[str, ...], tmp_path: Path) -> None:
    arguments = ("--snakefile", str(runs.REPOSITORY / "Snakefile"), *arguments)
    assert_in_force(settings(tmp_path, arguments), arguments)


def run_gpu_jobs(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run four jobs, each of which fails if another one is at work when it starts."""
    (folder / "Snakefile").write_text(GPU_JOBS)
    if not (folder / "profiles").exists():
        (folder / "profiles").symlink_to(runs.REPOSITORY / "profiles")
    line = [sys.executable, "-m", "snakemake", "--cores", "4", *options]
    environment = {**os.environ, **runs.NO_SLURM}
    return subprocess.run(
        line, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_gpu_jobs_never_run_at_once(tmp_path: Path) -> None:
    done = run_gpu_jobs(tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(list(tmp_path.glob("*.done"))) == 4


def test_gpu_jobs_would_run_at_once_without_the_profile(tmp_path: Path) -> None:
    """The check above can fail."""
    done = run_gpu_jobs(tmp_path, "--workflow-profile", "none")
    assert done.returncode != 0
    assert "File exists" in done.stderr
