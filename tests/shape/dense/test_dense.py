"""Attention and dense fusion."""

from dataclasses import fields

import numpy as np
import pytest
from scipy.spatial import cKDTree
from torch_devices import DEVICES

from semalign3d.errors import InputError
from semalign3d.shape.dense.fusion import (
    ViewPoints,
    evenly,
    fuse_points,
    points_per_view,
    silent_because,
)
from semalign3d.shape.dense.prior import DensePrior, dense_prior, nearest_members
from semalign3d.shape.sparse.attention import Cosines, MeanDescriptors, keypoint_attention
from studies.shared.synthetic_views import mirror_table, random_rotation, symmetric_shape

CHANNELS = 16


def test_nearest_members_of_each_cluster():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [9, 0, 0], [9.5, 0, 0]])
    labels = np.array([0, 0, 0, 1, 1])
    centres = np.array([[1.9, 0, 0], [9.0, 0, 0]])
    assert nearest_members(points, centres, labels, 1).tolist() == [False, False, True, True, False]
    assert nearest_members(points, centres, labels, 9).all()


def test_attention_in_parts_is_that_of_the_whole():
    rng = np.random.default_rng(7)
    groups = rng.integers(0, 4, size=90)
    descriptors = rng.normal(size=(90, CHANNELS)) + 2.0
    means = MeanDescriptors(5)
    for part in np.array_split(np.arange(90), 7):
        means.add(groups[part], descriptors[part])
    cosines = Cosines(means.result())
    for part in np.array_split(np.arange(90), 7):
        cosines.add(groups[part], descriptors[part])
    found = cosines.result()
    unit = descriptors / np.linalg.norm(descriptors, axis=1, keepdims=True)
    for group in range(4):
        members = unit[groups == group]
        mean = members.mean(axis=0) / np.linalg.norm(members.mean(axis=0))
        assert np.allclose(found.descriptors[group], mean, atol=1e-6)
        assert found.mean[group] == pytest.approx((members @ mean).mean(), abs=1e-6)
        assert found.variance[group] == pytest.approx((members @ mean).var(), abs=1e-6)
    assert found.counts.tolist() == [*np.bincount(groups), 0]
    assert np.isnan(found.mean[4])
    assert not found.descriptors[4].any()


def test_keypoint_attention_leaves_out_unseen_keypoints():
    rng = np.random.default_rng(8)
    descriptors = rng.normal(size=(6, 3, CHANNELS)).astype(np.float32)
    descriptors[:4, 1] = np.nan
    descriptors[:, 2] = np.nan
    found = keypoint_attention(descriptors)
    assert found.counts.tolist() == [6, 2, 0]
    seen = descriptors[4:, 1] / np.linalg.norm(descriptors[4:, 1], axis=1, keepdims=True)
    assert np.allclose(found.descriptors[1] * np.linalg.norm(seen.sum(0)), seen.sum(0), atol=1e-5)
    with pytest.raises(ValueError, match="descriptors"):
        MeanDescriptors(2).add(np.array([0]), np.full((1, 4), np.nan))


def scene(images=6, seed=0, points=800):
    """Keypoints, views of them turned and scaled at random, and a ball of surface points."""
    rng = np.random.default_rng(seed)
    mirror = mirror_table(9, 4)
    shape = symmetric_shape(mirror, rng)
    centre = shape.mean(axis=0) * [0.0, 1.0, 1.0]
    ball = rng.normal(size=(points, 3))
    ball = centre + 0.1 * ball / np.linalg.norm(ball, axis=1, keepdims=True)
    views = []
    for _ in range(images):
        turn, scale = random_rotation(rng), rng.uniform(0.5, 2.0)
        away = [0.0, 0.0, 20.0]
        views.append(ViewPoints(scale * ball @ turn.T + away, scale * shape @ turn.T + away))
    return shape, mirror, views, ball


def meaning(ball):
    """Descriptors (2, n, C) that tell where a point lies; the mirrored ones of the mirror image."""
    code = np.random.default_rng(0).normal(size=(3, CHANNELS))
    sides = np.stack([ball, ball * [-1.0, 1.0, 1.0]])
    return np.cos(6.0 * sides @ code) + 0.1


def dense_of(views, shape, mirror, ball, **options):
    attention = keypoint_attention(np.ones((3, 9, CHANNELS), dtype=np.float32))
    fused = fuse_points(views, shape, mirror)
    rng = np.random.default_rng(0)
    return dense_prior(fused, lambda image: meaning(ball), shape, attention, rng, **options)


def test_points_of_turned_views_meet_on_the_shape():
    shape, mirror, views, ball = scene()
    fused = fuse_points(views, shape, mirror)
    truth = np.where(fused.side[:, None] == 0, ball[fused.row], ball[fused.row] * [-1.0, 1.0, 1.0])
    assert np.allclose(fused.xyz, truth, atol=1e-9)
    assert np.array_equal(np.unique(fused.image), np.arange(6))
    assert len(fused) > 0.7 * 2 * 6 * len(ball)
    assert np.allclose(np.linalg.norm(fused.normals, axis=1), 1.0)
    some = fuse_points(views, shape, mirror, per_view=100)
    assert 0.5 * 1200 < len(some) <= 1200


