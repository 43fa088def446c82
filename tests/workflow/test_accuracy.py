"""The default demo, whole: its priors are as close to the truth as the README says."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runs import REPOSITORY, run
from training import object_mask

from demo.dataset import DEPTH_NOISE
from demo.robustness.cases import Conditions
from demo.robustness.chain import make_prior
from demo.robustness.photos import open_album
from demo.robustness.run import poor_views
from demo.score_prior import PriorScore, score_prior
from semalign3d import store
from semalign3d.datasets import open_dataset
from semalign3d.prior.cameras import AnnotatedView
from semalign3d.prior.prior import Prior

pytestmark = pytest.mark.workflow

CATEGORIES = ("chair", "aeroplane")
NETWORK_BARS = {"chair": 0.06, "aeroplane": 0.04}
"""Sparse errors through the demo's own networks; the README tells the figures and why."""


def score(folder: Path, category: str) -> PriorScore:
    with np.load(folder / "results" / "demo" / "truth" / f"{category}.npz") as truth:
        return score_prior(
            Prior.load(folder / "results" / "priors" / f"{category}.h5"), dict(truth)
        )


def pictures() -> list[str]:
    return [f"results/figures/{category}/prior.png" for category in CATEGORIES]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo")
    run(path, *pictures())
    return path


@pytest.mark.parametrize("category", CATEGORIES)
def test_default_demo(folder: Path, category: str) -> None:
    found = score(folder, category)
    assert found.sparse <= 0.025
    assert found.dense <= 0.035
    assert found.mirrored >= found.sparse - 1e-9
    assert found.unused == 0


@pytest.mark.parametrize("category", CATEGORIES)
def test_the_picture_shows_something(folder: Path, category: str) -> None:
    picture = np.asarray(Image.open(folder / "results" / "figures" / category / "prior.png"))
    assert min(picture.shape[:2]) > 500
    assert 0.01 < np.mean(picture[..., :3].min(axis=2) < 200) < 0.6


def test_objects_stand_upright(folder: Path) -> None:
    """Chairs: feet (4 to 7) below the seat (0 to 3), that below the backrest's corners (8, 9)."""
    height = Prior.load(folder / "results" / "priors" / "chair.h5").sparse.xyz[:, 1]
    assert height[4:8].max() < height[0:4].min()
    assert height[0:4].max() < height[8:10].min()


@pytest.mark.parametrize("category", CATEGORIES)
def test_robustness_harness_makes_the_pipelines_prior(folder: Path, category: str) -> None:
    """From the pipeline's masks and depth, the chain of library calls gives the same numbers."""
    prior = Prior.load(folder / "results" / "priors" / f"{category}.h5")
    views = pipeline_views(folder, category, prior.settings["masks"]["candidate"])
    found = make_prior(category, views, prior.mirror, prior.settings, prior.seed).prior
    for part, name in (("sparse", "xyz"), ("sparse", "used"), ("dense", "xyz")):
        of_pipeline, of_harness = (getattr(getattr(p, part), name) for p in (prior, found))
        np.testing.assert_allclose(of_harness, of_pipeline, rtol=0, atol=1e-6)


def test_robustness_harness_photographs_the_demos_objects(folder: Path, tmp_path: Path) -> None:
    conditions = Conditions(images=2, depth_noise=DEPTH_NOISE)
    album = open_album("chair", 0, conditions, tmp_path)
    dataset = open_dataset("demo", folder / "results" / "demo")
    views, _ = poor_views("chair", 0, conditions, album, dataset.mirror("chair"))
    for view in views:
        record = dataset.record("chair", view.stem, "trn")
        np.testing.assert_array_equal(view.keypoints, record.keypoints)
        mask = Image.open(folder / "results" / "demo" / "masks" / "chair" / f"{view.stem}.png")
        np.testing.assert_array_equal(view.mask, np.asarray(mask) > 0)
        path = folder / "results" / "demo" / "depth" / "chair" / f"{view.stem}_depth.npy"
        np.testing.assert_array_equal(view.inverse_depth, np.load(path))


def pipeline_views(folder: Path, category: str, candidate: str) -> list[AnnotatedView]:
    """The training images with the masks and depth maps that the pipeline computed."""
    results, views = folder / "results", []
    dataset = open_dataset("demo", results / "demo")
    for stem in dataset.splits(category)["trn"]:
        record = dataset.record(category, stem, "trn")
        mask = object_mask(str(results / "masks" / category / f"{stem}.h5"), candidate)
        depth = store.read(results / "depth" / category / f"{stem}.h5", "depth")["depth"]
        views.append(
            AnnotatedView(stem, (record.width, record.height), record.keypoints, mask, depth)
        )
    return views


def test_demo_through_both_networks(folder: Path) -> None:
    """Runs last: it makes the folder's priors anew."""
    options = ("--configfile", str(REPOSITORY / "config" / "demo-networks.yaml"))
    done = run(folder, *pictures(), options=options)
    assert done.computed["depth"] == (48, 48)
    assert "masks" not in done.ran
    for category, bar in NETWORK_BARS.items():
        found = score(folder, category)
        assert found.sparse <= bar, category
        assert found.mirrored >= found.sparse - 1e-9
