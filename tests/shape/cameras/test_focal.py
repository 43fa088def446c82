"""Focal lengths."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from semalign3d.shape.cameras import focal
from semalign3d.shape.cameras.focal import estimate_focal
from studies.shared.synthetic_views import category, mirror_table, rotation, symmetric_shape


def one_shape_seen(count, seed=0, keypoints=10):
    """Rays (N, K, 3) of one shape with its true depth, and the true p (N,)."""
    rng = np.random.default_rng(seed)
    mirror = mirror_table(keypoints, 4)
    shape = symmetric_shape(mirror, rng)
    p = rng.uniform(0.4, 1.2, size=count)
    views = []
    for number in range(count):
        placed = shape @ rotation(6.0 * number / count, rng.uniform(0.0, 0.8)).T
        placed += [0.0, 0.0, 1.5]
        views.append(placed / [p[number], p[number], 1.0])
    return np.array(views), p, mirror


def test_known_focal_lengths_are_found():
    rays, p, mirror = one_shape_seen(12)
    assert np.allclose(estimate_focal(rays, mirror, tie=0.0), p, rtol=1e-3)


def test_the_tie_to_the_mean_is_weak():
    rays, p, mirror = one_shape_seen(12)
    found = estimate_focal(rays, mirror)
    assert np.corrcoef(np.log(found), np.log(p))[0, 1] > 0.95


def test_given_focal_lengths_stay_and_help_to_find_the_others():
    rays, p, mirror = one_shape_seen(12)
    given = np.where(np.arange(12) < 9, p, np.nan)
    found = estimate_focal(rays, mirror, given=given)
    assert np.array_equal(found[:9], p[:9])
    alone = estimate_focal(rays, mirror)
    assert np.abs(np.log(found / p))[9:].max() < np.abs(np.log(alone / p))[9:].max()
    assert np.array_equal(estimate_focal(rays, mirror, given=p), p)
    unknown = np.full(12, np.nan)
    assert np.array_equal(estimate_focal(rays, mirror, given=unknown), alone)
    one = np.append(p[:1], np.nan)
    assert np.array_equal(estimate_focal(rays[:2] * np.nan, mirror, given=one), [p[0], 0.2])
    with pytest.raises(ValueError, match="given: expected positive numbers or NaN"):
        estimate_focal(rays, mirror, given=-p)


def test_bent_depth_still_orders_the_focal_lengths():
    made = category(3, images=24, visible=0.8)
    found = estimate_focal(made.rays, made.mirror)
    assert np.corrcoef(np.log(found), np.log(made.p))[0, 1] > 0.6


def test_gradient_is_that_of_the_variance():
    made = category(1, keypoints=8, pairs=3, images=6)
    samples = focal._collect(made.rays, made.mirror, np.random.default_rng(0))
    log_p = np.log(np.random.default_rng(0).uniform(0.2, 1.0, size=6))

    def value(x):
        return focal._variance(samples, np.exp(x))[0]

    slope = focal._variance(samples, np.exp(log_p))[1]
    assert np.allclose(approx_fprime(log_p, value, 1e-7), slope, atol=1e-4)


def test_the_sum_of_variances_is_that_of_images_and_mirror_images():
    made = category(2, keypoints=6, pairs=2, images=4, visible=1.0)
    p = np.array([0.3, 0.5, 0.7, 0.4])
    samples = focal._collect(made.rays, made.mirror, np.random.default_rng(0))
    shapes = made.rays * np.stack([p, p, np.ones(4)], axis=1)[:, None]
    shapes = np.concatenate([shapes, (shapes * [-1, 1, 1])[:, made.mirror]])
    total = 0.0
    for i in range(6):
        for j in range(6):
            for k in range(j + 1, 6):
                if i in (j, k):
                    continue
                first, second = shapes[:, j] - shapes[:, i], shapes[:, k] - shapes[:, i]
                one, two = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
                total += np.var((first * second).sum(axis=1) / (one * two))
                total += np.var(one / (one + two))
    assert focal._variance(samples, p)[0] == pytest.approx(total)


def test_an_image_with_few_keypoints_stays_near_the_others():
    made = category(4, images=16)
    rays = made.rays.copy()
    rays[5, np.flatnonzero(np.isfinite(rays[5, :, 0]))[3:]] = np.nan
    found = estimate_focal(rays, made.mirror)
    others = np.delete(found, 5)
    assert others.min() / 1.5 < found[5] < others.max() * 1.5


def test_images_without_shared_triples_have_the_mean(caplog):
    made = category(5, images=8)
    rays = made.rays.copy()
    rays[0] = np.nan
    found = estimate_focal(rays, made.mirror)
    assert np.log(found[0]) == pytest.approx(np.log(found[1:]).mean())
    alone = estimate_focal(rays[:2], made.mirror, initial=0.25)
    assert np.allclose(alone, 0.25)
    assert "stay at the start" in caplog.text


def test_refusals():
    made = category(6, images=4)
    with pytest.raises(ValueError, match="mirror"):
        estimate_focal(made.rays[:, :5], made.mirror)
    with pytest.raises(ValueError, match="in front"):
        estimate_focal(-made.rays, made.mirror)


def test_chosen_triples_give_the_focal_lengths_of_all(monkeypatch):
    made = category(3, keypoints=36, pairs=14)
    found = estimate_focal(made.rays, made.mirror)
    again = estimate_focal(made.rays, made.mirror, rng=np.random.default_rng(0))
    other = estimate_focal(made.rays, made.mirror, rng=np.random.default_rng(1))
    monkeypatch.setattr(focal, "MOST_TRIPLES", 10**6)
    every = estimate_focal(made.rays, made.mirror)
    assert np.array_equal(found, again)
    assert not np.array_equal(found, other)
    assert np.abs(np.log(found / every)).max() < 0.03
