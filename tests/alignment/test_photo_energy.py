"""Energies before a photo: gradients against differences, poses one by one, planted places."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.optimize import approx_fprime
from scipy.spatial.transform import Rotation

from semalign3d.alignment.photo.fields import Fields, smooth_fields
from semalign3d.alignment.photo.likelihood import SURFACE_LIMIT, PointLikelihood
from semalign3d.alignment.photo.photo import Photo
from semalign3d.alignment.poses.occlusion import hidden_points, point_spacing
from semalign3d.alignment.poses.photo_energy import (
    Camera,
    PhotoEnergy,
    PointTerm,
    ReconstructionTerm,
)
from semalign3d.alignment.poses.pose import Poses, project_turned
from semalign3d.alignment.poses.reconstruction import Reconstruction, reconstruction
from semalign3d.alignment.poses.search import STRIDE, search_grid, search_poses
from semalign3d.alignment.poses.visibility import ViewPrior, Visibility
from semalign3d.alignment.statistics.views import Following
from semalign3d.geometry.cameras import project
from semalign3d.geometry.plane import plane_coordinates, plane_of
from studies.shared.synthetic_views import random_rotation

GRID, KEYPOINTS, POINTS, SIZE = 24, 5, 9, (120, 90)
CAMERA = Camera(np.array([11.5, 11.5]), GRID, 1.5, 0.3)


def some_poses(count: int = 3) -> Poses:
    rng = np.random.default_rng(1)
    return Poses(
        np.array([random_rotation(rng) for _ in range(count)]),
        rng.uniform(-0.1, 0.1, size=(count, 2)),
        np.log(rng.uniform(0.4, 0.7, size=count)),
        np.log(rng.uniform(1.0, 2.0, size=count)),
    )


def some_energy(flat: bool = False) -> PhotoEnergy:
    rng = np.random.default_rng(2)
    maps = np.exp(2.0 * gaussian_filter(rng.normal(size=(KEYPOINTS, 32, 32)), (0, 3, 3)) * 5)
    follow = np.concatenate([np.eye(KEYPOINTS), rng.dirichlet(np.ones(KEYPOINTS), POINTS)])
    cells = rng.uniform(4, 20, size=(30, 2))
    photo = Reconstruction(
        cells, np.full(30, 1 / 30), -rng.uniform(0, 3, size=(30, POINTS)).astype(np.float32)
    )
    terms = [
        PointTerm(np.arange(KEYPOINTS), 1.0, [Fields(maps)]),
        ReconstructionTerm(KEYPOINTS + np.arange(POINTS), 7.0, photo, [4.0]),
    ]
    if not flat:
        return PhotoEnergy(CAMERA, terms, Following(follow))
    plane = plane_of(plane_coordinates(points() * [1.0, 1.0, 0.0]))
    heights = np.concatenate([np.zeros(KEYPOINTS), rng.uniform(-0.4, 0.4, size=POINTS)])
    return PhotoEnergy(CAMERA, terms, Following(np.column_stack([follow, heights]), plane))


def points() -> np.ndarray:
    return np.random.default_rng(3).uniform(-0.4, 0.4, size=(KEYPOINTS, 3))


def seen(count: int) -> np.ndarray:
    return np.random.default_rng(4).uniform(0.2, 0.9, size=(count, KEYPOINTS + POINTS))


def test_projection_is_that_of_the_camera() -> None:
    poses = some_poses()
    found = project_turned(poses.turned(points()), poses)
    for number in range(3):
        xyz = points() @ poses.rotation[number].T + poses.translation()[number]
        pixels = project(xyz, SIZE, float(np.exp(-poses.log_focal[number])))
        expected = (pixels - np.array(SIZE) / 2) / max(SIZE)
        np.testing.assert_allclose(found.places[number], expected, atol=1e-12)
    away = -np.einsum("hji,hj->hi", poses.rotation, poses.translation())
    np.testing.assert_allclose(
        poses.directions(), away / np.linalg.norm(away, axis=1, keepdims=True)
    )


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("name", ["turned", "centre", "log_extent", "log_focal"])
def test_gradients_against_differences(name: str, flat: bool) -> None:
    poses, energy = some_poses(1), some_energy(flat)
    turned = poses.turned(points())
    values = {"turned": turned, **{n: getattr(poses, n) for n in Poses.__dataclass_fields__}}

    def total(flat: np.ndarray) -> float:
        changed = values | {name: flat.reshape(values[name].shape)}
        at = Poses(*(changed[n] for n in Poses.__dataclass_fields__))
        found = energy(changed["turned"], at, seen(1), 0.0)
        return float(found.terms.sum() + CAMERA.focal_energy(at.log_focal)[0][0])

    found = getattr(energy(turned, poses, seen(1), 0.0), name).ravel()
    # Bilinear maps and the best point change their slope at edges: on either side it must fit.
    sides = [approx_fprime(values[name].ravel(), total, step) for step in (1e-3, -1e-3)]
    slack = 0.03 * np.abs(sides).max() + 0.01
    assert (found > np.min(sides, axis=0) - slack).all()
    assert (found < np.max(sides, axis=0) + slack).all()
    assert np.abs(found).max() > 0.1


def test_poses_do_not_depend_on_each_other() -> None:
    poses, energy = some_poses(3), some_energy()
    together = energy(poses.turned(points()), poses, seen(3), 0.0)
    last = poses.take(np.array([2]))
    alone = energy(last.turned(points()), last, seen(3)[2:], 0.0)
    np.testing.assert_allclose(alone.terms[:, 0], together.terms[:, 2], rtol=1e-6)
    np.testing.assert_allclose(alone.turned[0], together.turned[2], rtol=1e-5)


def test_fields_are_read_between_cells_and_constant_far_outside() -> None:
    inside = np.ones((12, 12), dtype=bool)
    v, u = np.mgrid[:12, :12].astype(float)
    field = smooth_fields((2.0 * u - v)[None], inside, 0.5, 1e-3)
    value, slope = field.read(np.array([[[4.3, 6.8]]]))
    np.testing.assert_allclose(value, [[2.0 * 4.3 - 6.8]])
    np.testing.assert_allclose(slope, [[[2.0, -1.0]]])
    value, slope = field.read(np.array([[[-30.0, 99.0]]]))
    np.testing.assert_allclose(value, [[0.5]])
    np.testing.assert_allclose(slope, 0.0)


def test_the_search_finds_a_planted_pose() -> None:
    rng = np.random.default_rng(6)
    shape = rng.uniform(-0.35, 0.35, size=(8, 3))
    grid = search_grid(60, 8, np.array([0.4, 0.55, 0.7]), 1.5)
    planted = Poses(
        grid.rotations[[217]],
        (STRIDE * np.array([[4, 3]]) - CAMERA.origin) / GRID,
        np.log([0.55]),
        np.log([1.5]),
    )
    # Weak perspective about the origin's place, as the search has it.
    still = Poses(planted.rotation, np.zeros((1, 2)), planted.log_extent, planted.log_focal)
    places = project_turned(still.turned(shape), still).places[0] + planted.centre
    cells = np.rint(CAMERA.cells(places)).astype(int)
    maps = np.zeros((8, GRID, GRID))
    maps[np.arange(8), cells[:, 1], cells[:, 0]] = 1.0
    unusual = np.zeros(len(grid.rotations))
    scores = gaussian_filter(maps, (0, 1, 1))
    found = search_poses(scores, 0.0, shape, grid, unusual, CAMERA.origin, 5)
    np.testing.assert_allclose(found.rotation[0], planted.rotation[0])
    np.testing.assert_allclose(found.log_extent[0], planted.log_extent[0])
    np.testing.assert_allclose(found.centre[0], planted.centre[0])
    unusual[217] = 100.0
    found = search_poses(scores, 0.0, shape, grid, unusual, CAMERA.origin, 5)
    assert not np.allclose(found.rotation, planted.rotation, atol=1e-3)


def test_visibility_follows_the_nearest_training_views() -> None:
    directions = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])
    views = Visibility(np.repeat(directions, 20, axis=0), np.repeat(np.eye(3, dtype=bool), 20, 0))
    found = views(directions)
    assert (np.diag(found) == 0.8).all(), "something may always stand in front"
    assert (found[~np.eye(3, dtype=bool)] < 0.1).all()


def test_parts_that_look_nearly_alike_do_not_explain_each_other() -> None:
    """Two points of which both fit well enough to be bounded where the photo shows the first."""
    count, side = 2, 20
    likelihood = PointLikelihood(
        descriptors=np.eye(2, dtype=np.float32),
        on_mean=np.full(count, 0.8),
        on_variance=np.full(count, 0.02),
        off_mean=np.zeros(count),
        off_variance=np.full(count, 0.02),
        deviation=np.ones(count),
        limit=np.full(count, SURFACE_LIMIT),
    )
    cosines = np.zeros((count, side, side), dtype=np.float32)
    cosines[:, 6:14, 6:14] = np.array([0.6, 0.52], dtype=np.float32)[:, None, None]
    everywhere = np.ones((side, side))
    photo = Photo(likelihood, cosines, np.ones(count), everywhere > 0.0, 0.5, everywhere)
    bounded = photo.log_ratios(np.arange(count))[:, 10, 10]
    np.testing.assert_allclose(bounded, SURFACE_LIMIT)
    explained = reconstruction(photo, np.arange(count), 16)
    assert explained.weights.sum() == pytest.approx(1.0)
    away, here = [100.0, 100.0], [9.0, 9.0]
    places, seen = np.array([[here, away], [away, here]]), np.full((2, 2), 0.8)
    right, wrong = explained.energy(places, seen, 6.0)[0]
    assert right < wrong - 0.5


def test_points_behind_others_are_hidden() -> None:
    xyz = np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 1.3], [0.0, 0.0, 1.05], [0.4, 0.0, 1.3]])
    places = np.array([[5.0, 5.0], [5.3, 5.2], [5.2, 5.0], [9.0, 5.0]])
    np.testing.assert_array_equal(hidden_points(xyz, places, 1.0), [False, True, False, False])
    np.testing.assert_array_equal(hidden_points(xyz, places, 0.1), np.zeros(4, dtype=bool))
    assert hidden_points(xyz[:0], places[:0], 1.0).shape == (0,)
    assert point_spacing(np.array([[0.0, 0, 0], [0.1, 0, 0], [0.3, 0, 0]])) == pytest.approx(0.1)


def test_usual_turns_are_likelier_and_densities_add_up() -> None:
    rng = np.random.default_rng(9)
    usual = Rotation.from_rotvec([[0.0, 0.1, 0.0], [0.1, 0.0, 0.1]]).as_matrix()
    views = ViewPrior(usual, 1.0)
    upright, upside_down, behind = views(
        Rotation.from_rotvec([[0, 0, 0], [0, 0, np.pi], [0, np.pi, 0]]).as_matrix()
    )
    assert min(upside_down, behind) - upright > 6.0
    every = Rotation.random(200_000, random_state=rng).as_matrix()
    assert np.exp(-views(every)).mean() == pytest.approx(1.0, abs=0.03)
    np.testing.assert_allclose(ViewPrior(usual, 0.5)(every[:9]), 0.5 * views(every[:9]))
