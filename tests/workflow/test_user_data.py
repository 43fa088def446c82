"""A user's dataset in SPair-71k's layout: masks and depth from files, features of full size."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import runs

from demo.dataset import make_category, write_layout
from demo.plan import Counts, splits
from semalign3d.files import store
from semalign3d.prior import Prior
from studies.speed.data.features import WIDTH, write_checkpoint, write_features

pytestmark = pytest.mark.workflow

FEW, MANY = Counts(4, 2, 2), Counts(12, 2, 2)
UNSEEN = "chair_010"
"""A training image of which no keypoint is seen."""
SCARCE = "chair_011"
"""A training image with 3 keypoints, one more being outside of it."""
STEADY_MEMORY = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "1000000"}
"""Makes the C library give large arrays back at once, so that peaks can be compared."""
MEASURE = """
import os, subprocess, sys
process = subprocess.Popen(sys.argv[1:], stdout=sys.stderr)
_, status, usage = os.wait4(process.pid, 0)
print(usage.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small process in between: Linux counts the memory of the one that starts another as its own."""
CALIBRATED = "chair_003"
"""A training image whose camera matrix lies beside its depth map."""
POINTS = 500
CLUSTERS = 200


def change_keypoints(root: Path, stem: str, wanted: int, outside: int = 0) -> None:
    """Keep some of an image's keypoints, and move some more out of the image."""
    path = root / "ImageAnnotation" / "chair" / f"{stem}.json"
    annotation = json.loads(path.read_text())
    seen = [key for key, place in annotation["kps"].items() if place is not None]
    assert len(seen) >= wanted + outside
    for key in seen[wanted:]:
        annotation["kps"][key] = None
    for key in seen[wanted : wanted + outside]:
        annotation["kps"][key] = [annotation["image_width"] + 50, 10]
    path.write_text(json.dumps(annotation))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two datasets, of few and of many training images, the former being some of the latter."""
    base = tmp_path_factory.mktemp("user")
    made = base / "many"
    make_category(made, "chair", MANY, processes=2)
    with np.load(made / "truth" / "chair" / f"{CALIBRATED}.npz") as truth:
        height, width = truth["depth"].shape
        focal = float(truth["focal"]) * max(width, height)
    camera = [[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]]
    np.save(made / "depth" / "chair" / f"{CALIBRATED}_intrinsics.npy", np.array(camera))
    for name in ("features", "truth"):
        subprocess.run(["rm", "-r", str(made / name)], check=True)
    change_keypoints(made, UNSEEN, 0)
    change_keypoints(made, SCARCE, 3, outside=1)
    (base / "few").mkdir()
    for name in ("JPEGImages", "ImageAnnotation"):
        (base / "few" / name).symlink_to(made / name)
    for name, counts in (("few", FEW), ("many", MANY)):
        write_layout(base / name, ("chair",), counts)
    write_features(base / "features" / "chair", splits("chair", MANY)["trn"])
    write_checkpoint(base / "post_processor.pth")
    yield base
    subprocess.run(["rm", "-r", str(base)], check=True)


def config(name: str) -> dict[str, object]:
    """Paths relative to the folder that Snakemake runs in, `folder / f"run-{name}"`."""
    return {
        "dataset": {"name": "spair-71k", "root": f"../{name}", "splits": ["trn"]},
        "descriptors": {"root": "../features", "checkpoint": "../post_processor.pth"},
        "masks": {"source": "files", "root": "../many/masks"},
        "depth": {"source": "files", "root": "../many/depth"},
        "points": {"per_image": POINTS},
        "relations": {"min_images": 2},
        "dense": {"points": CLUSTERS},
    }


def peak_memory(place: Path, target: str, settings: dict[str, object]) -> int:
    """Run Snakemake; the most memory (kB) that it or one of its jobs had."""
    line = [sys.executable, "-c", MEASURE, *runs.command(target, config=settings)]
    environment = {**os.environ, **STEADY_MEMORY, "PYTHONPATH": str(runs.REPOSITORY)}
    with open(place / "run.log", "w") as log:
        done = subprocess.run(
            line, cwd=place, env=environment, stdout=subprocess.PIPE, stderr=log, check=False
        )
    assert done.returncode == 0, (place / "run.log").read_text()[-8000:]
    return int(done.stdout)


@dataclass(frozen=True)
class Chain:
    """What a run up to the dense stage took and left.

    Attributes
    ----------
    place : where it ran.
    features, dense : peak memory in kB of checks and descriptors, and of the dense stage.
    output : what it printed before the dense stage.
    """

    place: Path
    features: int
    dense: int
    output: str


def run_chain(folder: Path, name: str) -> Chain:
    place, settings = folder / f"run-{name}", config(name)
    place.mkdir()
    features = peak_memory(place, "results/descriptors/chair/chair_000.h5", settings)
    before = ("results/sparse/chair.h5", "results/points/chair/chair_000.h5")
    output = runs.run(place, *before, config=settings).output
    dense = peak_memory(place, "results/dense/chair.h5", settings)
    return Chain(place, features, dense, (place / "run.log").read_text() + output)


@pytest.fixture(scope="module")
def many(folder: Path) -> Chain:
    return run_chain(folder, "many")


def test_from_the_files_to_the_prior(many: Chain) -> None:
    runs.run(many.place, "results/priors/chair.h5", config=config("many"))
    prior = Prior.load(many.place / "results" / "priors" / "chair.h5")
    assert prior.dataset == "spair-71k"
    assert prior.dense.descriptors.shape[1] == WIDTH
    assert np.isfinite(prior.dense.xyz).all()
    assert prior.sparse.used.sum() >= 10
    files = sorted((many.place / "results").rglob("*.h5"))
    assert [store.verify(path) for path in files] == [None] * len(files)
    assert runs.leftovers(many.place / "results") == []


def test_a_given_camera_matrix_reaches_the_prior(folder: Path, many: Chain) -> None:
    runs.run(many.place, "results/priors/chair.h5", config=config("many"))
    prior = Prior.load(many.place / "results" / "priors" / "chair.h5")
    camera = np.load(folder / "many" / "depth" / "chair" / f"{CALIBRATED}_intrinsics.npy")
    longest = 2.0 * camera[:2, 2].max()
    found = prior.images.focal_lengths[prior.images.stems.index(CALIBRATED)]
    assert found == pytest.approx(camera[0, 0] / longest, rel=1e-9)
    assert "11 cameras, 1 with intrinsics" in many.output


def test_descriptors_are_of_full_size_and_length_one(many: Chain) -> None:
    path = many.place / "results" / "descriptors" / "chair" / "chair_003.h5"
    maps = store.read(path, "descriptors")["descriptors"]
    assert maps.shape == (2, 60, 60, WIDTH)
    assert maps.dtype == np.float16
    lengths = np.linalg.norm(maps.astype(np.float64), axis=3)
    np.testing.assert_allclose(lengths, 1.0, atol=2e-3)


def test_images_with_too_few_keypoints_are_left_out_and_named(many: Chain) -> None:
    report = json.loads((many.place / "results" / "checks" / "chair.json").read_text())
    found = {finding["kind"]: finding for finding in report["findings"]}
    assert "error" not in {finding["level"] for finding in report["findings"]}
    assert [SCARCE in item for item in found["keypoint-outside-photo"]["items"]] == [True]
    assert found["few-visible-keypoints"]["items"] == [
        f"JPEGImages/chair/{UNSEEN}.jpg (0 visible keypoints)",
        f"JPEGImages/chair/{SCARCE}.jpg (3 visible keypoints)",
    ]
    assert "left out: " + UNSEEN in many.output
    assert f"no point fused: {SCARCE}" in many.output


def test_memory_does_not_grow_with_the_images(folder: Path, many: Chain) -> None:
    """Held for the 8 more images, features would take 416 MB and descriptor maps 88 MB."""
    few = run_chain(folder, "few")
    assert many.features < few.features + 100_000, "kB"
    assert many.dense < few.dense + 50_000, "kB"
