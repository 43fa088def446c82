"""A shape and its mirror image: perspective tells them apart where depth does not."""

import dataclasses
import logging

import numpy as np
import pytest
from scipy.spatial.transform import Rotation
from test_bundle import photographed, rough, start_from

from semalign3d.errors import InputError
from semalign3d.geometry.cameras import back_project
from semalign3d.geometry.frames import canonical_frame, similarity_procrustes
from semalign3d.shape.bundle.handedness import better_hand, mirrored_shape, mirrored_start
from semalign3d.shape.bundle.model import LOG_K, TURN
from semalign3d.shape.bundle.objective import BundleObjective
from semalign3d.shape.bundle.refinement import refine
from semalign3d.shape.bundle.settings import BundleSettings
from studies.shared.synthetic_views import mirror_table, rotation, symmetric_shape

MIRRORS = {"symmetric": mirror_table(9, 4), "no mirror plane": None}


def scene(mirror):
    """A shape in its canonical frame, and what 16 cameras with exact depth see of it."""
    rng = np.random.default_rng(3)
    shape = symmetric_shape(mirror_table(9, 4), rng)
    shape = canonical_frame(shape, np.ones(9, dtype=bool), mirror).apply(shape)
    turns = [rotation(0.4 * number, rng.uniform(0.1, 0.8)) for number in range(16)]
    return shape, photographed(shape, turns, np.full(16, 0.8), rng)[0]


def with_depth(cameras, relative):
    """Cameras as the first stages find them from other relative inverse depths (N, K)."""
    xyz = [
        back_project(pixels, 1.0 - 0.3 * depth, tuple(size), p)
        for pixels, depth, size, p in zip(
            cameras.annotated_px, relative, cameras.sizes, cameras.p, strict=True
        )
    ]
    return dataclasses.replace(cameras, relative_depth=relative, keypoints_xyz=np.array(xyz))


def inside_out(cameras):
    """Depth where inverse depth should be: larger is further."""
    depth = cameras.relative_depth
    ends = depth.min(axis=1, keepdims=True) + depth.max(axis=1, keepdims=True)
    return with_depth(cameras, ends - depth)


def started(shape, cameras):
    """The objective of a symmetric shape."""
    start = start_from(rough(shape))
    return BundleObjective(cameras, start, MIRRORS["symmetric"], BundleSettings())


def rotations(objective):
    turned = Rotation.from_rotvec(objective.numbers[:, TURN]).as_matrix()
    return turned @ objective.model.start


def test_mirrored_twice_is_the_start():
    shape, cameras = scene(MIRRORS["symmetric"])
    first = started(shape, cameras)
    first.numbers[:, TURN] = 0.1 * np.random.default_rng(0).normal(size=(16, 3))
    once = mirrored_start(first, first.free, first.numbers)
    assert np.allclose(np.linalg.det(rotations(once)), 1.0)
    twice = mirrored_start(once, once.free, once.numbers)
    assert np.allclose(rotations(twice), rotations(first))
    assert np.array_equal(twice.free, first.free)
    assert np.array_equal(mirrored_shape(mirrored_shape(start_from(shape))).xyz, shape)


def test_in_parallel_projection_a_mirrored_start_lies_on_the_same_pixels():
    shape, cameras = scene(MIRRORS["symmetric"])
    first = started(shape, cameras)
    first.numbers[:, LOG_K] = -30.0
    other = mirrored_start(first, first.free, first.numbers)
    here, there = (
        o.model.residuals(o.shape.expand(o.free), o.numbers).values[..., :2] for o in (first, other)
    )
    assert np.allclose(here, there, atol=1e-9)
    xyz = [o.shape.expand(o.free) for o in (first, other)]
    assert np.allclose(
        similarity_procrustes(*xyz, allow_reflection=True).apply(xyz[0]), xyz[1], atol=1e-9
    )
    assert np.abs(similarity_procrustes(*xyz).apply(xyz[0]) - xyz[1]).max() > 0.05


@pytest.mark.parametrize("mirror", MIRRORS.values(), ids=MIRRORS)
def test_perspective_finds_the_hand_where_depth_says_nothing(mirror, caplog):
    shape, cameras = scene(mirror)
    noise = np.random.default_rng(5).uniform(0.2, 1.0, size=cameras.relative_depth.shape)
    wrong = mirrored_shape(start_from(rough(shape)))
    poses = inside_out(cameras).keypoints_xyz
    cameras = dataclasses.replace(cameras, relative_depth=noise, keypoints_xyz=poses)
    with caplog.at_level(logging.WARNING):
        found = refine(cameras, wrong, mirror)
    assert "mirror image of the sparse prior" in caplog.text
    assert found.used.all()
    # In the frame of the true shape: nothing but its z was turned round.
    assert np.allclose(found.xyz, shape, atol=0.02)
    assert np.nanmax(np.linalg.norm(found.reprojection, axis=2)) < 0.02


@pytest.mark.parametrize("mirror", MIRRORS.values(), ids=MIRRORS)
def test_depth_in_place_of_inverse_depth_is_refused(mirror):
    shape, cameras = scene(mirror)
    with pytest.raises(InputError, match="the depth maps contradict the photos"):
        refine(inside_out(cameras), mirrored_shape(start_from(rough(shape))), mirror)


def test_sound_depth_is_left_alone():
    shape, cameras = scene(MIRRORS["symmetric"])
    objective = started(shape, cameras)
    assert better_hand(objective, *objective.solve()) is None


def test_losses_add_up_to_the_objective():
    shape, cameras = scene(MIRRORS["symmetric"])
    objective = started(shape, cameras)
    free, numbers = objective.free, objective.numbers
    flat = np.concatenate([free.ravel(), numbers.ravel()])
    parts = objective.losses(free, numbers)
    assert parts.total == pytest.approx(objective(flat)[0])
    assert parts.total == pytest.approx(objective.image_losses(free, numbers).sum())
    assert min(parts.image, parts.depth, parts.priors) > 0.0
