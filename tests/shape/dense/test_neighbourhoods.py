"""Groups of points, and the keypoints that their tetrahedra are sought between."""

import numpy as np

from semalign3d.shape.dense.neighbourhoods import NEAREST, NEIGHBOURHOOD, neighbourhoods
from semalign3d.shape.dense.warp import anchor_points, warp_weights
from studies.shared.synthetic_views import random_rotation


def cloud(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, size=(count, 3))


def test_few_keypoints_are_all_taken():
    points, keypoints = cloud(50), cloud(20, 1)
    shared = np.arange(3, 3 + NEIGHBOURHOOD)
    ((rows, ids),) = neighbourhoods(points, keypoints, shared)
    assert np.array_equal(rows, np.arange(50))
    assert np.array_equal(ids, shared)


def test_each_point_is_in_one_group_with_keypoints_near_and_far():
    points, keypoints = cloud(400), cloud(70, 1)
    keypoints[5] = np.nan
    shared = np.flatnonzero(np.isfinite(keypoints[:, 0]))
    groups = list(neighbourhoods(points, keypoints, shared))
    assert np.array_equal(np.sort(np.concatenate([rows for rows, _ in groups])), np.arange(400))
    for rows, ids in groups:
        assert len(np.unique(ids)) == NEIGHBOURHOOD
        assert set(ids) <= set(shared)
        centre = points[rows].mean(axis=0)
        assert np.linalg.norm(keypoints[ids] - centre, axis=1).max() > 1.0
        distance = np.linalg.norm(points[rows][:, None] - keypoints[shared], axis=2).min(axis=1)
        own = np.linalg.norm(points[rows][:, None] - keypoints[ids], axis=2).min(axis=1)
        assert np.median(own / distance) < 2.5
    assert NEAREST < NEIGHBOURHOOD


def test_a_similarity_carries_points_exactly_whatever_keypoints_are_chosen():
    rng = np.random.default_rng(3)
    points, keypoints = cloud(300), cloud(60, 1)
    rotation = random_rotation(rng)
    targets = 0.7 * keypoints @ rotation.T + [0.2, -0.1, 0.4]
    weights, inside = warp_weights(points, keypoints, targets)
    assert inside.mean() > 0.7
    expected = 0.7 * points @ rotation.T + [0.2, -0.1, 0.4]
    np.testing.assert_allclose((weights @ targets)[inside], expected[inside], atol=1e-9)


def test_anchored_points_lie_where_they_were():
    points, anchors = cloud(200), cloud(40, 1)
    places = anchor_points(points, anchors)
    np.testing.assert_allclose(places.follow(anchors), points, atol=1e-9)
    moved = anchors @ random_rotation(np.random.default_rng(0)).T
    expected = points @ random_rotation(np.random.default_rng(0)).T
    np.testing.assert_allclose(places.follow(moved), expected, atol=1e-9)
