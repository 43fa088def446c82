"""The project's own files agree with each other."""

import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml

from semalign3d.alignment import settings

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


def test_config_schema_and_documentation_name_the_same_keys() -> None:
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    schema = yaml.safe_load((ROOT / "config" / "schema.yaml").read_text())

    def schema_keys(node: dict, prefix: str = "") -> set[str]:
        keys = set()
        for name, child in node.get("properties", {}).items():
            keys |= {f"{prefix}{name}"} | schema_keys(child, f"{prefix}{name}.")
        return keys

    def config_keys(node: object, prefix: str = "") -> set[str]:
        if not isinstance(node, dict):
            return set()
        keys = set()
        for name, child in node.items():
            keys |= {f"{prefix}{name}"} | config_keys(child, f"{prefix}{name}.")
        return keys

    documented = {key for key in config_keys(config) if not key.startswith("resources.")}
    assert documented == {k for k in schema_keys(schema) if not k.startswith("resources.")}
    uncommented = [
        line
        for line in (ROOT / "config" / "config.yaml").read_text().splitlines()
        if re.match(r"^  \w+:", line) and "#" not in line
    ]
    assert len(uncommented) <= 12, uncommented


@pytest.mark.parametrize(
    ("section", "kind"), [("alignment", "AlignmentSettings"), ("matching", "MatchingSettings")]
)
def test_settings_of_the_library_default_to_the_configuration(section: str, kind: str) -> None:
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    assert config[section] == vars(getattr(settings, kind)())


EXAMPLES = sorted(set((ROOT / "config").glob("*.yaml")) - {ROOT / "config" / "schema.yaml"})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_configurations_fit_the_schema(path: Path) -> None:
    schema = yaml.safe_load((ROOT / "config" / "schema.yaml").read_text())
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    for section, values in yaml.safe_load(path.read_text()).items():
        config[section] = {**config[section], **values}
    jsonschema.validate(config, schema)
