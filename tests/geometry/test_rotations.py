"""Rotations against SciPy and closed forms."""

import numpy as np
from scipy.spatial.transform import Rotation

from semalign3d.geometry.rotations import (
    angles_between,
    looking_from,
    rotation_vectors_to_matrices,
    sphere_directions,
)


def test_rotation_vectors_as_in_scipy() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 3)) * np.geomspace(1e-12, 3.0, 40)[:, None]
    expected = Rotation.from_rotvec(vectors).as_matrix()
    np.testing.assert_allclose(rotation_vectors_to_matrices(vectors), expected, atol=1e-12)
    np.testing.assert_array_equal(rotation_vectors_to_matrices(np.zeros(3)), np.eye(3))


def test_angles_between_rotations() -> None:
    first = Rotation.random(20, random_state=1)
    second = Rotation.random(20, random_state=2)
    expected = (second * first.inv()).magnitude()
    np.testing.assert_allclose(
        angles_between(first.as_matrix(), second.as_matrix()), expected, atol=1e-6
    )


def test_directions_cover_the_sphere_evenly() -> None:
    directions = sphere_directions(150)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0)
    anywhere = np.random.default_rng(3).normal(size=(2000, 3))
    anywhere /= np.linalg.norm(anywhere, axis=1, keepdims=True)
    gap = np.degrees(np.arccos((anywhere @ directions.T).max(axis=1)))
    # 150 caps that cover the sphere without overlap would have a radius of 9.4 degrees.
    assert gap.max() < 1.6 * 9.4


def test_cameras_look_at_the_object_with_its_top_up() -> None:
    directions = np.concatenate([sphere_directions(50), [[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]]])
    rolls = np.array([0.0, 0.5])
    found = looking_from(directions, rolls)
    identity = np.broadcast_to(np.eye(3), found.shape)
    np.testing.assert_allclose(found @ found.swapaxes(-1, -2), identity, atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(found), 1.0)
    np.testing.assert_allclose(found[:, :, 2], -np.repeat(directions[:, None], 2, axis=1))
    assert (found[:-2, 0, 1, 1] < 0.0).all()  # y down in the image for the object's y up
    turn = found[:, 1] @ found[:, 0].swapaxes(-1, -2)
    np.testing.assert_allclose(turn, np.broadcast_to(turn[0], turn.shape), atol=1e-12)
    np.testing.assert_allclose(turn[0], Rotation.from_rotvec([0, 0, 0.5]).as_matrix(), atol=1e-12)
