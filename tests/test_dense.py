"""Clusters, attention and dense fusion."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from synthetic_views import mirror_table, random_rotation, symmetric_shape

from semalign3d.errors import InputError
from semalign3d.prior.attention import Cosines, MeanDescriptors, keypoint_attention
from semalign3d.prior.clusters import k_means, nearest_members
from semalign3d.prior.dense import ViewPoints, crowded, fuse, fuse_points
from semalign3d.prior.energy import EnergyTerms
from semalign3d.prior.sparse import SparseShape

CHANNELS = 16


def test_clusters_are_means_of_their_points():
    points = np.random.default_rng(0).normal(size=(600, 3))
    centres, labels = k_means(points, 20, np.random.default_rng(1), tolerance=0.0)
    assert np.array_equal(labels, cKDTree(centres).query(points)[1])
    means = np.array([points[labels == number].mean(axis=0) for number in range(20)])
    assert np.allclose(centres, means, atol=1e-3)


def test_separate_heaps_are_found():
    rng = np.random.default_rng(2)
    heaps = np.repeat(np.eye(3) * 10.0, 50, axis=0) + rng.normal(size=(150, 3)) * 0.1
    found = [k_means(heaps, 3, np.random.default_rng(seed))[1] for seed in range(10)]
    assert any(len(set(zip(f, np.repeat(range(3), 50), strict=True))) == 3 for f in found)


def test_few_or_equal_points_make_fewer_clusters():
    points = np.random.default_rng(3).normal(size=(5, 3))
    centres, labels = k_means(points, 9, np.random.default_rng(0))
    assert np.array_equal(centres[labels], points)
    centres, labels = k_means(np.ones((40, 3)), 9, np.random.default_rng(0))
    assert np.allclose(centres, 1.0)
    assert np.array_equal(np.unique(labels), np.arange(len(centres)))


def test_same_seed_same_clusters():
    points = np.random.default_rng(4).normal(size=(500, 3))
    first = k_means(points, 30, np.random.default_rng(5))
    second = k_means(points, 30, np.random.default_rng(5))
    assert np.array_equal(first[0], second[0])


def test_nearest_members_of_each_cluster():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [9, 0, 0], [9.5, 0, 0]])
    labels = np.array([0, 0, 0, 1, 1])
    centres = np.array([[1.9, 0, 0], [9.0, 0, 0]])
    assert nearest_members(points, centres, labels, 1).tolist() == [False, False, True, True, False]
    assert nearest_members(points, centres, labels, 9).all()


def test_lonely_points_are_dropped():
    points = np.random.default_rng(6).normal(size=(500, 3)) * 0.1
    points[::100] += 20.0 * np.arange(5)[:, None] + 5.0
    kept = crowded(points, 0.01, 10)
    assert np.array_equal(np.flatnonzero(~kept), [0, 100, 200, 300, 400])
    assert crowded(points, 0.0, 10).all()
    with pytest.raises(ValueError, match="outliers"):
        crowded(points, 1.0, 10)


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
    """A sparse prior, views of it turned and scaled at random, and a ball of surface points."""
    rng = np.random.default_rng(seed)
    mirror = mirror_table(9, 4)
    shape = symmetric_shape(mirror, rng)
    sparse = SparseShape(
        shape, np.ones(9, dtype=bool), ("",) * 9, EnergyTerms(0.0, 0.0, 0.0, 0.0, 0.0), 0.0
    )
    centre = shape.mean(axis=0) * [0.0, 1.0, 1.0]
    ball = rng.normal(size=(points, 3))
    ball = centre + 0.1 * ball / np.linalg.norm(ball, axis=1, keepdims=True)
    views = []
    for _ in range(images):
        turn, scale = random_rotation(rng), rng.uniform(0.5, 2.0)
        views.append(ViewPoints(scale * ball @ turn.T + 1.0, scale * shape @ turn.T + 1.0))
    return sparse, mirror, views, ball


def meaning(ball):
    """Descriptors (2, n, C) that tell where a point lies; the mirrored ones of the mirror image."""
    code = np.random.default_rng(0).normal(size=(3, CHANNELS))
    sides = np.stack([ball, ball * [-1.0, 1.0, 1.0]])
    return np.cos(6.0 * sides @ code) + 0.1


def test_points_of_turned_views_meet_on_the_shape():
    sparse, mirror, views, ball = scene()
    fused = fuse_points(views, sparse, mirror)
    truth = np.where(fused.side[:, None] == 0, ball[fused.row], ball[fused.row] * [-1.0, 1.0, 1.0])
    assert np.allclose(fused.xyz, truth, atol=1e-9)
    assert np.array_equal(np.unique(fused.image), np.arange(6))
    assert len(fused.xyz) > 0.9 * 2 * 6 * len(ball)


def test_the_dense_prior_lies_on_the_surface_and_knows_its_descriptors():
    sparse, mirror, views, ball = scene()
    attention = keypoint_attention(np.ones((3, 9, CHANNELS), dtype=np.float32))
    dense = fuse(
        iter(views),
        lambda image: meaning(ball),
        sparse,
        attention,
        mirror,
        np.random.default_rng(0),
        clusters=150,
    )
    centres = dense.keypoint < 0
    assert centres.sum() == 150
    assert np.array_equal(dense.keypoint[~centres], np.arange(9))
    distance = np.linalg.norm(dense.xyz[centres] - ball.mean(axis=0), axis=1)
    assert np.abs(distance / 0.1 - 1.0).mean() < 0.1
    assert dense.weights[centres].sum() == pytest.approx(1.0)
    assert np.allclose(dense.weights[~centres], 1.0)
    assert (dense.attention_mean[centres] > 0.9).all()
    assert (dense.attention_variance >= 0.0).all()
    assert np.allclose(np.linalg.norm(dense.descriptors, axis=1), 1.0, atol=1e-5)
    nearest = cKDTree(ball).query(dense.xyz[centres])[1]
    expected = meaning(ball)[0][nearest]
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert np.median((expected * dense.descriptors[centres]).sum(axis=1)) > 0.95
    assert np.allclose(dense.anchoring.follow(sparse.xyz), dense.xyz)
    moved = sparse.xyz @ random_rotation(np.random.default_rng(1)) * 2.0
    assert np.allclose(dense.anchoring.follow(moved)[~centres], moved)


def test_a_centre_takes_its_nearest_points_only():
    sparse, mirror, views, ball = scene()
    attention = keypoint_attention(np.ones((3, 9, CHANNELS), dtype=np.float32))
    dense = fuse(
        views,
        lambda image: meaning(ball),
        sparse,
        attention,
        mirror,
        np.random.default_rng(0),
        clusters=20,
        nearest=7,
    )
    assert (dense.counts[dense.keypoint < 0] == 7).all()


def test_views_with_few_keypoints_and_unused_keypoints():
    sparse, mirror, views, ball = scene()
    few = views[0].keypoints.copy()
    few[3:] = np.nan
    used = np.arange(9) != 8
    xyz = np.where(used[:, None], sparse.xyz, np.nan)
    reduced = SparseShape(xyz, used, ("",) * 9, sparse.energy, 0.0)
    fused = fuse_points([ViewPoints(ball, few), *views[1:]], reduced, mirror)
    assert 0 not in fused.image
    assert np.isfinite(fused.xyz).all()
    attention = keypoint_attention(np.ones((3, 9, CHANNELS), dtype=np.float32))
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="no object point of any image"):
        fuse([ViewPoints(ball, few)], lambda image: meaning(ball), reduced, attention, mirror, rng)
    dense = fuse(views, lambda image: meaning(ball), reduced, attention, mirror, rng, clusters=50)
    assert 8 not in dense.keypoint
    assert 8 not in dense.tetrahedra
    assert np.isfinite(dense.xyz).all()
