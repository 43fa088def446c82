"""Descriptors of pixels in an image and its mirror image."""

import numpy as np

from semalign3d.shape.sparse.image_descriptors import keypoint_descriptors, pixel_descriptors

SIZE = (120, 60)
GRID = 60


def column_map() -> np.ndarray:
    """(2, G, G, 2): each cell holds its column and row; a mirror image has its own columns."""
    rows, columns = np.mgrid[:GRID, :GRID]
    return np.stack([np.stack([columns, rows], axis=-1)] * 2)


def test_a_pixel_and_its_mirror_image_lie_in_mirrored_cells() -> None:
    pixels = np.array([[0.0, 0.0], [119.0, 59.0], [31.0, 20.0]])
    found = pixel_descriptors(column_map(), pixels, SIZE)
    np.testing.assert_array_equal(found[0, :, 0], GRID - 1 - found[1, :, 0])
    np.testing.assert_array_equal(found[0, :, 1], found[1, :, 1])
    # 120 pixels over 60 cells; the image lies 30 pixels below the square's upper edge.
    np.testing.assert_array_equal(found[0], [[0, 15], [59, 44], [15, 25]])


def test_keypoints_change_their_ids_in_the_mirror_image() -> None:
    keypoints = np.array([[10.0, 5.0], [np.nan, np.nan], [50.0, 40.0]])
    found = keypoint_descriptors(column_map(), keypoints, SIZE, np.array([1, 0, 2]))
    assert np.isfinite(found).all(axis=2).tolist() == [[True, False, True], [False, True, True]]
    np.testing.assert_array_equal(found[1, 1], [GRID - 1 - 5, 17])
    np.testing.assert_array_equal(found[0, 2], [25, 35])
