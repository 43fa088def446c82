"""Array maths is the same on NumPy, on torch's CPU, and on a GPU where there is one."""

import numpy as np
import pytest
import torch
from scipy import special
from torch_devices import DEVICES

from semalign3d import arrays
from semalign3d.errors import InputError
from semalign3d.shape.relations.beta import fit_beta
from semalign3d.shape.relations.fitting import fit_relations
from semalign3d.shape.sparse.energy import ShapeEnergy
from semalign3d.shape.sparse.prior import fit_sparse
from studies.shared.synthetic_views import category, generators


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def test_special_functions_are_scipys(device):
    x, y = np.random.default_rng(0).uniform(0.05, 300.0, (2, 1000))
    a, b = arrays.to_device(x, device), arrays.to_device(y, device)
    assert np.allclose(arrays.to_numpy(arrays.digamma(a)), special.digamma(x), rtol=1e-10)
    assert np.allclose(arrays.to_numpy(arrays.trigamma(a)), special.polygamma(1, x), rtol=1e-10)
    assert np.allclose(arrays.to_numpy(arrays.betaln(a, b)), special.betaln(x, y), rtol=1e-9)


def test_sparse_matrices_multiply_as_dense_ones(device):
    rng = np.random.default_rng(1)
    rows, columns = rng.integers(0, 5, 40), rng.integers(0, 7, 40)
    values, right = rng.normal(size=40), rng.normal(size=(7, 3))
    dense = np.zeros((5, 7))
    np.add.at(dense, (rows, columns), values)
    for where in (None, device):
        product = arrays.matrix(values, rows, columns, (5, 7), where) @ arrays.to_device(
            right, where
        )
        assert np.allclose(arrays.to_numpy(product), dense @ right)


@pytest.mark.parametrize("shape", [(), (3,)])
def test_sums_of_groups_are_those_of_a_loop(device, shape):
    rng = np.random.default_rng(4)
    values, groups = rng.normal(size=(50, *shape)), rng.integers(0, 6, size=50)
    expected = [values[groups == group].sum(axis=0) for group in range(8)]
    for where in (None, device):
        there = arrays.to_device(values, where), arrays.to_device(groups, where)
        assert np.allclose(arrays.to_numpy(arrays.group_sums(*there, 8)), expected)
    assert np.array_equal(arrays.group_sums(values[:0], groups[:0], 2), np.zeros((2, *shape)))


def test_beta_fits_are_those_of_numpy(device):
    x = np.random.default_rng(2).beta(3.0, 1.5, (200, 50))
    means = np.log(x).mean(axis=1), np.log1p(-x).mean(axis=1)
    found = fit_beta(*(arrays.to_device(mean, device) for mean in means))
    assert np.allclose([arrays.to_numpy(values) for values in found], fit_beta(*means), rtol=1e-7)


@pytest.fixture(scope="module")
def made():
    return category(0, keypoints=8, pairs=3, images=10, spread=0.1, visible=0.8)


def relations_on(made, device):
    return fit_relations(made.points, np.arange(10), generators(10), min_images=3, device=device)


def test_relations_energy_and_sparse_prior_are_those_of_numpy(made, device):
    here, there = relations_on(made, None), relations_on(made, device)
    assert np.array_equal(here.pair_kept, there.pair_kept)
    assert np.array_equal(here.triangle_kept, there.triangle_kept)
    assert np.array_equal(here.triangle_copies, there.triangle_copies)
    assert np.allclose(here.pair_alpha, there.pair_alpha, rtol=1e-6, equal_nan=True)
    assert np.allclose(here.triangle_beta, there.triangle_beta, rtol=1e-6, equal_nan=True)
    used = np.arange(8) != 3
    shape = np.random.default_rng(3).normal(size=(8, 3))
    value, gradient = ShapeEnergy(here, used).value_and_gradient(shape)
    found, slope = ShapeEnergy(here, used, device).value_and_gradient(shape)
    assert found == pytest.approx(value)
    assert isinstance(slope, np.ndarray)
    assert np.allclose(slope, gradient)
    priors = [fit_sparse(here, made.mirror, device=where) for where in (None, device)]
    assert np.array_equal(priors[0].used, priors[1].used)
    assert np.allclose(priors[0].xyz, priors[1].xyz, atol=1e-3, equal_nan=True)


def test_devices_of_the_configuration(monkeypatch):
    assert arrays.compute_device("cpu") is None
    monkeypatch.setattr(arrays, "_GPU_SIGNS", ())
    assert arrays.compute_device("auto") is None
    with pytest.raises(InputError, match="gpu0"):
        arrays.compute_device("gpu0")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="finds none here"):
            arrays.compute_device("cuda:0")
