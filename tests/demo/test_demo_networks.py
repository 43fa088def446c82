"""The demo's two trained networks: published classes, size, and scores on held-out renders."""

import json
import math

import numpy as np
import pytest
import torch

from demo.training import score
from demo.training.render_training_set import CATEGORIES

COUNT = 4
"""Held-out renders a category that the tests look at."""


@pytest.fixture(scope="module")
def examples() -> list[score.Example]:
    return [score.held_out(name, index) for name in CATEGORIES for index in range(COUNT)]


def test_committed_networks_stay_small() -> None:
    files = [score.SAM_CHECKPOINT, *score.DEPTH_FOLDER.iterdir(), *score.NETWORKS.glob("*.pth")]
    assert sum(path.stat().st_size for path in set(files)) <= 12e6


def test_masks_of_held_out_renders(examples: list[score.Example]) -> None:
    predict = score.mask_predictor(score.SAM_CHECKPOINT)
    overlaps = [score.overlap(predict(example), example.mask) for example in examples]
    assert np.mean(overlaps) >= 0.87
    assert min(overlaps) >= 0.7


def test_depth_of_held_out_renders(examples: list[score.Example]) -> None:
    predict = score.depth_predictor(score.DEPTH_FOLDER)
    maps = [predict(example) for example in examples]
    for found, example in zip(maps, examples, strict=True):
        assert found.shape == example.mask.shape
        assert np.all(np.isfinite(found))
    rows = [score.depth_errors(m, e) for m, e in zip(maps, examples, strict=True)]
    assert np.mean([row["mean"] for row in rows]) <= 0.08
    assert np.mean([row["mean"] / row["constant_mean"] for row in rows]) <= 0.5
    assert np.mean([row["order"] for row in rows]) >= 0.7


def test_depth_is_loaded_by_the_published_classes() -> None:
    from transformers import AutoModelForDepthEstimation, DepthAnythingForDepthEstimation

    model, report = AutoModelForDepthEstimation.from_pretrained(
        score.DEPTH_FOLDER, dtype=torch.float32, output_loading_info=True
    )
    assert isinstance(model, DepthAnythingForDepthEstimation)
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_scores_file_holds_what_the_readme_says() -> None:
    scores = json.loads(score.SCORES.read_text())
    readme = (score.HERE / "README.md").read_text()
    assert scores["images"] >= 200
    assert f"{scores['sam_iou']['all']['mean']:.3f}" in readme
    assert f"{100 * scores['depth_error']['all']['mean']:.1f} %" in readme
    assert f"{100 * scores['depth_error']['all']['constant_mean']:.1f} %" in readme


def _example(inverse: np.ndarray) -> score.Example:
    mask = np.ones(inverse.shape, dtype=bool)
    return score.Example("chair", np.zeros((*inverse.shape, 3), np.uint8), inverse, mask, mask)


def test_errors_ignore_scale_and_shift() -> None:
    inverse = np.random.default_rng(0).uniform(0.3, 0.6, (20, 30))
    errors = score.depth_errors(7 * inverse - 2, _example(inverse))
    assert errors["mean"] == pytest.approx(0, abs=1e-9)
    assert errors["order"] == pytest.approx(1)


def test_a_constant_scores_the_constant_baseline() -> None:
    inverse = np.linspace(1.0, 2.0, 1001).reshape(1, -1)
    errors = score.depth_errors(np.ones_like(inverse), _example(inverse))
    assert errors["mean"] == pytest.approx(errors["constant_mean"]) == pytest.approx(0.25, abs=1e-3)
    assert errors["rms"] == pytest.approx(math.sqrt(1 / 12), abs=1e-3)


def test_overlap_counts_pixels() -> None:
    first, second = np.zeros((2, 4, 4), dtype=bool)
    first[:2], second[1:3] = True, True
    assert score.overlap(first, second) == pytest.approx(1 / 3)
