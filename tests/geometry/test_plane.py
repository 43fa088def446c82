"""Flat sets of keypoints: the plane's normal, and points carried with it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import approx_fprime
from torch_devices import DEVICES

from semalign3d.alignment.statistics.views import prior_points
from semalign3d.errors import InputError
from semalign3d.files.records import read_record, write_record
from semalign3d.files.store import create
from semalign3d.geometry.plane import Plane, plane_coordinates, plane_of
from semalign3d.shape.dense.fusion import ViewPoints, fuse_points
from semalign3d.shape.dense.prior import DensePrior, dense_prior
from semalign3d.shape.dense.warp import anchor_points
from semalign3d.shape.sparse.attention import keypoint_attention
from studies.shared.synthetic_views import random_rotation

MIRROR = np.array([1, 0, 3, 2, 5, 4, 7, 6])
"""A bottle's outline: left and right, from the top down."""
HEIGHTS = np.repeat([0.5, 0.2, 0.1, -0.4], 2)
RADII = np.repeat([0.06, 0.07, 0.15, 0.15], 2)
OUTLINE = np.column_stack([np.tile([-1.0, 1.0], 4) * RADII, HEIGHTS, np.zeros(8)])


def front(count: int = 600) -> np.ndarray:
    """Points (n, 3) of the half of the bottle that faces z."""
    rng = np.random.default_rng(0)
    height, angle = rng.uniform(-0.4, 0.5, size=count), rng.uniform(-1.4, 1.4, size=count)
    radius = np.interp(height, HEIGHTS[::-2], RADII[::-2])
    return np.column_stack([radius * np.sin(angle), height, radius * np.cos(angle)])


def plane(keypoints: np.ndarray) -> Plane:
    found = plane_of(plane_coordinates(keypoints))
    assert found is not None
    return found


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_the_normal_turns_and_grows_with_the_keypoints(seed: int) -> None:
    rng = np.random.default_rng(seed)
    keypoints = rng.normal(size=(6, 3)) * [1.0, 1.0, 0.01]
    turn, scale = random_rotation(rng), rng.uniform(0.1, 9.0)
    keypoints = keypoints @ turn.T
    found = plane(keypoints)
    normal = found.normal(keypoints)
    assert np.linalg.norm(normal) == pytest.approx(1.0)
    assert np.abs(keypoints @ normal - keypoints.mean(axis=0) @ normal).max() < 0.05
    again = random_rotation(rng)
    moved = found.normal(scale * keypoints @ again.T + rng.normal(size=3))
    assert np.allclose(moved, scale * normal @ again.T)


def test_the_gradient_is_that_of_differences() -> None:
    rng = np.random.default_rng(1)
    found = plane(rng.normal(size=(5, 3)) * [1.0, 1.0, 0.0])
    at, by_normal = rng.normal(size=(5, 3)), rng.normal(size=3)
    expected = approx_fprime(
        at.ravel(), lambda flat: float(by_normal @ found.normal(flat.reshape(5, 3))), 1e-6
    )
    assert np.allclose(found.slopes(at, by_normal).ravel(), expected, atol=1e-4)


def test_what_counts_as_flat_and_as_a_line() -> None:
    solid = np.random.default_rng(2).normal(size=(9, 3))
    assert plane_coordinates(solid) is None
    thin = solid * [1.0, 1.0, 0.01]
    coordinates = plane_coordinates(thin)
    assert coordinates is not None
    distance = np.linalg.norm(coordinates[:, None] - coordinates, axis=2)
    assert np.allclose(distance, np.linalg.norm(thin[:, None] - thin, axis=2), atol=0.05)
    assert plane_of(coordinates * [1.0, 0.01]) is None
    assert plane_of(coordinates[:2]) is None
    thin[4] = np.nan
    assert not plane(thin).axes[:, 4].any()


