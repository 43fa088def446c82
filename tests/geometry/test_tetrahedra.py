"""Barycentric coordinates, and points carried by tetrahedra."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import Delaunay

from semalign3d.geometry.tetrahedra import all_tetrahedra, relative_volumes, tetrahedra_of
from semalign3d.shape.dense.warp import anchor_points, warp_weights
from studies.shared.synthetic_views import random_rotation

REGULAR = np.array([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_coordinates_give_the_point_back(seed):
    rng = np.random.default_rng(seed)
    corners, points = rng.normal(size=(7, 3)), rng.normal(size=(10, 3))
    tetrahedra, _ = tetrahedra_of(corners, all_tetrahedra(7))
    found = tetrahedra.coordinates(points)
    assert np.allclose(found.sum(axis=0), 1.0)
    back = np.einsum("cnt,tcd->ntd", found, corners[tetrahedra.corners])
    assert np.allclose(back, points[:, None], atol=1e-7)


def test_corners_and_centroid_have_known_coordinates():
    tetrahedra, _ = tetrahedra_of(REGULAR, np.arange(4)[None])
    points = np.vstack([REGULAR, REGULAR.mean(axis=0)])
    expected = np.vstack([np.eye(4), np.full(4, 0.25)])
    assert np.allclose(tetrahedra.coordinates(points)[:, :, 0].T, expected)


def test_flat_tetrahedra_are_dropped_whatever_their_size():
    flat = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1e-4]])
    for scale in (1e-6, 1.0, 1e6):
        assert relative_volumes(scale * REGULAR, np.arange(4)[None]) == pytest.approx(1.0)
        kept, solid = tetrahedra_of(scale * flat, np.arange(4)[None], flat=0.01)
        assert len(kept) == 0
        assert not solid.any()
    assert relative_volumes(np.zeros((4, 3)), np.arange(4)[None]) == 0.0


def cloud(seed=0, keypoints=9, count=400):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(keypoints, 3)), 0.9 * rng.normal(size=(count, 3))


def test_affine_maps_are_followed_exactly():
    keypoints, points = cloud()
    change = np.array([[1.1, 0.2, 0.0], [0.0, 0.8, 0.1], [0.0, 0.0, 1.3]])
    weights, inside = warp_weights(points, keypoints, keypoints @ change)
    assert 0.2 < inside.mean() < 1.0
    assert np.allclose(weights[inside].sum(axis=1), 1.0)
    assert np.allclose(weights[inside] @ keypoints @ change, points[inside] @ change)
    assert not weights[~inside].any()


def test_points_inside_are_those_in_the_hull():
    keypoints, points = cloud(1)
    _, inside = warp_weights(points, keypoints, keypoints, tolerance=0.0, flat=0.0)
    assert np.array_equal(inside, Delaunay(keypoints).find_simplex(points) >= 0)
    _, wider = warp_weights(points, keypoints, keypoints, tolerance=0.1, flat=0.0)
    assert wider.sum() > inside.sum()
    assert wider[inside].all()


def test_weights_are_those_of_the_method():
    keypoints, points = cloud(2, keypoints=6, count=20)
    target = cloud(3, keypoints=6)[0]
    weights, inside = warp_weights(points, keypoints, target, tolerance=0.1, flat=0.0)
    for point, row in zip(points[inside], weights[inside], strict=True):
        images, shares = [], []
        for corners in all_tetrahedra(6):
            matrix = np.vstack([keypoints[corners].T, np.ones(4)])
            coordinates = np.linalg.solve(matrix, [*point, 1.0])
            if coordinates.min() >= -0.1:
                images.append(coordinates @ target[corners])
                shares.append(1.0 / np.linalg.norm(point - keypoints[corners].mean(axis=0)))
        assert np.allclose(row @ target, np.average(images, axis=0, weights=shares))


def test_chunks_do_not_change_the_result(monkeypatch):
    keypoints, points = cloud(4)
    whole = warp_weights(points, keypoints, keypoints)
    monkeypatch.setattr("semalign3d.shape.dense.warp._CHUNK_VALUES", 4 * len(points) * 3)
    parts = warp_weights(points, keypoints, keypoints)
    assert np.array_equal(whole[1], parts[1])
    assert np.allclose(whole[0], parts[0], atol=1e-12)


def test_unseen_and_unused_keypoints_take_no_part():
    keypoints, points = cloud(5)
    target = keypoints.copy()
    keypoints[1], target[2] = np.nan, np.nan
    weights, inside = warp_weights(points, keypoints, target)
    assert inside.any()
    assert not weights[:, [1, 2]].any()
    _, none = warp_weights(points, keypoints[:3], target[:3])
    assert not none.any()


def test_a_flat_view_or_a_flat_prior_carries_no_point():
    keypoints, points = cloud(6)
    flat = keypoints * [1.0, 1.0, 0.0]
    for first, second in ((keypoints, flat), (flat, keypoints)):
        _, inside = warp_weights(points, first, second)
        assert not inside.any()


def test_points_that_are_not_finite_are_refused():
    keypoints, points = cloud()
    points[0, 0] = np.nan
    with pytest.raises(ValueError, match="points"):
        warp_weights(points, keypoints, keypoints)


def test_anchored_points_follow_the_anchors():
    anchors, points = cloud(7)
    anchors[3] = np.nan
    places = anchor_points(points, anchors, most=5)
    assert places.tetrahedra.shape == (400, 5, 4)
    assert 3 not in places.tetrahedra
    assert np.allclose(places.weights.sum(axis=1), 1.0)
    assert np.allclose(places.follow(anchors), points)
    turn = random_rotation(np.random.default_rng(0))
    assert np.allclose(places.follow(2.0 * anchors @ turn + 1.0), 2.0 * points @ turn + 1.0)


def test_fewer_tetrahedra_than_places_leave_places_of_no_weight():
    places = anchor_points(REGULAR * 0.1, REGULAR, most=3)
    assert np.allclose(places.weights, [[1.0, 0.0, 0.0]] * 4)
    with pytest.raises(ValueError, match="on one line"):
        anchor_points(REGULAR, REGULAR * [1.0, 0.0, 0.0])
    with pytest.raises(ValueError, match="not flat"):
        anchor_points(REGULAR, REGULAR, flat=1.1)
