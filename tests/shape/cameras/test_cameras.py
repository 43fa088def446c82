"""Cameras, grids and keypoints on masks."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semalign3d.geometry.cameras import (
    back_project,
    depth_from_inverse,
    mirror_keypoints,
    mirror_pixels,
    mirror_points,
    project,
)
from semalign3d.geometry.grid import cell_to_pixel, pixel_to_cell, sample_descriptors
from semalign3d.geometry.keypoints import correct_keypoints, erode, sample_pixels, snap_to_mask
from semalign3d.shape.cameras.estimation import AnnotatedView, estimate_cameras

SIZES = [(640, 480), (333, 500), (200, 200), (501, 37)]


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(SIZES),
    st.floats(0.05, 2.0),
    st.lists(st.tuples(st.floats(-50, 700), st.floats(-50, 700), st.floats(0.1, 9)), min_size=1),
)
def test_projecting_undoes_back_projecting(size, p, values):
    values = np.array(values)
    points = back_project(values[:, :2], values[:, 2], size, p)
    assert np.allclose(points[:, 2], values[:, 2])
    assert np.allclose(project(points, size, p), values[:, :2], atol=1e-6)


def test_back_projection_is_that_of_the_method():
    # W = 400, H = 300, L = 400: pixel (300, 50) is (0.75, 0.125), the centre (0.5, 0.375).
    point = back_project(np.array([300.0, 50.0]), np.array(0.8), (400, 300), 0.5)
    assert np.allclose(point, [0.25 * 0.8 * 0.5, -0.25 * 0.8 * 0.5, 0.8])


def test_points_behind_the_camera_have_no_pixel():
    assert np.isnan(project(np.array([[0.1, 0.1, -1.0]]), (10, 10), 1.0)).all()


def test_depth_lies_between_seven_tenths_and_one():
    d = np.array([[0.0, 5.0], [10.0, 2.5]])
    assert np.allclose(depth_from_inverse(d), [[1.0, 0.85], [0.7, 0.925]])
    assert np.allclose(depth_from_inverse(7.0 * d, 0.3), depth_from_inverse(d))


@pytest.mark.parametrize("bad", [np.zeros((2, 2)), np.array([[np.nan, 1.0]]), -np.ones((2, 2))])
def test_depth_maps_without_meaning_are_refused(bad):
    with pytest.raises(ValueError, match="inverse_depth"):
        depth_from_inverse(bad)


def test_shapes_are_named_when_they_differ():
    with pytest.raises(ValueError, match=r"pixels: expected shape \(\.\.\., 2\), found \(3,\)"):
        back_project(np.zeros(3), np.array(1.0), (10, 10), 1.0)
    with pytest.raises(ValueError, match="depth: expected shape"):
        back_project(np.zeros((4, 2)), np.ones(3), (10, 10), 1.0)


def test_mirroring_twice_changes_nothing():
    rng = np.random.default_rng(0)
    pixels, points = rng.integers(0, 50, (9, 2)), rng.normal(size=(5, 3))
    mirror = np.array([1, 0, 2, 4, 3])
    assert np.array_equal(mirror_pixels(mirror_pixels(pixels, 50), 50), pixels)
    assert np.array_equal(mirror_pixels(np.array([[0, 3]]), 50), [[49, 3]])
    assert np.array_equal(mirror_points(mirror_points(points)), points)
    once = mirror_keypoints(points, mirror)
    assert np.array_equal(once[1], points[0] * [-1, 1, 1])
    assert np.array_equal(mirror_keypoints(once, mirror), points)


@pytest.mark.parametrize("table", [[1, 2, 0], [0, 3], [-1, 1]])
def test_tables_that_are_no_mirrors_are_refused(table):
    with pytest.raises(ValueError, match="mirror"):
        mirror_keypoints(np.zeros((len(table), 3)), np.array(table))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("grid", [15, 60])
def test_cells_and_pixels_belong_together(size, grid):
    cells = np.stack(np.meshgrid(np.arange(grid), np.arange(grid)), axis=-1)
    assert np.array_equal(pixel_to_cell(cell_to_pixel(cells, size, grid), size, grid), cells)


def test_grid_covers_the_padded_square():
    # W = 200, H = 100: 50 rows of padding above, cells of 50 pixels.
    assert np.array_equal(pixel_to_cell(np.array([0, 0]), (200, 100), 4), [0, 1])
    assert np.array_equal(pixel_to_cell(np.array([199, 99]), (200, 100), 4), [3, 2])
    assert np.array_equal(pixel_to_cell(np.array([500, -400]), (200, 100), 4), [3, 0])
    assert np.allclose(cell_to_pixel(np.array([0, 1]), (200, 100), 4), [25.0, 25.0])


def test_descriptors_are_taken_row_then_column():
    grid = np.arange(4 * 4 * 2).reshape(4, 4, 2)
    found = sample_descriptors(grid, np.array([[60, 10]]), (200, 100))
    assert np.array_equal(found, grid[1, 1][None])
    with pytest.raises(ValueError, match="pixels"):
        sample_descriptors(grid, np.array([[np.nan, 1.0]]), (200, 100))


def disc(radius=20.0, size=64):
    y, x = np.mgrid[:size, :size]
    return (x - 31.0) ** 2 + (y - 31.0) ** 2 <= radius**2


def test_keypoints_move_to_the_nearest_pixel_of_the_mask():
    mask = disc()
    pixels = np.random.default_rng(1).uniform(-20, 90, (50, 2))
    moved = snap_to_mask(pixels, mask)
    inside = np.argwhere(mask)[:, ::-1]
    nearest = np.linalg.norm(pixels[:, None] - inside, axis=2).min(axis=1)
    assert mask[moved[:, 1], moved[:, 0]].all()
    assert np.allclose(np.linalg.norm(pixels - moved, axis=1), nearest)


def test_erosion_takes_two_pixels_off_but_never_all():
    mask = np.zeros((20, 20), dtype=bool)
    mask[5:15, 5:15] = True
    assert erode(mask).sum() == 8 * 8
    assert erode(np.ones((4, 4), dtype=bool)).all()
    thin = np.zeros((20, 20), dtype=bool)
    thin[7, 2:9] = True
    assert np.array_equal(erode(thin), thin)


def test_absent_keypoints_stay_absent_and_empty_masks_are_refused():
    keypoints = np.array([[3.0, 3.0], [np.nan, np.nan]])
    moved = correct_keypoints(keypoints, disc())
    assert np.isnan(moved[1]).all()
    assert erode(disc())[int(moved[0, 1]), int(moved[0, 0])]
    with pytest.raises(ValueError, match="empty mask"):
        correct_keypoints(keypoints, np.zeros((64, 64), dtype=bool))


def test_sampled_pixels_are_different_ones_of_the_mask():
    mask = disc()
    pixels = sample_pixels(mask, 100, np.random.default_rng(0))
    assert len(np.unique(pixels, axis=0)) == 100
    assert mask[pixels[:, 1], pixels[:, 0]].all()
    assert len(sample_pixels(mask, 10**6, np.random.default_rng(0))) == mask.sum()


def test_keypoints_beside_the_mask_take_only_depth_from_it() -> None:
    """An object on the right, a step in depth on it; the second keypoint lies 4 pixels beside."""
    mask = np.zeros((60, 80), dtype=bool)
    mask[10:50, 30:70] = True
    inverse = np.where(mask, 0.5, 0.1)
    inverse[:, 50:] *= 2.0
    annotated = np.array([[60.0, 30.0], [26.0, 30.0], [np.nan, np.nan]])
    view = AnnotatedView("a", (80, 60), annotated, mask, inverse)
    cameras = estimate_cameras([view], np.arange(3), slope=0.3, erosion_iterations=0)
    np.testing.assert_array_equal(cameras.keypoints_px[0, :2], [[60, 30], [30, 30]])
    xyz = cameras.keypoints_xyz[0]
    np.testing.assert_allclose(xyz[:2, 2], [0.7, 0.85])
    np.testing.assert_allclose(project(xyz, (80, 60), cameras.p[0]), annotated)
