"""Even draws of subsets, and the best rows of each member."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semalign3d.geometry.subsets import best_of_each, even_subsets


@given(st.integers(8, 40), st.integers(1, 4), st.integers(0, 99))
def test_all_numbers_occur_about_equally_often(count, size, seed):
    drawn = even_subsets(count, size, 20 * count, np.random.default_rng(seed))
    assert (np.diff(drawn, axis=1) > 0).all()
    assert len(np.unique(drawn, axis=0)) == len(drawn)
    if size == 4:
        occurs = np.bincount(drawn.ravel(), minlength=count)
        assert occurs.min() > 0.7 * occurs.max()


def test_larger_subsets_than_there_are_members_are_refused():
    with pytest.raises(ValueError, match="size: expected 1 to 3, found 4"):
        even_subsets(3, 4, 10, np.random.default_rng(0))


def test_first_the_cheapest_row_of_each_member():
    members = np.array([[0, 1], [0, 1], [1, 2], [2, 3]])
    costs = np.array([1.0, 2.0, 3.0, np.inf])
    # The second row is only second for both of its members; the third is the first that covers 2.
    assert best_of_each(costs, members, 2).tolist() == [0, 2]
    assert best_of_each(costs, members, 9).tolist() == [0, 1, 2]


@given(st.integers(0, 99))
def test_every_member_of_a_finite_row_is_covered(seed):
    rng = np.random.default_rng(seed)
    members = rng.integers(12, size=(60, 2))
    costs = np.where(rng.uniform(size=60) < 0.2, np.inf, rng.uniform(size=60))
    coverable = set(members[np.isfinite(costs)].ravel())
    chosen = best_of_each(costs, members, len(coverable))
    assert set(members[chosen].ravel()) == coverable
    assert np.isfinite(costs[chosen]).all()
