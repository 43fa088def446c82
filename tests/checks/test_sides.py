"""Left and right the wrong way round are told by the layout of other photos."""

import json
from pathlib import Path

import numpy as np
import pytest
from synthetic_labels import MIRROR, NAMES, checked_images, keypoints, with_record

from semalign3d.checks.labels import Labels
from semalign3d.checks.layouts import judge_views
from semalign3d.checks.sides import judge_sides, swapped_sides
from semalign3d.datasets.mirror_tables import SPAIR, mirror_permutation

DEMO = json.loads((Path(__file__).parents[1] / "data" / "demo-labels.json").read_text())
"""Annotations of the demo's 40 chairs and 40 aeroplanes."""


def demo(category: str) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (40, K, 2) and mirror table of a demo category."""
    absent = [np.nan, np.nan]
    points = [[place or absent for place in image["keypoints"]] for image in DEMO[category]]
    table = mirror_permutation(SPAIR[category])
    return np.array(points, dtype=float)[:, : len(table)], table


def test_the_demo_is_passed_over_and_most_swapped_photos_are_found() -> None:
    for category, share in (("chair", 0.7), ("aeroplane", 0.85)):
        points, table = demo(category)
        assert not swapped_sides(points, table)[0].any()
        found, alarms = 0, 0
        for number in range(len(points)):
            changed = points.copy()
            changed[number] = changed[number][table]
            wrong = swapped_sides(changed, table)[0]
            found += wrong[number]
            alarms += wrong.sum() - wrong[number]
        assert found >= share * len(points), category
        assert alarms <= 2, category


@pytest.mark.parametrize("count", [10, 14, 24, 60])
def test_no_false_alarm_on_right_labels(count: int) -> None:
    for seed in range(5):
        wrong, _, _ = swapped_sides(np.array(keypoints(count, seed)), MIRROR)
        assert not wrong.any(), seed


def test_several_swapped_photos_are_named_with_numbers() -> None:
    images = checked_images(24)
    for number in (3, 11, 20):
        points = images[number].record.keypoints[MIRROR]
        images[number] = with_record(images[number], keypoints=points, labelled=points)
    [found] = judge_sides(Labels.of(images, NAMES), MIRROR)
    assert (found.level, found.kind) == ("warning", "sides-swapped")
    assert found.text.startswith("3 of 24 photos: left and right look annotated the wrong way")
    assert [item.split()[0] for item in found.items] == ["003.jpg", "011.jpg", "020.jpg"]
    assert "agreement" in found.items[0]


def test_photos_that_are_moved_turned_or_larger_are_no_matter() -> None:
    points = np.array(keypoints(24))
    turn = np.array([[np.cos(0.2), np.sin(0.2)], [-np.sin(0.2), np.cos(0.2)]])
    points[::2] = 3.0 * points[::2] @ turn + 100.0
    assert not swapped_sides(points, MIRROR)[0].any()
    points[7] = points[7][MIRROR]
    assert np.flatnonzero(swapped_sides(points, MIRROR)[0]).tolist() == [7]


def test_layouts_that_have_nothing_in_common_say_nothing() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        points = rng.uniform(0, 50, (24, len(MIRROR), 2))
        points[rng.uniform(size=points.shape[:2]) < 0.3] = np.nan
        assert not swapped_sides(points, MIRROR)[0].any()


def test_nothing_is_said_without_mirror_pairs_or_with_few_photos() -> None:
    images = checked_images(24)
    points = images[3].record.keypoints[MIRROR]
    images[3] = with_record(images[3], keypoints=points, labelled=points)
    labels = Labels.of(images, NAMES)
    assert judge_sides(labels, None) == []
    assert judge_sides(labels, np.arange(len(MIRROR))) == []
    assert judge_sides(Labels.of(images[:6], NAMES), MIRROR) == []
    assert judge_sides(Labels.of([], NAMES), MIRROR) == []


def test_photos_from_one_side_are_worth_a_note() -> None:
    assert judge_views(Labels.of(checked_images(24), NAMES)) == []
    rng = np.random.default_rng(0)
    images = [
        with_record(image, keypoints=places, labelled=places)
        for image in checked_images(24)
        for places in [100.0 * FRONT + rng.normal(0, 3, FRONT.shape)]
    ]
    [found] = judge_views(Labels.of(images, NAMES))
    assert (found.level, found.kind) == ("note", "one-side")
    assert judge_views(Labels.of(images[:5], NAMES)) == []


FRONT = np.array([[x, y] for x in (1.0, 1.5, 2.2, 3.0) for y in (0.3, 1.1, 2.0, 3.1)])[:14]
"""Keypoints of one view."""