def test_points_follow_flat_keypoints_when_these_move() -> None:
    points = front()
    places = anchor_points(points, OUTLINE)
    assert places.plane is not None
    assert np.allclose(places.follow(OUTLINE), points)
    turn = random_rotation(np.random.default_rng(3))
    assert np.allclose(places.follow(2.0 * OUTLINE @ turn + 1.0), 2.0 * points @ turn + 1.0)
    some = np.where(np.arange(9)[:, None] < 8, np.vstack([OUTLINE, [0.0, 0.0, 0.0]]), np.nan)
    of_prior = prior_points(some, np.full(len(points), -1), anchor_points(points, some))
    assert np.allclose(of_prior.follow(some), points)
    following = of_prior.following_used()
    assert np.allclose(following.weights @ following.corners(OUTLINE), points)


def views(missing: bool = False) -> list[ViewPoints]:
    """Turned and scaled bottles, their front towards the camera."""
    rng = np.random.default_rng(4)
    found = []
    for number in range(5):
        sway = np.linalg.qr(np.eye(3) + 0.2 * rng.normal(size=(3, 3)))[0]
        sway = sway * np.sign(np.diag(sway)) * [1.0, -1.0, -1.0]
        sway = sway * np.linalg.det(sway)
        scale, away = rng.uniform(0.5, 2.0), [0.1, 0.0, 6.0]
        keypoints = scale * OUTLINE @ sway.T + away
        if missing:
            keypoints[number] = np.nan
        found.append(ViewPoints(scale * front() @ sway.T + away, keypoints))
    return found


@pytest.mark.parametrize("missing", [False, True])
def test_views_and_mirror_images_of_flat_keypoints_meet_on_one_side(missing: bool) -> None:
    fused = fuse_points(views(missing), OUTLINE, MIRROR, grazing=0.0)
    truth = front()[fused.row] * np.where(fused.side[:, None] == 0, 1.0, [-1.0, 1.0, 1.0])
    assert np.allclose(fused.xyz, truth, atol=1e-9)
    assert np.array_equal(np.unique(fused.image), np.arange(5))
    assert len(fused) > 0.8 * 2 * 5 * 600


@pytest.mark.parametrize("device", DEVICES)
def test_flat_keypoints_carry_points_on_a_device_as_on_numpy(device: str) -> None:
    here, there = (fuse_points(views(True), OUTLINE, MIRROR, device=on) for on in (None, device))
    assert np.allclose(there.xyz, here.xyz)
    assert np.allclose(there.normals, here.normals)
    assert np.array_equal(there.row, here.row)


def test_a_view_of_one_side_alone_brings_nothing() -> None:
    one = views()[0]
    left = np.where(np.arange(8)[:, None] % 2 == 0, one.keypoints, np.nan)
    assert len(fuse_points([ViewPoints(one.xyz, left)], OUTLINE, MIRROR)) == 0


def test_the_dense_prior_keeps_its_plane(tmp_path) -> None:
    attention = keypoint_attention(np.ones((3, 8, 4), dtype=np.float32))
    given = fuse_points(views(), OUTLINE, MIRROR)
    rng = np.random.default_rng(0)
    dense = dense_prior(
        given, lambda image: np.ones((2, 600, 4)), OUTLINE, attention, rng, points=100
    )
    assert dense.plane_axes is not None
    with create(tmp_path / "dense.h5") as file:
        write_record(file, dense)
    again = read_record(tmp_path / "dense.h5", DensePrior)
    assert np.allclose(again.anchoring.follow(OUTLINE), dense.xyz)
    own = dense.keypoint < 0
    radius = np.interp(dense.xyz[own, 1], HEIGHTS[::-2], RADII[::-2])
    assert np.abs(np.hypot(dense.xyz[own, 0], dense.xyz[own, 2]) - radius).mean() < 0.01
    assert (dense.xyz[own, 2] > 0.0).mean() > 0.98
    with pytest.raises(InputError, match="no object point"):
        dense_prior(given.take(np.zeros(0, int)), lambda image: rng, OUTLINE, attention, rng)
