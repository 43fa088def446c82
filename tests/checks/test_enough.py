"""What annotations alone tell about whether there can be a prior."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from synthetic_labels import NAMES, checked_images, labels, with_record

from semalign3d.checks.enough import judge_amount
from semalign3d.checks.labels import Labels
from semalign3d.checks.report import Finding

COUNTS = {"trn": 20, "val": 0, "test": 4}


def judge(of: Labels, counts: dict[str, int] = COUNTS, min_images: int = 4) -> dict[str, Finding]:
    return {found.kind: found for found in judge_amount(of, counts, min_images, None)}


def keep(choose: Callable[[int, np.ndarray], np.ndarray], count: int = 24) -> Labels:
    """Labels of which each image keeps the keypoints that are chosen by number and places."""
    images = []
    for number, image in enumerate(checked_images(count)):
        points = image.record.keypoints.copy()
        points[~choose(number, points)] = np.nan
        images.append(with_record(image, keypoints=points, labelled=points))
    return Labels.of(images, NAMES)


@pytest.mark.parametrize("count", [10, 24, 60])
def test_enough_is_passed_over(count: int) -> None:
    assert judge(labels(count)) == {}


def test_a_category_of_three_keypoints() -> None:
    of = labels(24)
    three = replace(of, points=of.points[:, :3], names=of.names[:3])
    [found] = judge(three).values()
    assert (found.level, found.kind) == ("error", "few-keypoints")
    assert found.text == "the category has 3 keypoints; a prior needs 4 or more"


def test_few_photos_are_a_warning_and_too_few_an_error() -> None:
    images = checked_images(6, training=1.0)
    few = judge(Labels.of(images, NAMES), {"trn": 6, "val": 0, "test": 2})
    assert few["few-photos"].level == "warning"
    assert few["few-photos"].text.startswith("6 training photos with 4 or more visible keypoints")
    none = judge(Labels.of(images[:3], NAMES), {"trn": 3, "val": 0, "test": 2})
    assert none["no-prior"].level == "error"
    assert none["no-prior"].text.startswith("no prior can be made: 3 of 3 training photos show 4")


def test_photos_that_each_show_three_keypoints() -> None:
    found = judge(keep(lambda number, p: np.cumsum(np.isfinite(p[:, 0])) <= 3))
    assert found["no-prior"].level == "error"
    assert "0 of 20 training photos" in found["no-prior"].text
    assert len(found["few-visible-keypoints"].items) == 20


def test_keypoints_that_are_never_seen_together() -> None:
    """Each photo shows five keypoints, and each of them often enough, but no four together."""
    chosen = np.random.default_rng(0)
    sets = [chosen.permutation(14)[:5] for _ in range(24)]
    scattered = keep(lambda number, p: np.isin(np.arange(14), sets[number]))
    assert judge(scattered)["no-prior"].level == "error"


def test_a_smaller_min_images_is_told_where_it_helps() -> None:
    images = checked_images(5, training=1.0)
    of = Labels.of(images, NAMES)
    found = judge(of, {"trn": 5, "val": 0, "test": 2}, min_images=6)
    assert found["no-prior"].level == "error"
    assert "relations.min_images: " in found["no-prior"].advice


def test_keypoints_without_a_place_are_named() -> None:
    seldom = keep(lambda number, p: (np.arange(14) != 5) | (number < 2))
    found = judge(seldom)["keypoint-without-place"]
    assert found.level == "note"
    assert found.items[0].startswith(f"5 {NAMES[5]} (")


def hide(share: float, count: int = 24) -> Labels:
    """Labels of which a share is marked as hidden, and left out."""
    images = []
    for number, image in enumerate(checked_images(count)):
        rng = np.random.default_rng(number)
        ids = np.flatnonzero(image.record.visible & (rng.uniform(size=14) < share))
        points = image.record.keypoints.copy()
        points[ids] = np.nan
        images.append(with_record(image, keypoints=points, hidden=tuple(map(int, ids))))
    return Labels.of(images, NAMES)


def test_all_keypoints_marked_as_hidden() -> None:
    [found] = judge(hide(1.0)).values()
    assert (found.level, found.kind) == ("error", "mostly-hidden")
    assert "labelled keypoints are marked as hidden (v = 1) and left out" in found.text
    assert "set dataset.hidden to true" in found.advice


def test_some_keypoints_marked_as_hidden_are_as_they_should_be() -> None:
    assert "mostly-hidden" not in judge(hide(0.3))
    assert judge(hide(0.6, 80))["mostly-hidden"].level == "warning"


def test_keypoints_on_one_line() -> None:
    line = labels(24, points=lambda p: np.stack([p[:, 0], 0.5 * p[:, 0] + 20.0], axis=1))
    assert judge(line)["keypoints-on-a-line"].level == "error"


def test_no_test_photos_are_worth_a_note() -> None:
    found = judge(labels(24), {"trn": 20, "val": 4, "test": 0})
    assert found["no-test-photos"].level == "note"
