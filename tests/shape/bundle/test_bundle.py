"""Bundle refinement against known scenes."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from torch_devices import DEVICES

from semalign3d.errors import InputError
from semalign3d.geometry.cameras import back_project, calibrated_depth, mirror_keypoints, project
from semalign3d.geometry.frames import canonical_frame, similarity_procrustes
from semalign3d.shape.bundle.model import LOG_C
from semalign3d.shape.bundle.objective import BundleObjective
from semalign3d.shape.bundle.refinement import refine, refined_cameras
from semalign3d.shape.bundle.rejection import implausible
from semalign3d.shape.bundle.reposing import poorly_fitted
from semalign3d.shape.bundle.settings import BundleSettings
from semalign3d.shape.bundle.suspects import DISPLACED, SWAPPED, check_annotations
from semalign3d.shape.bundle.uncertainty import shape_basis
from semalign3d.shape.cameras.estimation import Cameras
from semalign3d.shape.sparse.energy import EnergyTerms
from semalign3d.shape.sparse.prior import SparseShape
from studies.shared.synthetic_views import mirror_table, random_rotation, rotation, symmetric_shape

MIRROR = mirror_table(9, 4)
NO_PRIORS = BundleSettings(offset_spread=1e4, focal_spread=1e4)


@pytest.fixture(scope="module")
def scene():
    """A shape in its canonical frame, and what 10 cameras with exact depth see of it."""
    rng = np.random.default_rng(3)
    shape = symmetric_shape(MIRROR, rng)
    shape = canonical_frame(shape, np.ones(9, dtype=bool), MIRROR).apply(shape)
    tilts = rng.uniform(0.1, 0.8, size=10)
    rotations = [rotation(0.63 * number, tilt) for number, tilt in enumerate(tilts)]
    offset = rng.uniform(0.3, 1.2, size=10)
    cameras, p = photographed(shape, rotations, offset, rng)
    return shape, cameras, p, offset


def photographed(shape, rotations, offset, rng):
    """Cameras with exact depth that see a shape from N sides, and their p."""
    count = len(rotations)
    sizes, p = rng.integers(300, 640, size=(count, 2)), rng.uniform(0.4, 0.9, size=count)
    pixels, xyz, relative = [], [], []
    for number, turn in enumerate(rotations):
        placed = shape @ turn.T + [*rng.uniform(-0.1, 0.1, size=2), rng.uniform(1.5, 2.5)]
        pixels.append(project(placed, tuple(sizes[number]), p[number]))
        # m = a / z - c with the nearest point of the image (m = 1) nearer than the object.
        near = 0.95 * placed[:, 2].min()
        relative.append((1.0 + offset[number]) * near / placed[:, 2] - offset[number])
        z = 1.0 - 0.3 * relative[-1]
        xyz.append(back_project(pixels[-1], z, tuple(sizes[number]), 0.8 * p[number]))
    cameras = Cameras(
        tuple(f"image_{number}" for number in range(count)),
        sizes,
        0.8 * p,
        np.full(count, np.nan),
        sizes / 2.0,
        np.array(pixels),
        np.array(pixels),
        np.array(relative),
        np.array(xyz),
        0.3,
        np.full(count, np.nan),
        (),
        (),
    )
    return cameras, p


def start_from(shape, used=None):
    used = np.isfinite(shape).all(axis=1) if used is None else used
    reasons = tuple("" if u else "not there" for u in used)
    return SparseShape(shape, used, reasons, EnergyTerms(0, 0, 0, 0, 0), 0.0)


def rough(shape):
    return shape + 0.02 * np.random.default_rng(0).normal(size=shape.shape)


@pytest.mark.parametrize("device", DEVICES)
def test_objective_and_curvature_on_a_device_are_those_of_numpy(scene, device):
    shape, cameras, _, _ = scene
    start = start_from(rough(shape))
    here, there = (
        BundleObjective(cameras, start, MIRROR, BundleSettings(), where) for where in (None, device)
    )
    numbers = here.numbers + 0.05 * np.random.default_rng(1).normal(size=here.numbers.shape)
    flat = np.concatenate([here.free.ravel(), numbers.ravel()])
    (value, gradient), (found, slope) = here(flat), there(flat)
    assert found == pytest.approx(value, rel=1e-12)
    assert isinstance(slope, np.ndarray)
    assert np.allclose(slope, gradient, rtol=1e-9, atol=1e-9 * np.abs(gradient).max())
    basis = shape_basis(here.shape, start.used)
    open_here, open_there = (made.curvature(here.free, numbers, basis) for made in (here, there))
    assert np.allclose(open_there.second, open_here.second, rtol=1e-8)
    assert np.allclose(open_there.slope, open_here.slope, rtol=1e-8)
    assert open_there.dispersion == pytest.approx(open_here.dispersion)


@pytest.mark.parametrize("device", DEVICES)
def test_refined_shape_on_a_device_is_that_of_numpy(scene, device):
    shape, cameras, _, _ = scene
    here, there = (
        refine(cameras, start_from(rough(shape)), MIRROR, device=where) for where in (None, device)
    )
    assert np.array_equal(there.used, here.used)
    assert np.allclose(there.xyz, here.xyz, atol=1e-4)
    assert np.allclose(there.p, here.p, rtol=1e-2)


def test_gradient_is_that_of_the_objective(scene):
    shape, cameras, _, _ = scene
    problem = BundleObjective(cameras, start_from(rough(shape)), MIRROR, BundleSettings())
    start = np.concatenate([problem.free.ravel(), problem.numbers.ravel()])
    start += 0.02 * np.random.default_rng(1).normal(size=start.size)
    numeric = approx_fprime(start, lambda flat: problem(flat)[0], 1e-7)
    assert np.allclose(problem(start)[1], numeric, rtol=1e-4, atol=1e-2)


def test_annotations_at_random_are_refused(scene):
    shape, cameras, _, _ = scene
    places = np.random.default_rng(2).uniform(size=cameras.annotated_px.shape)
    cameras = dataclasses.replace(cameras, annotated_px=places * cameras.sizes[:, None])
    with pytest.raises(InputError, match=r"agree on no shape: half .* further than \d\d %"):
        refine(cameras, start_from(rough(shape)), MIRROR, BundleSettings(max_iterations=100))


def test_exact_data_give_everything_back(scene):
    shape, cameras, p, offset = scene
    found = refine(cameras, start_from(rough(shape)), MIRROR, NO_PRIORS)
    assert np.allclose(found.xyz, shape, atol=1e-4)
    assert np.allclose(found.p, p, rtol=1e-3)
    assert np.allclose(found.depth_offset, offset, rtol=5e-3)
    assert np.nanmax(np.abs(found.reprojection)) < 1e-4
    assert np.nanmax(np.abs(found.depth_residual)) < 1e-4


def test_poses_agree_with_back_projection_of_calibrated_depth(scene):
    shape, cameras, _, _ = scene
    found = refine(cameras, start_from(rough(shape)), MIRROR, NO_PRIORS)
    for number, relative in enumerate(cameras.relative_depth):
        depth_map = np.append(relative, 1.0)[None]
        z = calibrated_depth(depth_map, found.depth_offset[number])[0, :-1]
        size = tuple(cameras.sizes[number])
        points = back_project(cameras.annotated_px[number], z, size, found.p[number])
        refined = refined_cameras(cameras, found)
        assert np.allclose(refined.keypoints_xyz[number], points)
        assert np.allclose(refined.depth(number, depth_map)[0, :-1], z)
        placed = found.scale[number] * found.xyz @ found.rotation[number].T
        assert np.allclose(placed + found.translation[number], points, atol=1e-3)
        assert np.linalg.det(found.rotation[number]) == pytest.approx(1.0)


def test_images_with_too_few_keypoints_get_no_pose(scene):
    shape, cameras, _, _ = scene
    pixels = cameras.annotated_px.copy()
    pixels[4, 3:] = np.nan
    few = Cameras(**{**vars(cameras), "annotated_px": pixels})
    found = refine(few, start_from(rough(shape)), MIRROR, NO_PRIORS)
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
    found = refine(cameras, start_from(start), MIRROR, NO_PRIORS)
    assert np.array_equal(np.flatnonzero(~found.used), [8])
    assert found.reasons[8] == "not there"
    fit = similarity_procrustes(found.xyz[:8], shape[:8])
    assert np.allclose(fit.apply(found.xyz[:8]), shape[:8], atol=1e-4)


def noisy(cameras, rng, sigma=3.0):
    """The scene with annotations off by some pixels."""
    shift = sigma * rng.normal(size=cameras.annotated_px.shape)
    return dataclasses.replace(cameras, annotated_px=cameras.annotated_px + shift)


def test_neither_the_start_nor_the_order_of_images_matters(scene):
    shape, cameras, _, _ = scene
    cameras = noisy(cameras, np.random.default_rng(5))
    found = refine(cameras, start_from(rough(shape)), MIRROR)
    turn = random_rotation(np.random.default_rng(6))
    elsewhere = canonical_frame(shape, np.ones(9, dtype=bool), MIRROR).apply(
        3.0 * rough(shape) @ turn.T + 1.0
    )
    frame = canonical_frame(elsewhere, np.ones(9, dtype=bool), MIRROR)
    again = refine(cameras, start_from(frame.apply(elsewhere)), MIRROR)
    assert np.allclose(again.xyz, found.xyz, atol=1e-4)
    order = np.random.default_rng(7).permutation(10)
    arrays = {k: v[order] for k, v in vars(cameras).items() if isinstance(v, np.ndarray)}
    shuffled = refine(dataclasses.replace(cameras, **arrays), start_from(rough(shape)), MIRROR)
    assert np.allclose(shuffled.xyz, found.xyz, atol=1e-4)
    assert np.allclose(shuffled.p, found.p[order], rtol=1e-2)


def test_mirrored_photos_give_the_same_shape_and_mirrored_poses(scene):
    shape, cameras, _, _ = scene
    cameras = noisy(cameras, np.random.default_rng(8))
    width = cameras.sizes[:, 0]
    flipped = cameras.annotated_px[:, MIRROR].copy()
    flipped[..., 0] = width[:, None] - flipped[..., 0]
    mirrored = dataclasses.replace(
        cameras,
        annotated_px=flipped,
        relative_depth=cameras.relative_depth[:, MIRROR],
        keypoints_xyz=mirror_keypoints(cameras.keypoints_xyz, MIRROR),
    )
    found = refine(cameras, start_from(rough(shape)), MIRROR)
    other = refine(mirrored, start_from(rough(shape)), MIRROR)
    assert np.allclose(other.xyz, found.xyz, atol=1e-4)
    assert np.allclose(found.xyz[MIRROR], found.xyz * [-1.0, 1.0, 1.0])
    flip = np.diag([-1.0, 1.0, 1.0])
    assert np.allclose(other.rotation, flip @ found.rotation @ flip, atol=1e-3)


def test_photos_that_leave_their_offset_open_take_that_of_the_others():
    """Keypoints in a plane: 8 photos are tilted and tell their depth offset, 4 face the camera."""
    rng = np.random.default_rng(13)
    shape = symmetric_shape(MIRROR, rng) * [1.0, 1.0, 0.01]
    shape = canonical_frame(shape, np.ones(9, dtype=bool), MIRROR).apply(shape)
    facing = np.arange(12) >= 8
    rotations = [
        rotation(*rng.uniform(-0.05, 0.05, size=2))
        if faces
        else rotation(*rng.uniform(0.4, 0.8, size=2) * rng.choice([-1.0, 1.0], size=2))
        for faces in facing
    ]
    offset = rng.uniform(0.8, 1.2, size=12)
    cameras = noisy(photographed(shape, rotations, offset, rng)[0], rng, sigma=1.0)
    found = refine(cameras, start_from(rough(shape)), MIRROR)
    apart = np.abs(np.log(found.depth_offset / offset))
    assert apart[~facing].max() < 0.35
    # 1 / slope, where they start and would stay alone, is 1.2 off.
    assert apart[facing].max() < 0.35


def test_photos_without_a_common_offset_are_left_to_themselves(scene):
    shape, *_ = scene
    rng = np.random.default_rng(14)
    rotations = [rotation(0.63 * number, rng.uniform(0.1, 0.8)) for number in range(10)]
    offset = np.exp(rng.normal(0.0, 1.5, size=10))
    cameras = noisy(photographed(shape, rotations, offset, rng)[0], rng, sigma=1.0)
    objective = BundleObjective(cameras, start_from(rough(shape)), MIRROR, BundleSettings())
    alone = objective.solve()
    together = objective.informed(*alone).solve()
    errors = [
        np.sqrt(np.mean(np.square(numbers[:, LOG_C] - np.log(offset))))
        for _, numbers in (alone, together)
    ]
    assert errors[1] < errors[0] + 0.02
    places = [
        np.abs(similarity_procrustes(xyz, shape).apply(xyz) - shape).max()
        for xyz in (objective.shape.expand(free) for free, _ in (alone, together))
    ]
    assert places[1] < max(places[0], 0.005)


def test_without_a_mirror_table_the_shape_is_free(scene):
    shape, cameras, _, _ = scene
    found = refine(cameras, start_from(rough(shape)), None, NO_PRIORS)
    fit = similarity_procrustes(found.xyz, shape)
    assert np.allclose(fit.apply(found.xyz), shape, atol=1e-4)


def test_covariance_is_that_of_leaving_out_images(scene):
    shape, cameras, _, _ = scene
    cameras = noisy(cameras, np.random.default_rng(9), sigma=2.0)
    found = refine(cameras, start_from(rough(shape)), MIRROR)
    moved = []
    for left_out in range(10):
        rest = np.delete(np.arange(10), left_out)
        arrays = {k: v[rest] for k, v in vars(cameras).items() if isinstance(v, np.ndarray)}
        part = refine(dataclasses.replace(cameras, **arrays), start_from(rough(shape)), MIRROR)
        moved.append(similarity_procrustes(part.xyz, found.xyz).apply(part.xyz) - found.xyz)
    expected = 0.9 * np.square(moved).sum(axis=(0, 2))
    trace = np.trace(found.covariance, axis1=1, axis2=2)
    # What the curvature alone gives is taken where it is larger.
    assert np.all((trace > 0.7 * expected) & (trace < 2.0 * expected))
    assert np.allclose(found.covariance, found.covariance.transpose(0, 2, 1))


def test_a_keypoint_that_one_image_shows_is_left_out_with_the_reason(scene):
    shape, cameras, _, _ = scene
    cameras = noisy(cameras, np.random.default_rng(10), sigma=6.0)
    pixels = cameras.annotated_px.copy()
    pixels[1:, [2, 3]] = np.nan
    few = dataclasses.replace(cameras, annotated_px=pixels)
    found = refine(few, start_from(rough(shape)), None, BundleSettings(max_uncertainty=0.05))
    assert {2, 3} >= set(np.flatnonzero(~found.used)) > set()
    number = np.flatnonzero(~found.used)[0]
    assert "leave its place open" in found.reasons[number]
    assert np.isnan(found.xyz[number]).all()
    assert np.isnan(found.reprojection[:, number]).all()
    with pytest.raises(InputError, match="can place fewer than 4 keypoints"):
        refine(few, start_from(rough(shape)), None, BundleSettings(max_uncertainty=1e-6))


def test_an_image_with_a_wrong_first_pose_finds_the_right_one(scene):
    """Its depth is turned inside out, so that the first pose looks at the other side."""
    shape, cameras, _, _ = scene
    cameras = noisy(cameras, np.random.default_rng(12), sigma=1.0)
    right = refine(cameras, start_from(rough(shape)), MIRROR)
    xyz, relative = cameras.keypoints_xyz.copy(), cameras.relative_depth.copy()
    relative[3] = relative[3].min() + relative[3].max() - relative[3]
    z = 1.0 - 0.3 * relative[3]
    xyz[3] = np.column_stack([xyz[3, :, :2] / xyz[3, :, 2:] * z[:, None], z])
    wrong = dataclasses.replace(cameras, keypoints_xyz=xyz, relative_depth=relative)
    start = start_from(rough(shape))
    first = BundleObjective(wrong, start, MIRROR, BundleSettings())
    free, numbers = first.solve()
    assert np.array_equal(np.flatnonzero(poorly_fitted(first, free, numbers)), [3])
    found = refine(wrong, start, MIRROR)
    assert np.allclose(found.rotation[3], right.rotation[3], atol=0.1)
    assert np.allclose(found.xyz, right.xyz, atol=0.01)


def test_swapped_and_displaced_annotations_are_named(scene):
    shape, cameras, _, _ = scene
    pixels = noisy(cameras, np.random.default_rng(11), sigma=2.0).annotated_px
    pixels[2, [0, 1]] = pixels[2, [1, 0]]
    pixels[5, 2], pixels[5, 3] = pixels[5, 3], np.nan
    pixels[7, 8] += [40.0, -30.0]
    spoilt = dataclasses.replace(cameras, annotated_px=pixels)
    found = refine(spoilt, start_from(rough(shape)), MIRROR)
    check = check_annotations(spoilt, found, MIRROR)
    expected = np.full((10, 9), "", dtype=object)
    expected[2, [0, 1]] = expected[5, 2] = SWAPPED
    expected[7, 8] = DISPLACED
    assert np.array_equal(check.suspicion, expected)
    seen = np.isfinite(pixels).all(axis=2)
    assert np.array_equal(np.isfinite(check.residual), seen)
    assert np.abs(check.expected_px - cameras.annotated_px)[check.suspicion != ""].max() < 10.0
    assert np.abs(found.xyz - shape).max() < 0.02


def test_annotations_far_off_leave_no_trace(scene):
    """The result is that of photos without them, and they are reported all the same."""
    shape, cameras, _, _ = scene
    cameras = noisy(cameras, np.random.default_rng(7))
    wrong = np.zeros((10, 9), dtype=bool)
    wrong[[1, 4, 8], [2, 5, 0]] = True
    displaced = cameras.annotated_px + np.where(wrong, 150.0, 0.0)[..., None]
    spoilt = dataclasses.replace(cameras, annotated_px=displaced)
    found = refine(spoilt, start_from(shape), MIRROR)
    masked = np.where(wrong[..., None], np.nan, cameras.annotated_px)
    without = refine(dataclasses.replace(cameras, annotated_px=masked), start_from(shape), MIRROR)
    assert np.abs(found.xyz - without.xyz).max() < 1e-3
    assert np.isfinite(found.reprojection[wrong]).all()


def test_an_image_keeps_annotations_that_its_pose_needs(scene):
    shape, cameras, _, _ = scene
    pixels = cameras.annotated_px.copy()
    pixels[3, 5:] = np.nan
    pixels[3, :3] = pixels[3, [1, 2, 0]] + 200.0
    objective = BundleObjective(
        dataclasses.replace(cameras, annotated_px=pixels),
        start_from(shape),
        MIRROR,
        BundleSettings(),
    )
    free, numbers = objective.solve()
    distances = objective.distances(free, numbers)
    assert np.nanmax(distances[3]) > 8.0 * np.nanmedian(distances)
    assert not implausible(objective, free, numbers)[3].any()
