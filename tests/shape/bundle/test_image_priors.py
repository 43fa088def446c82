"""Priors learnt from images, against SciPy's normal distribution and closed forms."""

import numpy as np
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from semalign3d.shape.bundle.image_priors import ImagePriors
from semalign3d.shape.bundle.model import LOG_C, LOG_G, LOG_K, PARAMETERS

FIRST = ImagePriors(np.array([1.2, -0.2]), np.array([1.0, 0.5]))


def images_that_say(found, told, priors=FIRST):
    """Numbers and curvature of images whose likelihoods have minima (n, 2), curvature (n, 2, 2)."""
    numbers = np.zeros((len(found), PARAMETERS))
    pull = (told @ found[..., None])[..., 0] + priors.precision * priors.centre
    whole = told + np.diag(priors.precision)
    at = np.linalg.solve(whole, pull[..., None])[..., 0]
    numbers[:, LOG_C], numbers[:, LOG_G] = at[:, 0], at[:, 1]
    # Log k, which log p shares with log g, is known as good as exactly, and so are the others.
    curvature = np.broadcast_to(1e9 * np.eye(PARAMETERS), (len(found), PARAMETERS, PARAMETERS))
    curvature = curvature.copy()
    free = [LOG_C, LOG_G]
    curvature[np.ix_(range(len(found)), free, free)] = whole
    return numbers, curvature


def random_images(rng, count=12):
    root = rng.normal(size=(count, 2, 2)) * rng.uniform(0.3, 4.0, size=(count, 1, 1))
    return rng.normal([0.3, -0.5], [0.5, 0.3], size=(count, 2)), root @ root.mT + 0.2 * np.eye(2)


def test_they_maximise_the_likelihood_of_what_images_say():
    found, told = random_images(np.random.default_rng(0))
    covariance = np.linalg.inv(told)

    def expected_loss(flat):
        spread = np.exp(flat[2:])
        images = sum(
            multivariate_normal.logpdf(x, flat[:2], own + np.diag(spread**2))
            for x, own in zip(found, covariance, strict=True)
        )
        centre = multivariate_normal.logpdf(flat[:2], FIRST.centre, np.diag(FIRST.spread**2))
        one_more = -np.log(spread) - 0.5 * (FIRST.spread / spread) ** 2
        return -(images + centre + one_more.sum())

    best = minimize(expected_loss, [0, 0, 0, 0], method="Nelder-Mead", options={"xatol": 1e-6}).x
    learnt = FIRST.learnt(FIRST, *images_that_say(found, told))
    assert np.allclose(learnt.centre, best[:2], atol=1e-3)
    assert np.allclose(learnt.spread, np.exp(best[2:]), rtol=2e-3)


def test_many_sure_images_give_their_own_mean_and_spread():
    found = np.random.default_rng(1).normal([0.2, -0.4], [0.4, 0.1], size=(400, 2))
    numbers, curvature = images_that_say(found, np.broadcast_to(1e5 * np.eye(2), (400, 2, 2)))
    learnt = FIRST.learnt(FIRST, numbers, curvature)
    assert np.allclose(learnt.centre, found.mean(axis=0), atol=2e-3)
    square = (found.var(axis=0) * 400 + FIRST.spread**2) / 401
    assert np.allclose(learnt.spread, np.sqrt(square), rtol=1e-2)


def test_images_that_say_nothing_count_nothing():
    found, told = random_images(np.random.default_rng(2))
    few = FIRST.learnt(FIRST, *images_that_say(found, told))
    silent = (
        np.concatenate([found, np.full((30, 2), 9.0)]),
        np.concatenate([told, 0.0 * told, 0.0 * told, 0.0 * told])[:42],
    )
    many = FIRST.learnt(FIRST, *images_that_say(*silent))
    assert np.allclose(many.centre, few.centre, atol=1e-3)
    assert np.allclose(many.spread, few.spread, rtol=1e-3)
    none = FIRST.learnt(FIRST, *images_that_say(found[:3], 0.0 * told[:3]))
    assert np.allclose(none.centre, FIRST.centre, atol=1e-3)
    assert np.allclose(none.spread, FIRST.spread, rtol=1e-2)


def test_what_images_say_does_not_depend_on_the_priors_they_were_found_under():
    found, told = random_images(np.random.default_rng(3))
    other = ImagePriors(np.array([-0.5, 0.3]), np.array([0.4, 0.8]))
    learnt = FIRST.learnt(FIRST, *images_that_say(found, told))
    again = other.learnt(FIRST, *images_that_say(found, told, other))
    assert np.allclose(again.centre, learnt.centre, atol=1e-3)
    assert np.allclose(again.spread, learnt.spread, rtol=1e-3)


def test_losses_are_those_of_normal_distributions():
    numbers = np.random.default_rng(4).normal(size=(5, PARAMETERS))
    x = np.stack([numbers[:, LOG_C], numbers[:, LOG_G] + numbers[:, LOG_K]], axis=1)
    density = multivariate_normal(FIRST.centre, np.diag(FIRST.spread**2))
    expected = density.logpdf(FIRST.centre) - density.logpdf(x)
    loss, gradient = FIRST.losses(numbers)
    assert np.allclose(loss, expected)
    further, _ = FIRST.losses(numbers + 1.0)
    step = gradient.sum(axis=1) + 0.5 * FIRST.curvature().sum()
    assert np.allclose(further, loss + step)
