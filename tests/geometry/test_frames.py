"""Similarity transforms and the canonical frame."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semalign3d.geometry.frames import Similarity, canonical_frame, similarity_procrustes
from studies.shared.synthetic_views import mirror_table, random_rotation, symmetric_shape


def random_similarity(rng):
    return Similarity(float(np.exp(rng.normal())), random_rotation(rng), rng.normal(size=3))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_procrustes_finds_the_transform(seed):
    rng = np.random.default_rng(seed)
    points, truth = rng.normal(size=(5, 3)), random_similarity(rng)
    found = similarity_procrustes(points, truth.apply(points))
    assert found.scale == pytest.approx(truth.scale)
    assert np.allclose(found.rotation, truth.rotation)
    assert np.allclose(found.translation, truth.translation)
    assert np.allclose(found.inverse().apply(truth.apply(points)), points)


def test_procrustes_reflects_only_when_allowed():
    points = np.random.default_rng(0).normal(size=(8, 3))
    mirrored = points * [-1, 1, 1]
    proper = similarity_procrustes(points, mirrored)
    assert np.linalg.det(proper.rotation) == pytest.approx(1.0)
    assert np.abs(proper.apply(points) - mirrored).max() > 0.1
    free = similarity_procrustes(points, mirrored, allow_reflection=True)
    assert np.allclose(free.apply(points), mirrored)


def test_procrustes_leaves_out_points_of_no_weight():
    rng = np.random.default_rng(1)
    points, truth = rng.normal(size=(6, 3)), random_similarity(rng)
    target = truth.apply(points)
    target[0] += 10.0
    found = similarity_procrustes(points, target, np.array([0.0, 1, 2, 1, 1, 1]))
    assert np.allclose(found.apply(points[1:]), target[1:])


@pytest.mark.parametrize(
    ("source", "target", "weights", "name"),
    [
        (np.zeros((3, 3)), np.eye(3), None, "source"),
        (np.eye(3), np.zeros((3, 3)), None, "target"),
        (np.eye(3), np.eye(3), np.zeros(3), "weights"),
        (np.eye(3), np.full((3, 3), np.nan), None, "target"),
        (np.eye(3), np.eye(4, 3), None, "target"),
    ],
)
def test_procrustes_refuses(source, target, weights, name):
    with pytest.raises(ValueError, match=name):
        similarity_procrustes(source, target, weights)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 4))
def test_the_frame_does_not_depend_on_how_a_shape_lies(seed, pairs):
    rng = np.random.default_rng(seed)
    mirror = mirror_table(9, pairs)
    shape = symmetric_shape(mirror, rng) + 0.01 * rng.normal(size=(9, 3))
    used = rng.uniform(size=9) < 0.9
    used[[0, 1, 7, 8]] = True
    frame = canonical_frame(shape, used, mirror)
    moved = random_similarity(rng).apply(shape)
    moved[~used] = np.nan
    canonical = frame.apply(shape)
    assert np.linalg.det(frame.rotation) == pytest.approx(1.0)
    assert np.allclose(
        canonical_frame(moved, used, mirror).apply(moved)[used], canonical[used], atol=1e-6
    )
    size = np.ptp(canonical[used], axis=0)
    assert np.linalg.norm(size) == pytest.approx(1.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_the_mirror_plane_of_a_symmetric_shape_is_x_zero(seed):
    rng = np.random.default_rng(seed)
    mirror = mirror_table(9, 3)
    shape = random_similarity(rng).apply(symmetric_shape(mirror, rng))
    canonical = canonical_frame(shape, np.ones(9, dtype=bool), mirror).apply(shape)
    assert np.allclose(canonical[mirror], canonical * [-1.0, 1.0, 1.0], atol=1e-9)
    assert (canonical[[0, 2, 4], 0] > 0.0).all()
    low, high = canonical.min(axis=0), canonical.max(axis=0)
    assert np.allclose(low + high, 0.0, atol=1e-9)


def test_mirror_images_stay_mirror_images():
    rng = np.random.default_rng(4)
    mirror = mirror_table(9, 3)
    shape = symmetric_shape(mirror, rng)
    shape[6:] += rng.normal(size=(3, 3)) * [0.0, 0.1, 0.1]
    first = canonical_frame(shape, np.ones(9, dtype=bool), mirror).apply(shape)
    flipped = shape * [1.0, 1.0, -1.0]
    second = canonical_frame(flipped, np.ones(9, dtype=bool), mirror).apply(flipped)
    assert np.allclose(second, first * [1.0, 1.0, -1.0])
    assert np.abs(second - first).max() > 0.05


def test_sides_that_a_table_mixes_do_not_move_the_plane():
    # As a monitor's corners: ids run round, so pair (0, 2) is left-right and (4, 6) right-left.
    mirror = np.array([2, 1, 0, 3, 6, 5, 4])
    shape = np.array([[-1.0, 1, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, -1, 0], [0, -1, 0]])
    shape = np.vstack([shape, [[-1.0, -1, 0]]])
    canonical = canonical_frame(shape, np.ones(7, dtype=bool), mirror).apply(shape)
    assert np.allclose(canonical[mirror], canonical * [-1.0, 1.0, 1.0], atol=1e-9)
    assert canonical[0, 0] > 0.0
    assert canonical[4, 0] < 0.0


def test_frames_of_too_few_keypoints_are_refused():
    shape = np.random.default_rng(0).normal(size=(5, 3))
    used = np.array([True, True, False, False, False])
    with pytest.raises(ValueError, match="used: expected at least 3"):
        canonical_frame(shape, used, np.arange(5))
    with pytest.raises(ValueError, match="coincide"):
        canonical_frame(np.ones((5, 3)), np.ones(5, dtype=bool), np.arange(5))
    shape[0] = np.nan
    with pytest.raises(ValueError, match="xyz"):
        canonical_frame(shape, np.ones(5, dtype=bool), np.arange(5))
