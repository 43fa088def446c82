"""Normals, and surfaces drawn from noisy points of many views."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist
from synthetic_surfaces import NOISE, fused, noisy_sphere

from semalign3d.errors import InputError
from semalign3d.geometry.normals import surface_normals
from semalign3d.shape.dense.surface import (
    draw_surface,
    farthest_points,
    neighbour_distances,
    outliers_of,
    project_to_surface,
)


def box_surface(low, high, count, rng):
    """Points of a box's surface, evenly by area, and their normals."""
    low, high = np.array(low), np.array(high)
    size = high - low
    area = np.array([size[1] * size[2], size[0] * size[2], size[0] * size[1]])
    axis = rng.choice(3, size=count, p=area / area.sum())
    side = rng.integers(2, size=count)
    points = low + size * rng.uniform(size=(count, 3))
    points[np.arange(count), axis] = np.where(side, high[axis], low[axis])
    normals = np.zeros((count, 3))
    normals[np.arange(count), axis] = 2.0 * side - 1.0
    return points, normals


def table(count=20000, seed=0):
    """A table with four thin legs that few points show, the points noisy; and the true surface."""
    rng = np.random.default_rng(seed)
    legs = [
        box_surface((x, -0.4, z), (x + 0.03, 0.0, z + 0.03), count // 50, rng)
        for x in (-0.3, 0.27)
        for z in (-0.3, 0.27)
    ]
    parts = [box_surface((-0.3, 0.0, -0.3), (0.3, 0.05, 0.3), count, rng), *legs]
    points, normals = (np.concatenate(column) for column in zip(*parts, strict=True))
    return fused(points + 0.5 * NOISE * rng.normal(size=points.shape), normals), points


def test_normals_of_a_plane_and_a_sphere_face_the_camera():
    rng = np.random.default_rng(0)
    plane = np.column_stack([rng.uniform(-1, 1, size=(500, 2)), np.full(500, 5.0)])
    assert np.allclose(surface_normals(plane), [0.0, 0.0, -1.0])
    half = rng.normal(size=(3000, 3))
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    half = half[half[:, 2] < -0.3]
    cosines = (surface_normals(half + np.array([0.0, 0.0, 20.0])) * half).sum(axis=1)
    assert np.quantile(cosines, 0.01) > 0.95
    assert surface_normals(np.zeros((0, 3))).shape == (0, 3)
    assert np.isfinite(surface_normals(plane[:2])).all()


def test_points_move_onto_the_sphere_along_its_normals():
    cloud = noisy_sphere()
    moved = project_to_surface(cloud, np.arange(0, 6000, 10), 0.03)
    before = np.linalg.norm(cloud.xyz[::10], axis=1) - 0.3
    after = np.linalg.norm(moved.xyz, axis=1) - 0.3
    assert np.sqrt(np.square(after).mean()) < 0.4 * np.sqrt(np.square(before).mean())
    assert (moved.normals * cloud.normals[::10]).sum(axis=1).min() > 0.98
    across = np.cross(moved.xyz - cloud.xyz[::10], cloud.normals[::10])
    assert np.linalg.norm(across, axis=1).max() < 0.2 * NOISE


def test_front_and_back_of_a_thin_plate_stay_apart():
    rng = np.random.default_rng(1)
    side = np.repeat([1.0, -1.0], 2000)
    points = np.column_stack([rng.uniform(-0.2, 0.2, size=(4000, 2)), 0.01 * side])
    points[:, 2] += 0.003 * rng.normal(size=4000)
    moved = project_to_surface(fused(points, np.outer(side, [0, 0, 1.0])), np.arange(4000), 0.03)
    assert np.abs(moved.xyz[:, 2] - 0.01 * side).max() < 0.003


def test_thin_legs_keep_their_length_and_get_points_for_their_area():
    cloud, truth = table()
    used = np.array([[-0.3, 0.05, -0.3], [0.3, 0.05, 0.3]])
    surface, kept = draw_surface(
        cloud,
        np.zeros(len(cloud)),
        np.random.default_rng(0),
        points=600,
        first=used,
        outliers=3.0,
        radius=0.02,
    )
    assert len(surface) == 600
    assert 0.9 < len(kept) / len(cloud) < 1.0
    spacing = cKDTree(surface.xyz).query(surface.xyz, k=2)[0][:, 1].mean()
    for x, z in ((-1, -1), (-1, 1), (1, -1), (1, 1)):
        leg = surface.xyz[
            (surface.xyz[:, 1] < 0.0) & (surface.xyz[:, [0, 2]] * [x, z] > 0.25).all(1)
        ]
        heights = np.sort([-0.4, *leg[:, 1], 0.0])
        assert np.diff(heights).max() < 2.5 * spacing
    assert surface.xyz[:, 1].min() < -0.39
    assert cKDTree(truth).query(surface.xyz)[0].mean() < 0.5 * NOISE
    assert np.quantile(cKDTree(surface.xyz).query(truth)[0], 0.99) < 0.05


def test_scattered_points_are_dropped():
    cloud = noisy_sphere()
    stray = np.random.default_rng(2).uniform(-1.0, 1.0, size=(300, 3))
    stray = stray[np.abs(np.linalg.norm(stray, axis=1) - 0.3) > 0.1]
    both = fused(
        np.concatenate([cloud.xyz, stray]),
        np.concatenate([cloud.normals, np.tile([1.0, 0.0, 0.0], (len(stray), 1))]),
    )
    surface, _ = draw_surface(
        both,
        np.ones(len(both)),
        np.random.default_rng(0),
        points=300,
        first=np.zeros((0, 3)),
        outliers=3.0,
        radius=0.03,
    )
    assert np.abs(np.linalg.norm(surface.xyz, axis=1) - 0.3).max() < 0.03


def half_shown(count=8000, seed=4):
    """A ball that photos show from above: few points lie below, as few as beside the upper half."""
    rng = np.random.default_rng(seed)
    cloud = noisy_sphere(count, seed)
    below = cloud.xyz[:, 1] > 0.05
    shown = cloud.take(~below | (rng.uniform(size=count) < 0.1))
    ahead = rng.normal(size=(count // 10, 3))
    ahead[:, 1] = -np.abs(ahead[:, 1]) - 0.1
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    stray = fused(ahead * rng.uniform(0.34, 0.45, size=(len(ahead), 1)), ahead)
    both = fused(
        np.concatenate([shown.xyz, stray.xyz]), np.concatenate([shown.normals, stray.normals])
    )
    return both, np.arange(len(both)) >= len(shown)


def test_photos_tell_points_of_a_rarely_seen_place_from_those_off_the_surface():
    cloud, stray = half_shown()
    below = ~stray & (cloud.xyz[:, 1] > 0.05)
    gap, usual = neighbour_distances(cloud.xyz, np.random.default_rng(0), 20000)
    # Noise puts points off the silhouettes as well, in the photos that see them from the side.
    height = np.linalg.norm(cloud.xyz, axis=1) - 0.3
    outside = np.clip((height - NOISE) / 0.3, 0.0, 1.0)
    told = outliers_of(gap, usual, outside, 3.0)
    blind = outliers_of(gap, usual, np.ones(len(cloud)), 3.0)
    assert told[stray].mean() > 0.8
    assert told[below].mean() < 0.5 * blind[below].mean()
    assert told[~stray].mean() < 0.1


def test_a_dense_part_stays_though_half_of_the_instances_lack_it():
    cloud = noisy_sphere()
    gap, usual = neighbour_distances(cloud.xyz, np.random.default_rng(0), 20000)
    part = cloud.xyz[:, 0] > 0.15
    closer = np.where(part, 0.7, 1.0)
    off = outliers_of(gap * closer, usual * closer, np.where(part, 0.5, 0.0), 3.0)
    assert off[part].mean() < 0.2
    assert off[~part].mean() < 0.02


def test_the_limit_of_outliers():
    gap, usual, known = np.array([1.0, 1.0, 2.0, 1.0]), np.ones(4), np.zeros(4)
    assert outliers_of(gap, usual, known, 3.0).tolist() == [False, False, True, False]
    assert outliers_of(gap, usual, known, 4.0).tolist() == [False] * 4
    doubted = outliers_of(gap, usual, np.array([0.0, 0.1, 0.0, 0.5]), 2.5)
    assert doubted.tolist() == [False, True, True, True]
    assert not outliers_of(gap, usual, np.ones(4), np.inf).any()
    with pytest.raises(ValueError, match="outliers"):
        outliers_of(gap, usual, known, 0.0)
    with pytest.raises(InputError, match=r"dense\.outliers: 0\.1 leaves none of 4"):
        outliers_of(gap, usual, known, 0.1)


def test_the_number_of_points_hardly_changes_distances():
    clouds = noisy_sphere(4000, 3), noisy_sphere(40000, 3)
    gaps = [neighbour_distances(c.xyz, np.random.default_rng(0), 2000) for c in clouds]
    assert gaps[0][0].mean() == pytest.approx(gaps[1][0].mean(), rel=0.05)
    ratio = gaps[0][0] / gaps[0][1]
    assert np.median(ratio) == pytest.approx(1.0, abs=0.1)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_farthest_points_are_spread_and_cover(seed):
    points = np.random.default_rng(seed).normal(size=(200, 3))
    chosen = points[farthest_points(points, 30, np.zeros((0, 3)))]
    cover = cKDTree(chosen).query(points)[0].max()
    assert pdist(chosen).min() >= cover
    more = farthest_points(points, 10, chosen)
    assert cKDTree(chosen).query(points[more])[0].min() > 0.0
    assert np.array_equal(points[more[0]], points[cKDTree(chosen).query(points)[0].argmax()])


def test_equal_points_are_chosen_once():
    assert len(farthest_points(np.ones((40, 3)), 9, np.zeros((0, 3)))) <= 1
    assert len(farthest_points(np.eye(3), 9, np.eye(3)[:1])) == 2
    assert len(farthest_points(np.zeros((0, 3)), 9, np.eye(3))) == 0
