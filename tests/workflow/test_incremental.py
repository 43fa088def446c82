"""What a second run computes: all that a change concerns, and nothing else."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import runs
from safetensors.numpy import load_file, save_file

from semalign3d.files import store
from semalign3d.prior import Prior

pytestmark = pytest.mark.workflow

PRIOR = "results/priors/chair.h5"
TARGETS = (PRIOR, "results/figures/chair/prior.png")
IMAGES = runs.TINY_DEMO["demo"]["images"]["trn"]
FROM_DENSE = {"dense", "statistics", "prior", "figure"}
FROM_SPARSE = {"sparse", "bundle", "points"} | FROM_DENSE
FROM_CAMERAS = {"cameras", "relations"} | FROM_SPARSE
PER_IMAGE = {"masks", "depth", "descriptors", "points"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's code, which tests may edit."""
    folder = tmp_path_factory.mktemp("project")
    runs.copy_project(folder)
    return folder


@pytest.fixture(scope="module")
def config(project: Path) -> dict[str, Any]:
    """The whole chain through both networks."""
    networks = project / "demo" / "networks"
    return {
        **runs.TINY_DEMO,
        "masks": {
            "source": "sam",
            "model_type": "vit_demo",
            "checkpoint": str(networks / "sam_demo.pth"),
        },
        "depth": {"source": "depth_anything", "model": str(networks / "depth")},
    }


@pytest.fixture(scope="module")
def finished(
    project: Path, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, runs.Run]:
    """A folder with a finished chain, which tests leave as it is, and the run that made it."""
    folder = tmp_path_factory.mktemp("finished")
    return folder, runs.run(folder, *TARGETS, config=config, repository=project)


@pytest.fixture
def folder(finished: tuple[Path, runs.Run], tmp_path: Path) -> Iterator[Path]:
    """A copy of the finished chain with its times and Snakemake's records."""
    copy = tmp_path / "copy"
    shutil.copytree(finished[0], copy, symlinks=True)
    yield copy
    shutil.rmtree(copy)


def image_file(folder: Path, stage: str, number: int) -> Path:
    return folder / "results" / stage / "chair" / f"chair_{number:03d}.h5"


def flip_middle(path: Path) -> None:
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 16] = bytes(byte ^ 0xFF for byte in content[middle : middle + 16])
    path.write_bytes(content)


def test_the_chain_computes_every_image_and_leaves_nothing_else(
    finished: tuple[Path, runs.Run],
) -> None:
    folder, run = finished
    assert run.computed == {stage: (IMAGES, IMAGES) for stage in PER_IMAGE}
    assert run.ran.keys() == {"demo", "manifest", "checks"} | PER_IMAGE | FROM_CAMERAS
    prior = Prior.load(folder / PRIOR)
    assert prior.category == "chair"
    assert (np.array(prior.images.splits) == "trn").sum() == IMAGES
    assert np.isfinite(prior.dense.xyz).all()
    assert runs.leftovers(folder / "results") == []


def test_nothing_changed_nothing_runs(folder: Path, config: dict[str, Any], project: Path) -> None:
    again = runs.run(folder, *TARGETS, config=config, repository=project)
    assert not again.ran
    assert "Nothing to be done" in again.output


def test_another_number_of_points(folder: Path, config: dict[str, Any], project: Path) -> None:
    changed = {**config, "dense": {"points": 50}}
    run = runs.run(folder, *TARGETS, config=changed, repository=project)
    assert dict(run.ran) == dict.fromkeys(FROM_DENSE, 1)
    assert (Prior.load(folder / PRIOR).dense.keypoint == -1).sum() == 50


def test_another_depth_network(folder: Path, config: dict[str, Any], project: Path) -> None:
    other = folder / "other-network"
    shutil.copytree(project / "demo" / "networks" / "depth", other)
    weights = load_file(other / "model.safetensors")
    name = min(weights)
    weights[name] = weights[name].copy()
    weights[name].flat[0] += 0.01
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    changed = {**config, "depth": {"source": "depth_anything", "model": "other-network"}}
    run = runs.run(folder, *TARGETS, config=changed, repository=project)
    assert dict(run.ran) == dict.fromkeys({"depth"} | FROM_CAMERAS, 1)
    assert run.computed["depth"] == (IMAGES, IMAGES)


