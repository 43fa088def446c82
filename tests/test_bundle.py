"""Bundle refinement against known scenes."""

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from synthetic_views import mirror_table, rotation, symmetric_shape

from semalign3d.errors import InputError
from semalign3d.geometry.cameras import back_project, calibrated_depth, project
from semalign3d.geometry.frames import canonical_frame, similarity_procrustes
from semalign3d.prior.bundle import BundleSettings, _Problem, refine
from semalign3d.prior.cameras import Cameras
from semalign3d.prior.energy import EnergyTerms
from semalign3d.prior.sparse import SparseShape

MIRROR = mirror_table(9, 4)
NO_PRIORS = BundleSettings(offset_spread=1e4, focal_spread=1e4)


@pytest.fixture(scope="module")
def scene():
    """A shape in its canonical frame, and what 10 cameras with exact depth see of it."""
    rng = np.random.default_rng(3)
    shape = symmetric_shape(MIRROR, rng)
    shape = canonical_frame(shape, np.ones(9, dtype=bool), MIRROR).apply(shape)
    sizes = rng.integers(300, 640, size=(10, 2))
    p, offset = rng.uniform(0.4, 0.9, size=10), rng.uniform(0.3, 1.2, size=10)
    pixels, xyz, relative = [], [], []
    for number in range(10):
        placed = shape @ rotation(0.63 * number, rng.uniform(0.1, 0.8)).T
        placed += [*rng.uniform(-0.1, 0.1, size=2), rng.uniform(1.5, 2.5)]
        pixels.append(project(placed, tuple(sizes[number]), p[number]))
        # m = a / z - c with the nearest point of the image (m = 1) nearer than the object.
        near = 0.95 * placed[:, 2].min()
        relative.append((1.0 + offset[number]) * near / placed[:, 2] - offset[number])
        z = 1.0 - 0.3 * relative[-1]
        xyz.append(back_project(pixels[-1], z, tuple(sizes[number]), 0.8 * p[number]))
    cameras = Cameras(
        tuple(f"image_{number}" for number in range(10)),
        sizes,
        0.8 * p,
        np.array(pixels),
        np.array(pixels),
        np.array(relative),
        np.array(xyz),
        (),
        (),
    )
    return shape, cameras, p, offset


def start_from(shape, used=None):
    used = np.isfinite(shape).all(axis=1) if used is None else used
    reasons = tuple("" if u else "not there" for u in used)
    return SparseShape(shape, used, reasons, EnergyTerms(0, 0, 0, 0, 0), 0.0)


def rough(shape):
    return shape + 0.02 * np.random.default_rng(0).normal(size=shape.shape)


def test_gradient_is_that_of_the_objective(scene):
    shape, cameras, _, _ = scene
    problem = _Problem(cameras, start_from(rough(shape)), MIRROR, 0.3, BundleSettings())
    start = np.concatenate([problem.free.ravel(), problem.numbers.ravel()])
    start += 0.02 * np.random.default_rng(1).normal(size=start.size)
    numeric = approx_fprime(start, lambda flat: problem.objective(flat)[0], 1e-7)
    assert np.allclose(problem.objective(start)[1], numeric, rtol=1e-4, atol=1e-2)


def test_exact_data_give_everything_back(scene):
    shape, cameras, p, offset = scene
    found = refine(cameras, start_from(rough(shape)), MIRROR, settings=NO_PRIORS)
    assert np.allclose(found.xyz, shape, atol=1e-4)
    assert np.allclose(found.p, p, rtol=1e-3)
    assert np.allclose(found.depth_offset, offset, rtol=5e-3)
    assert np.nanmax(np.abs(found.reprojection)) < 1e-4
    assert np.nanmax(np.abs(found.depth_residual)) < 1e-4


def test_poses_agree_with_back_projection_of_calibrated_depth(scene):
    shape, cameras, _, _ = scene
    found = refine(cameras, start_from(rough(shape)), MIRROR, settings=NO_PRIORS)
    for number, relative in enumerate(cameras.relative_depth):
        depth_map = np.append(relative, 1.0)[None]
        z = calibrated_depth(depth_map, found.depth_offset[number])[0, :-1]
        size = tuple(cameras.sizes[number])
        points = back_project(cameras.annotated_px[number], z, size, found.p[number])
        placed = found.scale[number] * found.xyz @ found.rotation[number].T
        assert np.allclose(placed + found.translation[number], points, atol=1e-3)
        assert np.linalg.det(found.rotation[number]) == pytest.approx(1.0)


def test_images_with_too_few_keypoints_get_no_pose(scene):
    shape, cameras, _, _ = scene
    pixels = cameras.annotated_px.copy()
    pixels[4, 3:] = np.nan
    few = Cameras(**{**vars(cameras), "annotated_px": pixels})
    found = refine(few, start_from(rough(shape)), MIRROR, settings=NO_PRIORS)
    assert np.array_equal(np.flatnonzero(~found.posed), [4])
    assert np.isnan(found.scale[4])
    assert found.p[4] == pytest.approx(np.median(np.delete(found.p, 4)))
    assert np.allclose(found.xyz, shape, atol=1e-4)
    pixels[:, 3:] = np.nan
    with pytest.raises(InputError, match="no training image shows 4 used keypoints"):
        refine(few, start_from(rough(shape)), MIRROR)


def test_unused_keypoints_stay_unused(scene):
    shape, cameras, _, _ = scene
    start = rough(shape)
    start[8] = np.nan
    found = refine(cameras, start_from(start), MIRROR, settings=NO_PRIORS)
    assert np.array_equal(np.flatnonzero(~found.used), [8])
    assert found.reasons[8] == "not there"
    fit = similarity_procrustes(found.xyz[:8], shape[:8])
    assert np.allclose(fit.apply(found.xyz[:8]), shape[:8], atol=1e-4)
