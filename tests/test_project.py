"""The project's own files agree with each other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+?)(?: ; sys_platform == \"linux\")?$")


def requirements() -> dict[str, str]:
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    matches = {line: PINNED.match(line) for line in lines if line and not line.startswith("#")}
    assert all(matches.values()), [line for line, match in matches.items() if not match]
    return {m[1].lower().replace("_", "-"): m[2] for m in matches.values() if m}


def test_requirements_pin_what_pyproject_asks_for() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    asked = {name.lower() for name in re.findall(r'^ *"?([a-z0-9-]+)>=', text, re.MULTILINE)}
    asked |= {
        name
        for names in re.findall(r"= \[(\"[^\]]+>=[^\]]+)\]", text)
        for name in re.findall(r'"([a-z0-9-]+)>=', names)
    }
    missing = asked - {"requires-python"} - set(requirements())
    assert not missing


@pytest.mark.parametrize("kind", ["cpu", "cuda"])
def test_conda_environments_are_in_step_with_the_requirements(kind: str) -> None:
    pinned = requirements()
    environment = yaml.safe_load((ROOT / "envs" / f"{kind}.yaml").read_text())
    *conda, pip = environment["dependencies"]
    versions = dict(entry.split("=", 1) for entry in conda if re.search(r"[^><]=\d", entry))
    versions.pop("python", None)
    versions |= dict(entry.split("==") for entry in pip["pip"])
    versions["torch"] = versions.pop(f"pytorch-{'cpu' if kind == 'cpu' else 'gpu'}")
    assert len(versions) > 10
    assert versions == {name: pinned[name] for name in versions}


def test_no_file_names_an_index_or_a_registry_host() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split("\n")
    hosts = re.compile(
        "(index" + "-url|find" + "-links|pypi" + r"\.org|registry\.npmjs|deb\.debian)"
    )
    guilty = [
        name
        for name in filter(None, listed)
        if (ROOT / name).suffix in {"", ".py", ".md", ".txt", ".toml", ".yaml", ".smk", ".cfg"}
        and (ROOT / name).is_file()
        and hosts.search((ROOT / name).read_text(errors="ignore"))
    ]
    assert not guilty


def loaded_by(code: str) -> set[str]:
    """Top-level modules that a fresh Python has loaded after some code."""
    line = [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_stages_load_torch_only_when_they_run_a_network() -> None:
    """Seconds of import, and 400 MB, for each of the jobs that need none; all scripts at once."""
    folder = ROOT / "workflow" / "scripts"
    scripts = sorted(map(str, folder.rglob("*.py")))
    assert str(folder / "relations.py") in scripts
    loaded = loaded_by(f"import runpy\nfor path in {scripts}: runpy.run_path(path)")
    assert "semalign3d" in loaded
    assert not loaded & {"torch", "torchvision", "transformers", "segment_anything"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import semalign3d") & {"numpy", "scipy", "h5py", "torch", "snakemake"}
