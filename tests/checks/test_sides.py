"""Left and right the wrong way round are told by the other photos."""

import json
from pathlib import Path

import numpy as np
import pytest
from synthetic_labels import MIRROR, NAMES, SHAPE, checked_images, keypoints, with_record

from semalign3d.checks.factorisation import MIRRORED, SWAPPED, factorise, pair_gains
from semalign3d.checks.labels import Labels
from semalign3d.checks.layouts import judge_views, similarity
from semalign3d.checks.sides import PAIR_GAIN, POOR_FIT, judge_sides, swapped_sides
from semalign3d.datasets.mirror_tables import SPAIR, mirror_permutation

DEMO = json.loads((Path(__file__).parents[1] / "data" / "demo-labels.json").read_text())
"""Annotations of the demo's 40 chairs and 40 aeroplanes."""


def demo(category: str, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (count, K, 2) and mirror table of a demo category."""
    absent = [np.nan, np.nan]
    points = [[place or absent for place in image["keypoints"]] for image in DEMO[category]]
    table = mirror_permutation(SPAIR[category])
    return np.array(points, dtype=float)[:count, : len(table)], table


@pytest.mark.parametrize(
    ("category", "count", "share"),
    [("chair", 14, 0.75), ("chair", 40, 0.75), ("aeroplane", 14, 0.9), ("aeroplane", 40, 0.9)],
)
def test_the_demo_is_passed_over_and_most_swapped_photos_are_found(
    category: str, count: int, share: float
) -> None:
    points, table = demo(category, count)
    assert not swapped_sides(factorise(points, table), table)[0].any()
    found, alarms = 0, 0
    tried = range(0, count, 1 if count < 20 else 4)
    for number in tried:
        changed = points.copy()
        changed[number] = changed[number][table]
        wrong, evidence = swapped_sides(factorise(changed, table), table)
        found += wrong[number]
        alarms += wrong.sum() - wrong[number]
        assert (evidence[wrong] > 1.0).all()
    assert found >= share * len(tried)
    assert alarms <= 1


@pytest.mark.parametrize("count", [10, 14, 24, 60])
def test_no_false_alarm_on_right_labels(count: int) -> None:
    for seed in range(5):
        wrong, _ = swapped_sides(factorise(np.array(keypoints(count, seed)), MIRROR), MIRROR)
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
    assert "log evidence" in found.items[0]


def test_photos_that_are_moved_turned_or_larger_are_no_matter() -> None:
    points = np.array(keypoints(24))
    turn = np.array([[np.cos(0.2), np.sin(0.2)], [-np.sin(0.2), np.cos(0.2)]])
    points[::2] = 3.0 * points[::2] @ turn + 100.0
    assert not swapped_sides(factorise(points, MIRROR), MIRROR)[0].any()
    points[7] = points[7][MIRROR]
    assert np.flatnonzero(swapped_sides(factorise(points, MIRROR), MIRROR)[0]).tolist() == [7]


def test_keypoints_of_no_common_shape_say_nothing() -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        points = rng.uniform(0, 50, (24, len(MIRROR), 2))
        points[rng.uniform(size=points.shape[:2]) < 0.3] = np.nan
        assert factorise(points, MIRROR).residual > POOR_FIT


def test_one_swapped_pair_is_named() -> None:
    images = checked_images(24)
    both = np.isfinite(images[9].record.keypoints[[0, 6]]).all()
    pair = [0, 6] if both else [4, 10]
    points = images[9].record.keypoints.copy()
    points[pair] = points[pair[::-1]]
    images[9] = with_record(images[9], keypoints=points, labelled=points)
    [found] = judge_sides(Labels.of(images, NAMES), MIRROR)
    assert (found.level, found.kind) == ("warning", "pair-swapped")
    names = ", ".join(f"{number} {NAMES[number]}" for number in pair)
    assert found.items == (f"009.jpg ({names})",)


@pytest.mark.parametrize(("category", "share"), [("chair", 0.9), ("aeroplane", 0.7)])
def test_swapped_pairs_of_the_demo_are_found(category: str, share: float) -> None:
    points, table = demo(category)
    right = pair_gains(factorise(points, table), table)[1]
    assert right.max() < PAIR_GAIN / 2
    rng = np.random.default_rng(0)
    found, tried = 0, 0
    for number in range(0, 40, 3):
        seen = np.isfinite(points[number, :, 0])
        both = [(a, b) for a, b in enumerate(table) if a < b and seen[a] and seen[b]]
        if not both:
            continue
        a, b = both[rng.integers(len(both))]
        changed = points.copy()
        changed[number, [a, b]] = changed[number, [b, a]]
        pairs, gains = pair_gains(factorise(changed, table), table)
        wrong = np.argwhere(gains > PAIR_GAIN)
        tried += 1
        found += any(n == number and pairs[p].tolist() == [a, b] for n, p in wrong)
        assert set(wrong[:, 0]) <= {number}
    assert found >= share * tried


def test_parts_that_swing_are_no_swapped_pairs() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        points = np.array(keypoints(24, seed))
        swing = rng.normal(0, 60, (24, 2))
        points[:, 0] += swing
        points[:, 6] -= swing
        assert pair_gains(factorise(points, MIRROR), MIRROR)[1].max() < PAIR_GAIN


def test_nothing_is_said_without_mirror_pairs_or_with_few_photos() -> None:
    images = checked_images(24)
    points = images[3].record.keypoints[MIRROR]
    images[3] = with_record(images[3], keypoints=points, labelled=points)
    labels = Labels.of(images, NAMES)
    assert judge_sides(labels, None) == []
    assert judge_sides(labels, np.arange(len(MIRROR))) == []
    assert judge_sides(Labels.of(images[:6], NAMES), MIRROR) == []
    assert judge_sides(Labels.of([], NAMES), MIRROR) == []


def orthographic(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints without noise or perspective, and the directions that they are seen from."""
    rng = np.random.default_rng(0)
    turns, _ = np.linalg.qr(rng.normal(size=(count, 3, 3)))
    turns *= np.linalg.det(turns)[:, None, None]
    return np.einsum("nca,ka->nkc", 90.0 * turns[:, :2], SHAPE) + 200.0, turns[:, 2]


def test_directions_are_those_of_the_cameras() -> None:
    """Up to what no photo without perspective can tell: the frame's turn about x, and all signs."""
    points, truth = orthographic(30)
    found = factorise(points, MIRROR)
    assert found.residual < 0.01
    np.testing.assert_allclose(np.abs(found.direction[:, 0]), np.abs(truth[:, 0]), atol=0.02)
    across = np.einsum("ia,ja->ij", found.direction[:, 1:], found.direction[:, 1:])
    wanted = np.einsum("ia,ja->ij", truth[:, 1:], truth[:, 1:])
    np.testing.assert_allclose(across, wanted, atol=0.05)


def test_what_swapping_and_mirroring_do_to_a_direction() -> None:
    points, _ = orthographic(30)
    direction = factorise(points, MIRROR).direction
    both = np.concatenate([points, points[:5][:, MIRROR], points[:5][:, MIRROR] * (-1, 1)])
    found = factorise(both, MIRROR).direction
    frame, *_ = np.linalg.lstsq(direction, found[:30], rcond=None)
    np.testing.assert_allclose(found[30:35], found[:5] * SWAPPED, atol=0.02)
    np.testing.assert_allclose(found[35:], found[:5] * MIRRORED, atol=0.02)
    np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=0.05)


