"""README and documentation: their commands run, their links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import runs
import yaml

pytestmark = pytest.mark.workflow

ROOT = runs.REPOSITORY
PAGES = ("README.md", "docs/tutorial/demo.md", "docs/reference/targets.md")
"""Pages whose commands run here; tests/workflow/test_own_category.py runs the other tutorial."""
BLOCK = re.compile(r"(<!-- not run by the tests[^>]*-->\n)?```(sh|python)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page that a user may run as they are, without those marked as not run."""
    found = BLOCK.findall((ROOT / page).read_text())
    return [text for mark, kind, text in found if kind == language and not mark]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user has after `make prior`, with a smaller demo."""
    folder = tmp_path_factory.mktemp("clone")
    runs.copy_project(folder)
    (folder / "studies").symlink_to(ROOT / "studies", target_is_directory=True)
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    config = yaml.safe_load((folder / "config" / "config.yaml").read_text())
    for section, values in runs.TINY_DEMO.items():
        config[section].update(values)
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(config))
    shell(folder, ".venv/bin/snakemake --cores 2 -- results/priors/chair.h5")
    return folder


def shell(folder: Path, text: str) -> str:
    environment = {**os.environ, **runs.NO_SLURM, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        ["bash", "-euc", text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout[-4000:]}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES)
def test_commands_run_as_they_are_written(clone: Path, page: str) -> None:
    for text in blocks(page, "sh"):
        shell(clone, text)


def test_the_python_of_the_readme_prints_keypoints_and_surface(clone: Path) -> None:
    [text] = blocks("README.md", "python")
    (clone / "readme.py").write_text(text)
    printed = shell(clone, ".venv/bin/python readme.py")
    assert printed.count("\n") == 15
    assert "(114, 3) (114, 3)" in printed


def test_the_tutorial_runs_something() -> None:
    assert len(blocks("docs/tutorial/demo.md", "sh")) >= 2


def test_the_readme_fits_a_screen_or_two() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 150


def test_links_of_the_readme_lead_to_files() -> None:
    """Those between pages of the documentation are checked by its build."""
    links = LINK.findall((ROOT / "README.md").read_text())
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []
