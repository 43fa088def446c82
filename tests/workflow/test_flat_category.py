"""Keypoints in a plane, left and right as the viewer sees them: bottles, from photos to matches."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from runs import REPOSITORY, TINY_DEMO, run

from semalign3d.geometry.plane import plane_coordinates
from semalign3d.prior import Prior
from studies.shared.prior_score import score_prior

pytestmark = pytest.mark.workflow

CONFIG = {**TINY_DEMO, "demo": {**TINY_DEMO["demo"], "categories": ["bottle"]}}
FROM_FILES = ("--configfile", str(REPOSITORY / "config" / "demo-files.yaml"))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bottle")
    run(path, "results/matching/bottle.csv", config=CONFIG, options=FROM_FILES)
    return path / "results"


def test_a_flat_category_gets_a_surface_with_depth(results: Path) -> None:
    prior = Prior.load(results / "priors" / "bottle.h5")
    assert plane_coordinates(prior.sparse.xyz) is not None
    with np.load(results / "demo" / "truth" / "bottle.npz") as truth:
        found = score_prior(prior, dict(truth))
    assert found.unused == 0
    assert found.sparse < 0.025
    assert found.mirrored >= found.sparse - 1e-9
    # 100 points of 8 images: a surface in the keypoints' plane has an error of 0.11.
    assert found.dense < 0.085
    depth = np.ptp(prior.dense.xyz, axis=0)
    assert depth.min() > 3.0 * np.ptp(prior.sparse.xyz, axis=0).min()


def test_left_and_right_do_not_swap(results: Path) -> None:
    """Of a keypoint's match, its own place in the target is nearer than its partner's."""
    matches = pd.read_csv(results / "matching" / "bottle.csv")
    partner = matches.merge(
        matches.assign(keypoint=matches["keypoint"] ^ 1),
        on=["source", "target", "keypoint"],
        suffixes=("", "_partner"),
    )
    assert len(partner) == 20
    match = partner[["aligned_x", "aligned_y"]].to_numpy()
    own = np.linalg.norm(match - partner[["target_x", "target_y"]].to_numpy(), axis=1)
    other = partner[["target_x_partner", "target_y_partner"]].to_numpy()
    assert (own < np.linalg.norm(match - other, axis=1)).all()
    assert (partner["aligned_error"] <= 0.1).mean() > 0.9
