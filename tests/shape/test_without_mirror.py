"""Categories without mirror table: the real views alone decide, handedness too."""

import numpy as np
import pytest

from semalign3d.geometry.cameras import mirror_or_identity, with_mirror_images
from semalign3d.geometry.frames import canonical_frame, has_mirror_plane, similarity_procrustes
from semalign3d.shape.cameras.focal import estimate_focal
from semalign3d.shape.dense.fusion import ViewPoints, fuse_points
from semalign3d.shape.relations.fitting import fit_relations
from semalign3d.shape.sparse.image_descriptors import keypoint_descriptors
from semalign3d.shape.sparse.prior import fit_sparse
from studies.shared.synthetic_views import bent_rays, generators, rotation

K = 9


@pytest.fixture(scope="module")
def mug() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A shape (K, 3) that no reflection maps to itself, its views' points and rays."""
    rng = np.random.default_rng(5)
    shape = rng.uniform(-0.4, 0.4, size=(K, 3))
    points, rays = [], []
    for number in range(20):
        jitter = 0.015 * rng.normal(size=shape.shape)
        placed = (shape + jitter) @ rotation(2 * np.pi * number / 20, rng.uniform(0, 0.8)).T
        focal = rng.uniform(1.0, 2.0)
        placed += [0.0, 0.0, focal * 1.6]
        seen = bent_rays(placed, focal, rng)
        seen[rng.permutation(K)[:3]] = np.nan
        points.append(placed)
        rays.append(seen)
    return shape, np.array(points), np.array(rays)


def error(found: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square after the best similarity without reflection, per bounding-box diagonal."""
    placed = similarity_procrustes(found, truth).apply(found)
    return float(
        np.sqrt(np.square(placed - truth).sum(1).mean()) / np.linalg.norm(np.ptp(truth, 0))
    )


def test_from_rays_to_the_shape_in_its_own_handedness(mug) -> None:
    shape, _, rays = mug
    found = estimate_focal(rays, None)
    xyz = rays * np.stack([found, found, np.ones_like(found)], axis=1)[:, None]
    views = with_mirror_images(xyz, None)
    assert views.shape == (20, 1, K, 3)
    relations = fit_relations(views[:, 0], np.arange(20), generators(20))
    sparse = fit_sparse(relations, None)
    assert sparse.used.all()
    assert error(sparse.xyz, shape) < 0.04
    assert error(sparse.xyz * [-1, 1, 1], shape) > 0.1
    assert sparse.handed


def test_the_mirror_table_of_a_shape_without_symmetry_would_bend_it(mug) -> None:
    shape, points, _ = mug
    for mirror, bent in ((None, False), (np.arange(K), True)):
        views = with_mirror_images(points, mirror)
        images = np.repeat(np.arange(20), views.shape[1])
        relations = fit_relations(
            views.reshape(-1, K, 3), images, generators(len(images)), noise=0.05
        )
        assert (error(fit_sparse(relations, mirror).xyz, shape) > 0.05) == bent


def test_points_are_carried_once_and_not_mirrored(mug) -> None:
    shape, points, _ = mug
    rng = np.random.default_rng(1)
    weights = rng.dirichlet(np.ones(K), size=200)
    views = [ViewPoints(weights @ placed, placed) for placed in points[:3]]
    fused = fuse_points(views, shape, None)
    assert set(fused.side) == {0}
    assert set(fused.image) == {0, 1, 2}
    assert len(fused.xyz) <= 600
    truth = (weights @ shape)[fused.row]
    assert np.median(np.linalg.norm(fused.xyz - truth, axis=1)) < 0.05


def test_a_mirror_image_shows_no_keypoints() -> None:
    maps = np.random.default_rng(0).normal(size=(2, 4, 4, 5)).astype(np.float32)
    keypoints = np.array([[1.0, 2.0], [np.nan, np.nan], [6.0, 3.0]])
    found = keypoint_descriptors(maps, keypoints, (8, 6), None)
    assert np.isfinite(found[0, [0, 2]]).all()
    assert np.isnan(found[1]).all()
    table = keypoint_descriptors(maps, keypoints, (8, 6), np.arange(3))
    np.testing.assert_array_equal(table[0], found[0])
    assert np.isfinite(table[1, [0, 2]]).all()


def test_the_canonical_frame_has_no_mirror_plane() -> None:
    shape = np.random.default_rng(2).normal(size=(K, 3)) * [1.0, 3.0, 0.5]
    used = np.ones(K, dtype=bool)
    assert not has_mirror_plane(used, None)
    canonical = canonical_frame(shape, used, None).apply(shape)
    spread = np.square(canonical - canonical.mean(axis=0)).sum(axis=0)
    assert spread[0] > spread[1] > spread[2]
    np.testing.assert_allclose(canonical.max(axis=0), -canonical.min(axis=0), atol=1e-12)


def test_tables() -> None:
    np.testing.assert_array_equal(mirror_or_identity(None, 3), [0, 1, 2])
    np.testing.assert_array_equal(mirror_or_identity(np.array([1, 0, 2]), 3), [1, 0, 2])
    with pytest.raises(ValueError, match="mirror"):
        mirror_or_identity(np.array([1, 0]), 3)
    assert has_mirror_plane(np.array([True, True, True]), np.array([1, 0, 2]))
    assert not has_mirror_plane(np.array([True, False, True]), np.array([1, 0, 2]))
