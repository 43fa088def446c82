"""The canonical frame stands as the object does in the photos."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from semalign3d.shape.sparse.energy import EnergyTerms
from semalign3d.shape.sparse.prior import SparseShape
from semalign3d.shape.sparse.upright import mean_up, stand_up

TERMS = EnergyTerms(0.0, 0.0, 0.0, 0.0, 0.0)


def sparse_shape(xyz: np.ndarray) -> SparseShape:
    used = np.isfinite(xyz).all(axis=1)
    return SparseShape(xyz, used, ("",) * len(xyz), TERMS, 0.0)


def photos(
    xyz: np.ndarray, rng: np.random.Generator, elevations: tuple[float, float]
) -> np.ndarray:
    """Views (M, K, 3) of a shape whose y is up: all round, camera y down, z forward."""
    views = []
    for azimuth in np.linspace(0, 360, 12, endpoint=False):
        turned = Rotation.from_euler("yx", [azimuth, rng.uniform(*elevations)], degrees=True)
        views.append(turned.apply(xyz) * [1.0, -1.0, -1.0] + [0.0, 0.0, 4.0])
    return np.array(views)


@pytest.mark.parametrize("turns", range(4))
def test_whatever_way_the_shape_lies_it_is_stood_up(turns: int) -> None:
    rng = np.random.default_rng(turns)
    xyz = rng.normal(size=(9, 3))
    xyz[4] = np.nan
    lying = xyz @ Rotation.from_euler("x", 90 * turns, degrees=True).as_matrix().T
    mirror = np.array([1, 0, 2, 3, 4, 5, 6, 7, 8])
    stood = stand_up(sparse_shape(lying), photos(xyz, rng, (0.0, 40.0)), mirror)
    np.testing.assert_allclose(stood.xyz, xyz, atol=1e-12)


@pytest.mark.parametrize("axis", [[0, 0, 1], [0, 0, -1], [1, 0, 0]])
@pytest.mark.parametrize("turns", range(4))
def test_a_shape_without_mirror_plane_stands_up_from_any_axis(axis: list[int], turns: int) -> None:
    rng = np.random.default_rng(turns)
    xyz = rng.normal(size=(9, 3))
    turn = Rotation.from_rotvec(np.multiply(axis, 90.0 * turns), degrees=True)
    views = photos(xyz, rng, (0.0, 40.0))
    stood = stand_up(sparse_shape(turn.apply(xyz)), views, None)
    np.testing.assert_allclose(stood.xyz[:, 1], xyz[:, 1], atol=1e-12)
    handedness = Rotation.align_vectors(stood.xyz, xyz)[1]
    assert handedness < 1e-6


def test_the_mean_up_direction_is_that_of_the_photos() -> None:
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(6, 3))
    np.testing.assert_allclose(
        mean_up(sparse_shape(xyz), photos(xyz, rng, (0.0, 0.0))), [0.0, 1.0, 0.0], atol=1e-12
    )


def test_without_a_clear_up_direction_nothing_is_turned() -> None:
    rng = np.random.default_rng(1)
    xyz = rng.normal(size=(6, 3))
    views = Rotation.random(400, random_state=2).as_matrix() @ xyz.T
    shape = sparse_shape(xyz)
    assert stand_up(shape, views.transpose(0, 2, 1), None) is shape


def test_views_with_too_few_keypoints_have_no_say() -> None:
    xyz = np.random.default_rng(3).normal(size=(6, 3))
    views = np.full((2, 6, 3), np.nan)
    views[:, :3] = xyz[:3]
    np.testing.assert_array_equal(mean_up(sparse_shape(xyz), views), np.zeros(3))
