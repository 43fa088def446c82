"""Specks go, thin parts and several pieces stay."""

import numpy as np

from semalign3d.maps.masks.cleaning import without_specks


def chair() -> np.ndarray:
    """A seat on thin legs, a real hole, and a second piece."""
    mask = np.zeros((120, 160), dtype=bool)
    mask[40:70, 30:110] = True
    mask[70:110, [32, 106]] = True
    mask[50:60, 60:70] = False
    mask[80:100, 125:145] = True
    return mask


def test_a_clean_mask_stays() -> None:
    np.testing.assert_array_equal(without_specks(chair()), chair())


def test_flipped_pixels_are_flipped_back() -> None:
    flipped = chair() ^ (np.random.default_rng(0).random(chair().shape) < 0.01)
    found = without_specks(flipped)
    assert np.mean(flipped != chair()) > 0.008
    assert np.mean(found != chair()) < 0.0015
    rows, columns = np.nonzero(found & ~chair())
    assert all(
        chair()[r - 1 : r + 2, c - 1 : c + 2].any() for r, c in zip(rows, columns, strict=True)
    )


def test_a_tiny_object_is_no_speck() -> None:
    mask = np.zeros((30, 30), dtype=bool)
    mask[4:6, 4:6] = True
    mask[20, 20] = True
    found = without_specks(mask)
    assert found.sum() == 4
    assert found[4:6, 4:6].all()
    assert not without_specks(np.zeros((5, 5), dtype=bool)).any()
    assert without_specks(np.ones((5, 5), dtype=bool)).all()
