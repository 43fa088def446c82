"""Beta fits against SciPy's and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.special import digamma

from semalign3d.shape.relations.beta import (
    LARGEST_PARAMETER,
    fit_beta,
    log_pdf,
    logit_variance,
    mean_logit,
)


def means(alpha, beta):
    total = digamma(alpha + beta)
    return digamma(alpha) - total, digamma(beta) - total


@pytest.mark.parametrize(
    ("alpha", "beta"), [(2.0, 3.0), (0.4, 0.7), (60.0, 5.0), (1.0, 1.0), (900.0, 1200.0)]
)
def test_agrees_with_scipy_on_samples(alpha, beta):
    x = np.random.default_rng(1).beta(alpha, beta, size=400)
    expected = stats.beta.fit(x, floc=0, fscale=1)[:2]
    found = fit_beta(np.log(x).mean(), np.log1p(-x).mean())
    assert np.allclose(found, expected, rtol=1e-4)


@settings(max_examples=200, deadline=None)
@given(st.floats(-6.0, 10.0), st.floats(-6.0, 10.0))
def test_recovers_the_parameters_of_exact_means(log_alpha, log_beta):
    alpha, beta = np.exp(log_alpha), np.exp(log_beta)
    g1, g2 = means(alpha, beta)
    if g1 < 0.0 and g2 < 0.0:
        assert np.allclose(fit_beta(g1, g2), (alpha, beta), rtol=1e-4)


def test_many_at_once_as_one_by_one():
    rng = np.random.default_rng(2)
    g1, g2 = means(rng.uniform(0.5, 50.0, (30, 4)), rng.uniform(0.5, 50.0, (30, 4)))
    together = fit_beta(g1, g2)
    single = np.vectorize(lambda a, b: fit_beta(a, b)[0])(g1, g2)
    assert together[0].shape == (30, 4)
    assert np.array_equal(together[0], single)


def test_equal_samples_end_at_the_largest_parameter():
    alpha, beta = fit_beta(np.log([0.3]), np.log([0.7]))
    assert alpha[0] <= LARGEST_PARAMETER
    assert max(alpha[0], beta[0]) > 1e6
    assert alpha[0] / (alpha[0] + beta[0]) == pytest.approx(0.3, abs=1e-3)


@pytest.mark.parametrize("bad", [np.nan, 0.0, 0.5, -np.inf])
def test_refuses_means_that_no_sample_has(bad):
    with pytest.raises(ValueError, match="mean_log_x"):
        fit_beta(np.array([bad]), np.array([-1.0]))


def test_density_and_logit_moments():
    x = np.linspace(0.05, 0.95, 7)
    assert np.allclose(log_pdf(x, 2.5, 4.0), stats.beta.logpdf(x, 2.5, 4.0))
    sample = np.random.default_rng(3).beta(2.5, 4.0, size=200_000)
    logit = np.log(sample) - np.log1p(-sample)
    assert mean_logit(2.5, 4.0) == pytest.approx(logit.mean(), abs=0.01)
    assert logit_variance(2.5, 4.0) == pytest.approx(logit.var(), rel=0.02)
