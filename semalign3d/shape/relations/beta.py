"""Beta distributions fitted all at once by maximum likelihood (METHOD.md section 6).

The likelihood depends on the samples only through mean log x and mean log(1 - x), so that any
number of distributions is fitted by Newton's method on those two numbers.
"""

import math

import numpy as np

from semalign3d.arrays import (
    Array,
    as_float64,
    betaln,
    digamma,
    namespace,
    trigamma,
)
from semalign3d.geometry.arguments import require_finite

LARGEST_PARAMETER = 1e8
_LONGEST_STEP = 2.0


def fit_beta(
    mean_log_x: Array,
    mean_log_1mx: Array,
    *,
    max_iterations: int = 50,
    tolerance: float = 1e-8,
) -> tuple[Array, Array]:
    """Maximum likelihood Beta(alpha, beta) from mean log x and mean log(1 - x).

    Newton's method on (alpha, beta), where the likelihood is concave; its step is taken in the
    logarithms of the parameters, and limited, so that they stay positive.

    Parameters
    ----------
    mean_log_x, mean_log_1mx
        (...,) means over the samples of log x and log(1 - x), x in (0, 1).
    max_iterations
        At most so many Newton steps.
    tolerance
        A distribution is finished when both relative steps are below this.

    Returns
    -------
    tuple[Array, Array]
        alpha and beta (...,), at most `LARGEST_PARAMETER`: samples that are all equal, whose
        likelihood grows without bound, end there.

    Raises
    ------
    ValueError
        If the shapes differ, or a mean is not finite or not negative.
    """
    g1, g2 = as_float64(mean_log_x), as_float64(mean_log_1mx)
    if g1.shape != g2.shape:
        raise ValueError(f"mean_log_1mx: expected shape {g1.shape}, found {g2.shape}")
    xp = namespace(g1, g2)
    for name, values in (("mean_log_x", g1), ("mean_log_1mx", g2)):
        require_finite(name, values)
        if xp.any(values >= 0.0):
            raise ValueError(f"{name}: expected negative means of log samples in (0, 1)")
    flat1, flat2 = xp.reshape(g1, (-1,)), xp.reshape(g2, (-1,))
    log_parameters = xp.log(_start(flat1, flat2))
    active = xp.nonzero(flat1 < 0.0)[0]
    for _ in range(max_iterations):
        if active.shape[0] == 0:
            break
        step = _newton_step(xp.exp(log_parameters[:, active]), flat1[active], flat2[active])
        moved = xp.clip(log_parameters[:, active] + step, max=math.log(LARGEST_PARAMETER))
        change = xp.max(xp.abs(moved - log_parameters[:, active]), axis=0)
        log_parameters[:, active] = moved
        active = active[change > tolerance]
    alpha, beta = xp.reshape(xp.exp(log_parameters), (2, *g1.shape))
    return alpha, beta


def _start(mean_log_x: Array, mean_log_1mx: Array) -> Array:
    """Start values (2, n) from the geometric means, good for parameters above one."""
    xp = namespace(mean_log_x)
    x, y = xp.exp(mean_log_x), xp.exp(mean_log_1mx)
    spread = 2.0 * xp.clip(1.0 - x - y, min=0.5 / LARGEST_PARAMETER)
    return xp.clip(xp.stack([0.5 + x / spread, 0.5 + y / spread]), max=LARGEST_PARAMETER)


def _newton_step(parameters: Array, g1: Array, g2: Array) -> Array:
    """Newton step (2, n) of alpha and beta, as a limited step of their logarithms."""
    xp = namespace(parameters)
    alpha, beta = parameters
    total = alpha + beta
    common = digamma(total)
    slope1 = g1 - digamma(alpha) + common
    slope2 = g2 - digamma(beta) + common
    shared = trigamma(total)
    h11, h22 = trigamma(alpha) - shared, trigamma(beta) - shared
    determinant = xp.clip(h11 * h22 - shared * shared, min=np.finfo(float).tiny)
    step = xp.stack([h22 * slope1 + shared * slope2, h11 * slope2 + shared * slope1])
    return xp.clip(step / determinant / parameters, -_LONGEST_STEP, _LONGEST_STEP)


def log_pdf(x: np.ndarray, alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Log density of Beta(alpha, beta) at x in (0, 1); the arguments broadcast."""
    return (alpha - 1.0) * np.log(x) + (beta - 1.0) * np.log1p(-x) - betaln(alpha, beta)


def mean_logit(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Expected log x - log(1 - x) under Beta(alpha, beta)."""
    return digamma(alpha) - digamma(beta)


def logit_variance(alpha: np.ndarray, beta: np.ndarray) -> np.ndarray:
    """Variance of log x - log(1 - x) under Beta(alpha, beta)."""
    return trigamma(alpha) + trigamma(beta)