def test_photos_from_one_side_are_worth_a_note() -> None:
    assert judge_views(Labels.of(checked_images(24), NAMES)) == []
    rng = np.random.default_rng(0)
    front = rng.uniform(0, 3, (14, 2))
    images = [
        with_record(image, keypoints=places, labelled=places)
        for image in checked_images(24)
        for places in [100.0 * front + rng.normal(0, 3, front.shape)]
    ]
    [found] = judge_views(Labels.of(images, NAMES))
    assert (found.level, found.kind) == ("note", "one-side")
    assert judge_views(Labels.of(images[:5], NAMES)) == []


def test_similarity_is_the_correlation_of_common_keypoints() -> None:
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 100, (4, 9, 2))
    turn = np.array([[0.6, 0.8], [-0.8, 0.6]])
    points[1] = 2.0 * points[0] @ turn + 50.0
    points[1, 2:5] = np.nan
    points[3, 3:] = np.nan
    found = similarity(points)
    assert found[0, 1] == pytest.approx(1.0)
    a, b = (p[:, 0] + 1j * p[:, 1] for p in (points[0], points[2]))
    wanted = np.abs(np.vdot(a - a.mean(), b - b.mean())) / np.sqrt(9 * a.var() * 9 * b.var())
    assert found[0, 2] == found[2, 0] == pytest.approx(wanted)
    assert np.isnan(found[0, 3])
