"""The robustness harness: conditions are what they say, and the table tells what came out."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from demo import dataset
from demo.shapes import mean_parameters, random_instance
from semalign3d.errors import InputError
from studies.robustness import run as harness
from studies.robustness.cases import CASES, CLEAN, Conditions
from studies.robustness.degrade import DISPLACEMENT, mask_of_overlap, overlap, spoil_keypoints
from studies.robustness.measure import CATEGORIES, CONFIG
from studies.robustness.photos import ONE_SIDE, open_album
from studies.robustness.plot import draw
from studies.robustness.table import as_json, failure, markdown

SETTINGS = yaml.safe_load(CONFIG.read_text())
BARS = [("chair", 0.013, 0.023), ("aeroplane", 0.010, 0.014)]
"""Largest errors of keypoints and surface in the clean case."""


def blob() -> np.ndarray:
    """A disc with a thin leg."""
    y, x = np.mgrid[:120, :100]
    return np.asarray(((x - 50) ** 2 + (y - 45) ** 2 < 900) | ((abs(x - 50) < 3) & (y > 45)))


@pytest.mark.parametrize("seed", range(4))
def test_masks_reach_the_overlap(seed: int) -> None:
    mask = mask_of_overlap(blob(), 0.8, np.random.default_rng(seed))
    assert overlap(blob(), mask) == pytest.approx(0.8, abs=0.01)


def test_overlap_is_intersection_over_union() -> None:
    first, second = np.zeros((2, 4, 4), dtype=bool)
    first[:2], second[1:3] = True, True
    assert overlap(first, second) == pytest.approx(1 / 3)


def test_spoilt_keypoints() -> None:
    rng = np.random.default_rng(1)
    keypoints = rng.uniform(40.0, 60.0, size=(30, 10, 2))
    keypoints[rng.uniform(size=(30, 10)) < 0.3] = np.nan
    mirror = np.array([1, 0, 3, 2, 5, 4, 7, 6, 8, 9])
    boxes, sizes = np.tile([30, 20, 70, 80], (30, 1)), np.tile([100, 100], (30, 1))
    spoilt, bad = spoil_keypoints(keypoints, boxes, sizes, mirror, 0.1, rng)
    seen = np.isfinite(keypoints).all(axis=2)
    assert bad.sum() == pytest.approx(0.1 * seen.sum(), abs=2)
    assert np.isfinite(spoilt).all(axis=2).sum() == seen.sum()
    swapped = bad & (spoilt == keypoints[:, mirror]).all(axis=2)
    moved = bad & ~swapped
    assert swapped.sum() == pytest.approx(moved.sum(), abs=2)
    np.testing.assert_allclose(
        np.linalg.norm(spoilt[moved] - keypoints[moved], axis=1), DISPLACEMENT * 60.0
    )
    unnamed = ~np.isfinite(spoilt).all(axis=2)
    same = ~bad & ~unnamed
    np.testing.assert_array_equal(spoilt[same], keypoints[same])
    assert not bad[unnamed].any()


@pytest.mark.parametrize("category", CATEGORIES)
def test_spread_widens_the_same_objects(category: str) -> None:
    narrow, wide = (
        random_instance(category, np.random.default_rng(4), spread) for spread in (0.1, 0.3)
    )
    for name, mean in mean_parameters(category).items():
        change = wide.parameters[name] / mean - 1
        assert abs(change) <= 0.3
        assert change == pytest.approx(3 * (narrow.parameters[name] / mean - 1))


def test_depth_noise_is_a_share_of_the_objects_range() -> None:
    mask = blob()
    depth = np.where(mask, np.linspace(1.5, 2.5, 120)[:, None], 4.0)
    exact, noisy = (
        dataset.imitated_depth(depth, mask, np.random.default_rng(2), noise) for noise in (0, 0.05)
    )
    deviation = (noisy - exact).std() / np.ptp(exact[mask])
    assert deviation == pytest.approx(0.05, rel=0.25)


def test_one_sided_views_lie_within_a_range() -> None:
    first = dataset.viewpoint("chair", "chair_003", 0, (100.0, 100.0 + ONE_SIDE))[0]
    assert 100.0 <= first <= 100.0 + ONE_SIDE


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("photos")


def test_fewer_images_are_the_first_ones(folder: Path) -> None:
    two, three = (open_album("chair", 5, Conditions(images=n), folder) for n in (2, 3))
    assert two.stems == three.stems[:2]
    np.testing.assert_array_equal(two.photos[1].depth, three.photos[1].depth)
    assert not np.array_equal(two.truth["keypoints"], three.truth["keypoints"])


@pytest.mark.parametrize(("category", "sparse", "dense"), BARS)
def test_priors_are_as_true_as_promised(
    folder: Path, category: str, sparse: float, dense: float
) -> None:
    result = harness.run(category, 0, CLEAN, SETTINGS, folder)
    assert failure(result) == ""
    assert result.sparse is not None
    assert result.sparse <= sparse
    assert result.start is not None
    assert result.sparse <= 0.5 * result.start
    assert result.dense is not None
    assert result.dense <= dense


def test_too_few_images_are_refused_not_crashed(folder: Path) -> None:
    result = harness.run("chair", 5, Conditions(images=3), SETTINGS, folder)
    assert "keypoint" in result.refused
    assert not result.crashed
    assert failure(result) == "no prior"


def test_processes_give_the_same_results_in_order(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").symlink_to(folder)
    tasks = [("chair", 5, Conditions(images=n), SETTINGS, tmp_path) for n in (3, 2)]
    # Side by side first: the others come from the cache.
    side_by_side = list(harness.results(tasks, processes=2))
    assert side_by_side == list(harness.results(tasks))
    assert [bool(result.refused) for result in side_by_side] == [True, True]


def test_an_unhandled_error_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(harness, "make_prior", fail)
    result = harness.run("chair", 5, Conditions(images=3), SETTINGS, folder)
    assert result.crashed == "ZeroDivisionError: by zero"
    assert failure(result) == "unhandled error"


def test_results_are_kept_for_the_same_settings_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[str] = []

    def count(stage: str) -> Callable[..., None]:
        def refuse(*_: object) -> None:
            runs.append(stage)
            raise InputError("refused")

        return refuse

    monkeypatch.setattr(harness, "make_prior", count("made"))
    changed = {**SETTINGS, "dense": {**SETTINGS["dense"], "points": 10}}
    for settings in (SETTINGS, SETTINGS, changed):
        result = harness.cached_result("chair", 5, Conditions(images=2), settings, folder)
        assert result.refused == "refused"
    assert len(runs) == 2


def made_up_results() -> dict[Conditions, list[harness.Result]]:
    found: dict[Conditions, list[harness.Result]] = {}
    for case in CASES:
        found[case.conditions] = [
            harness.Result(category, seed, sparse=0.01 * (seed + 1), dense=0.02, start=0.03)
            for category in CATEGORIES
            for seed in range(3)
        ]
    clean = found[CLEAN]
    clean[0] = dataclasses.replace(clean[0], unused={"3": "unseen"})
    clean[4] = dataclasses.replace(clean[4], mirrored=True)
    return found


def test_table_and_plot_tell_medians_worst_and_failures() -> None:
    found = made_up_results()
    page = markdown(found, CATEGORIES, "make it", "plot.png")
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line[:1] == "|"}
    assert len(rows) == len(CASES) + 2
    clean = [cell.strip() for cell in rows["**clean**"].split("|")[2:-1]]
    assert clean[0] == "2.0 (3.0)"
    assert clean[1] == "2.0 (2.0)"
    assert clean[4:] == ["1", "0", "wrong handedness 1x"]
    assert "unseen" in page
    assert "before bundle refinement, in the clean case:\nchair 3.0 (3.0), aeroplane 3.0" in page
    assert rows["masks: IoU 0.8"].rstrip(" |").endswith("none")
    texts = [text.get_text() for axes in draw(found, CATEGORIES, 3).axes for text in axes.texts]
    assert texts.count("1 failed") == sum(case.conditions == CLEAN for case in CASES)
    stored = as_json(found, SETTINGS)["cases"]
    assert [case["conditions"]["images"] for case in stored[1:5]] == [8, 16, 24, 48]
