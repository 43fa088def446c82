"""Masks and boxes on the grid of descriptors."""

import numpy as np
import pytest

from semalign3d.alignment.photo.region import box_mask, damping, object_region, region_extent

SIZE, GRID = (40, 20), 10


def test_cells_are_covered_by_the_mask_s_share() -> None:
    """Cells of 4 pixels; the photo lies in rows 2.5 to 7.5 of the padded square."""
    mask = np.zeros((20, 40), dtype=bool)
    mask[2:6, 4:14] = True  # rows 12 to 15 of the square: the fourth row of cells
    found = object_region(mask, SIZE, GRID)
    expected = np.zeros((GRID, GRID))
    expected[3, 1:3], expected[3, 3] = 1.0, 0.5
    np.testing.assert_allclose(found, expected)


def test_masks_of_another_size_are_refused_and_extents_measured() -> None:
    with pytest.raises(ValueError, match="mask"):
        object_region(np.zeros((40, 20)), SIZE, GRID)
    mask = np.zeros((20, 40), dtype=bool)
    assert region_extent(mask) == 0.0
    mask[3, 4] = mask[5, 7] = True
    assert region_extent(mask) == pytest.approx(5.0 / 40.0)


def test_a_box_is_a_mask_with_its_borders() -> None:
    found = box_mask((3.0, 1.5, 6.0, 4.0), (10, 8))
    assert found.shape == (8, 10)
    assert found.sum() == 4 * 3
    assert found[2:5, 3:7].all()
    outside = box_mask((-5.0, -5.0, 100.0, 100.0), (10, 8))
    assert outside.all()


def test_likelihoods_shrink_beyond_the_next_cell() -> None:
    region = np.zeros((7, 7))
    region[3, 3] = 1.0
    factors = damping(region)
    np.testing.assert_allclose(factors[2:5, 2:5], 1.0)
    assert factors[0, 0] == pytest.approx(0.1)