def test_one_more_training_image_and_no_more_features(
    finished: tuple[Path, runs.Run], config: dict[str, Any], project: Path, tmp_path: Path
) -> None:
    """The demo's data as a user's dataset, in which one image has no pairs at first.

    Feature files are not missed when descriptors have been made of them.
    """
    shutil.copytree(finished[0] / "results" / "demo", tmp_path / "mine")
    settings = {
        **config,
        "dataset": {"name": "spair-71k", "root": "mine"},
        "descriptors": {
            "root": "mine/features",
            "checkpoint": str(project / "demo" / "networks" / "post_processor.pth"),
        },
    }
    pairs = tmp_path / "mine" / "Layout" / "large" / "trn.txt"
    every = pairs.read_text()
    pairs.write_text("".join(p for p in every.splitlines(True) if "chair_003" not in p))
    stages = ("masks", "depth", "descriptors")
    targets = [f"results/{stage}/chair/chair_000.h5" for stage in stages]
    before = runs.run(tmp_path, *targets, config=settings, repository=project)
    assert before.computed == dict.fromkeys(stages, (IMAGES - 1, IMAGES - 1))
    assert not image_file(tmp_path, "masks", 3).exists()
    pairs.write_text(every)
    page = "results/figures/chair/masks.png"
    follows = ("results/cameras/chair.h5", "results/descriptors/chair/chair_003.h5", page)
    after = runs.run(tmp_path, *follows, config=settings, repository=project)
    assert after.computed == dict.fromkeys(stages, (1, IMAGES))
    assert store.verify(image_file(tmp_path, "masks", 3)) is None
    table = tmp_path / "results" / "masks" / "chair" / "report.csv"
    assert len(table.read_text().splitlines()) == IMAGES + 1
    shutil.rmtree(tmp_path / "mine" / "features")
    assert not runs.run(tmp_path, *follows, config=settings, repository=project).ran
    settings["dataset"]["splits"] = ["trn"]
    forced = ("--forcerun", "checks", "descriptors_chair_trn_0")
    again = runs.run(tmp_path, *follows, config=settings, repository=project, options=forced)
    assert again.computed["descriptors"] == (0, IMAGES)
    assert f"{IMAGES} images done before" in again.output
    image_file(tmp_path, "descriptors", 5).unlink()
    target = "results/descriptors/chair/chair_005.h5"
    lost = runs.run(tmp_path, target, config=settings, repository=project, expect_failure=True)
    assert "features/chair/chair_005_dino.pt: no such file" in lost.output
    assert store.verify(image_file(tmp_path, "descriptors", 3)) is None


def tree(folder: Path) -> dict[str, int]:
    """When each file and folder was changed, but for Snakemake's own."""
    return {
        str(path): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.relative_to(folder).parts[0] != ".snakemake"
    }


def test_damaged_files_are_noticed_and_remade(
    folder: Path, config: dict[str, Any], project: Path, finished: tuple[Path, runs.Run]
) -> None:
    truncated, flipped = image_file(folder, "masks", 2), image_file(folder, "depth", 5)
    truncated.write_bytes(truncated.read_bytes()[:1000])
    flip_middle(flipped)
    assert store.verify(truncated)
    assert store.verify(flipped)
    before = tree(folder)
    dry = runs.run(folder, *TARGETS, config=config, repository=project, options=("--dry-run",))
    assert {"masks", "depth", "cameras"} <= dry.planned
    assert not {"demo", "checks", "descriptors"} & dry.planned
    assert tree(folder) == before
    run = runs.run(folder, *TARGETS, config=config, repository=project)
    for path in (truncated, flipped):
        assert f"{path.relative_to(folder)} is damaged" in dry.output
        assert f"{path.relative_to(folder)} is damaged" in run.output
    assert run.computed["masks"] == run.computed["depth"] == (1, IMAGES)
    assert not {"demo", "checks", "descriptors"} & run.ran.keys()
    assert store.verify(truncated) is None
    assert store.verify(flipped) is None
    runs.assert_same_numbers(folder / PRIOR, finished[0] / PRIOR)


def test_damage_that_left_no_trace_is_not_used(
    folder: Path, config: dict[str, Any], project: Path
) -> None:
    """A file of old date whose bytes have changed: found when a job reads it."""
    path = image_file(folder, "points", 4)
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    flip_middle(path)
    os.utime(path, ns=times)
    for marker in path.parent.glob(".whole-*"):
        marker.touch()
    changed = {**config, "dense": {"points": 50}}
    run = runs.run(folder, *TARGETS, config=changed, repository=project, expect_failure=True)
    assert f"{path.relative_to(folder)} is damaged" in run.output
    assert "Delete it and run again" in run.output
    path.unlink()
    again = runs.run(folder, *TARGETS, config=changed, repository=project)
    assert again.computed == {"points": (1, IMAGES)}
    assert again.ran.keys() == {"points"} | FROM_DENSE