def test_the_dense_prior_lies_on_the_surface_and_knows_its_descriptors():
    shape, mirror, views, ball = scene()
    dense = dense_of(iter(views), shape, mirror, ball, points=150)
    own = dense.keypoint < 0
    assert own.sum() == 150
    assert np.array_equal(dense.keypoint[~own], np.arange(9))
    distance = np.linalg.norm(dense.xyz[own] - ball.mean(axis=0), axis=1)
    assert np.abs(distance / 0.1 - 1.0).mean() < 0.1
    assert dense.weights[own].sum() == pytest.approx(1.0)
    assert np.allclose(dense.weights[~own], 1.0)
    assert (dense.attention_mean[own] > 0.9).all()
    assert (dense.attention_variance >= 0.0).all()
    assert np.allclose(np.linalg.norm(dense.descriptors.astype(float), axis=1), 1.0, atol=1e-2)
    nearest = cKDTree(ball).query(dense.xyz[own])[1]
    expected = meaning(ball)[0][nearest]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.median((expected * dense.descriptors[own]).sum(axis=1)) > 0.95
    assert np.allclose(dense.anchoring.follow(shape), dense.xyz)
    moved = shape @ random_rotation(np.random.default_rng(1)) * 2.0
    assert np.allclose(dense.anchoring.follow(moved)[~own], moved)


def noisy(view):
    """A view whose points lie near the surface, each away from others: no neighbours tie."""
    noise = 0.002 * np.random.default_rng(5).normal(size=view.xyz.shape)
    return ViewPoints(view.xyz + noise, view.keypoints)


@pytest.mark.parametrize("device", DEVICES)
def test_the_dense_prior_on_a_device_is_that_of_numpy(device):
    shape, mirror, views, ball = scene(images=4, points=500)
    views = [noisy(view) for view in views]
    attention = keypoint_attention(np.ones((3, 9, CHANNELS), dtype=np.float32))
    here, there = (
        dense_prior(
            fuse_points(views, shape, mirror, device=where),
            lambda image: meaning(ball),
            shape,
            attention,
            np.random.default_rng(0),
            points=100,
            device=where,
        )
        for where in (None, device)
    )
    for field in fields(DensePrior):
        expected, found = getattr(here, field.name), getattr(there, field.name)
        if expected is None:
            assert found is None
            continue
        assert isinstance(found, np.ndarray)
        assert found.dtype == expected.dtype
        assert np.allclose(found, expected, atol=1e-3 if found.dtype == np.float16 else 1e-6), field


def test_a_point_takes_its_nearest_points_only():
    shape, mirror, views, ball = scene()
    dense = dense_of(views, shape, mirror, ball, points=20, nearest=7)
    assert (dense.counts[dense.keypoint < 0] == 7).all()


def test_the_order_of_the_images_does_not_matter():
    shape, mirror, views, ball = scene()
    one = dense_of(views, shape, mirror, ball, points=100)
    other = dense_of(views[::-1], shape, mirror, ball, points=100)
    assert np.array_equal(one.xyz, other.xyz)
    assert np.allclose(one.attention_mean, other.attention_mean)


def test_views_with_few_keypoints_and_unused_keypoints():
    shape, mirror, views, ball = scene()
    few = views[0].keypoints.copy()
    few[3:] = np.nan
    reduced = np.where(np.arange(9)[:, None] != 8, shape, np.nan)
    silent = ViewPoints(views[0].xyz, few)
    empty = ViewPoints(np.zeros((0, 3)), views[0].keypoints)
    fused = fuse_points([silent, *views[1:], empty], reduced, mirror)
    assert np.array_equal(np.unique(fused.image), np.arange(1, 6))
    assert np.isfinite(fused.xyz).all()
    assert "shares 3 keypoints" in silent_because(few, reduced)
    assert "dense.flat" in silent_because(views[0].keypoints, reduced)
    with pytest.raises(InputError, match="no object point of any image"):
        dense_of([silent], reduced, mirror, ball)
    dense = dense_of(views, reduced, mirror, ball, points=50)
    assert 8 not in dense.keypoint
    assert 8 not in dense.tetrahedra
    assert np.isfinite(dense.xyz).all()


def test_all_images_share_the_number_of_points():
    assert points_per_view(60000, 24, np.arange(3)) == 1250
    assert points_per_view(60000, 24, None) == 2500
    assert points_per_view(10, 24, None) == 1
    assert np.array_equal(evenly(10, 5), [1, 3, 5, 7, 9])
    assert np.array_equal(evenly(3, 5), [0, 1, 2])
