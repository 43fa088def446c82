"""Nearest neighbours on tensors are those of the k-d tree."""

import numpy as np
import pytest
from scipy.spatial import cKDTree
from torch_devices import DEVICES

from semalign3d import arrays
from semalign3d.geometry import neighbours
from semalign3d.geometry.neighbours import Neighbours


@pytest.mark.parametrize("device", [None, *DEVICES])
@pytest.mark.parametrize("dimensions", [3, 6])
def test_neighbours_are_those_of_a_tree(device, dimensions, monkeypatch):
    rng = np.random.default_rng(0)
    points, queries = rng.normal(size=(300, dimensions)), rng.normal(size=(101, dimensions))
    if device is not None:
        monkeypatch.setattr(neighbours, "chunk_values", lambda *_: 300 * 40)
    there = [arrays.to_device(array, device) for array in (points, queries)]
    found = Neighbours(there[0]).query(there[1], 7)
    distance, near = map(arrays.to_numpy, found)
    expected = cKDTree(points).query(queries, k=7)
    assert np.allclose(distance, expected[0], rtol=1e-12)
    assert np.array_equal(near, expected[1])


@pytest.mark.parametrize("device", [None, *DEVICES])
def test_few_points_close_together_and_no_query(device):
    # Far from the origin, where distances from scalar products would be wrong.
    points = arrays.to_device(1e3 + 1e-7 * np.arange(12.0).reshape(4, 3), device)
    distance, near = map(arrays.to_numpy, Neighbours(points).query(points, 9))
    assert near.shape == (4, 4)
    assert near[:, 0].tolist() == [0, 1, 2, 3]
    assert np.array_equal(distance[:, 0], np.zeros(4))
    assert distance[0, 1] == pytest.approx(3e-7 * np.sqrt(3.0), rel=1e-5)
    distance, near = Neighbours(points).query(points[:0], 1)
    assert tuple(distance.shape) == tuple(near.shape) == (0, 1)