@contextmanager
def edited(path: Path, *, start: str = "", end: str = "") -> Iterator[None]:
    """A source file with text put before its docstring's own text and after its end."""
    text, status = path.read_text(), path.stat()
    assert text.startswith('"""')
    path.write_text(f'"""{start}{text[3:]}{end}')
    try:
        yield
    finally:
        path.write_text(text)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize(
    ("module", "stages"),
    [
        ("semalign3d/shape/dense/warp.py", FROM_DENSE),
        ("semalign3d/maps/masks/sam.py", {"masks"} | FROM_CAMERAS),
        ("workflow/scripts/relations.py", {"relations"} | FROM_SPARSE),
    ],
)
def test_an_edit_of_the_code(
    module: str, stages: set[str], folder: Path, config: dict[str, Any], project: Path
) -> None:
    with edited(project / module, end="\n_NEW_CONSTANT = 1\n"):
        run = runs.run(folder, *TARGETS, config=config, repository=project, options=("--dry-run",))
    assert run.planned == stages


def test_another_comment_in_the_code(folder: Path, config: dict[str, Any], project: Path) -> None:
    with (
        edited(
            project / "semalign3d/shape/dense/warp.py",
            start="In other words: ",
            end="\n# So much.\n",
        ),
        edited(
            project / "semalign3d/files/store.py", start="In other words: ", end="\n# So much.\n"
        ),
    ):
        run = runs.run(folder, *TARGETS, config=config, repository=project, options=("--dry-run",))
    assert run.planned == set()


def test_cores_and_batches_change_no_number(
    folder: Path, config: dict[str, Any], project: Path, finished: tuple[Path, runs.Run]
) -> None:
    for path in (folder / "results").iterdir():
        if path.name not in {"demo", "manifest", "checks"}:
            shutil.rmtree(path)
    changed = {**config, "runtime": {"batches": 3}}
    run = runs.run(folder, PRIOR, config=changed, cores=1, repository=project)
    assert run.ran["masks"] == run.ran["points"] > 1
    assert run.computed == {stage: (IMAGES, IMAGES) for stage in PER_IMAGE}
    runs.assert_same_numbers(folder / PRIOR, finished[0] / PRIOR)


def killed_in_its_work(folder: Path, line: list[str], project: Path) -> None:
    """Run a command until there is a first new mask, then kill it and all that it started."""
    staged = folder / "results" / "masks" / "chair" / ".staged"
    process = subprocess.Popen(
        line,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(project)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while process.poll() is None and not list(staged.glob("chair_*.h5")):
            time.sleep(0.005)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


def test_killed_in_the_middle(folder: Path, config: dict[str, Any], project: Path) -> None:
    """The same command again uses what was computed, and neither uses nor leaves half a file."""
    shutil.rmtree(folder / "results" / "masks")
    shutil.rmtree(folder / "results" / "depth")
    targets = [f"results/{stage}/chair/chair_000.h5" for stage in ("masks", "depth")]
    line = runs.command(*targets, config=config, repository=project)
    killed_in_its_work(folder, line, project)
    chair = folder / "results" / "masks" / "chair"
    whole = [path for path in chair.rglob("chair_*.h5") if store.verify(path) is None]
    assert whole == list(chair.rglob("chair_*.h5"))
    half_written = chair / ".staged" / ".chair_007.h5.abc.partial"
    half_written.write_bytes(b"\x89HDF")
    run = runs.run(folder, *targets, config=config, repository=project)
    assert 0 < run.computed["masks"][0] <= IMAGES - len(whole)
    files = [image_file(folder, stage, n) for stage in ("masks", "depth") for n in range(IMAGES)]
    assert [store.verify(path) for path in files] == [None] * len(files)
    assert runs.leftovers(folder / "results") == []


def test_one_image_fails(folder: Path, config: dict[str, Any], project: Path) -> None:
    """The error names the file; what was computed before it is there when it is mended."""
    shutil.rmtree(folder / "results" / "depth")
    shutil.copytree(folder / "results" / "demo" / "depth", folder / "mine")
    source = folder / "mine" / "chair" / "chair_005_depth.npy"
    content = source.read_bytes()
    source.write_bytes(content[: len(content) // 2])
    changed = {**config, "depth": {"source": "files", "root": "mine"}}
    target = "results/depth/chair/chair_000.h5"
    failed = runs.run(folder, target, config=changed, repository=project, expect_failure=True)
    assert "mine/chair/chair_005_depth.npy" in failed.output.split("Error")[0]
    assert not list((folder / "results" / "depth" / "chair").glob("*.h5"))
    source.write_bytes(content)
    mended = runs.run(folder, target, config=changed, repository=project)
    assert mended.computed == {"depth": (IMAGES - 5, IMAGES)}
    assert runs.leftovers(folder / "results") == []
