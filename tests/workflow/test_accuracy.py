"""The default demo, whole: its priors are as close to the truth as the README says."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runs import REPOSITORY, run

from demo.score_prior import PriorScore, score_prior
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
