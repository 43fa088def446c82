"""NumPy arrays on the CPU, torch tensors on a GPU: the same code for both.

Array maths takes its functions from `namespace` of its arrays (the Python array API standard), so
that it runs where its arrays are. NumPy is used on the CPU, as stages of pure geometry then need
no torch, whose import takes longer than many of them.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import scipy.special
from array_api_compat import array_namespace as namespace
from array_api_compat import device as device_of
from array_api_compat import is_torch_array
from scipy.sparse import csr_array

__all__ = [
    "as_float64",
    "beside",
    "betaln",
    "chunk_values",
    "compute_device",
    "digamma",
    "group_sums",
    "matrix",
    "namespace",
    "to_device",
    "to_numpy",
    "trigamma",
]

Array = Any
"""A NumPy array, or a torch tensor."""

_GPU_SIGNS = ("/proc/driver/nvidia", "/dev/kfd", "/dev/dxg")
"""Linux: NVIDIA's driver, AMD's, and Windows' own in WSL."""


def compute_device(name: str) -> str | None:
    """The device of array maths: a torch device's name, or None for NumPy on the CPU.

    Geometry needs double precision, which MPS lacks: there it stays on the CPU.

    Parameters
    ----------
    name
        `auto`, `cpu`, `cuda`, `cuda:<n>` or `mps`, as in the configuration.

    Raises
    ------
    InputError
        Another name, or a device that is not there.
    """
    if name == "cpu" or (name == "auto" and not any(Path(sign).exists() for sign in _GPU_SIGNS)):
        return None
    from .device import pick_device

    device = pick_device(name)
    return str(device) if device.type == "cuda" else None


def to_device(array: Array, device: str | None) -> Array:
    """An array as a torch tensor on a device, or as a NumPy array if that is None."""
    if device is None:
        return to_numpy(array)
    torch = importlib.import_module("torch")
    if not is_torch_array(array):
        array = torch.from_numpy(np.array(array))
    return array.to(device)


def beside(array: Array, other: Array) -> Array:
    """An array where another one is."""
    return to_device(array, str(device_of(other)) if is_torch_array(other) else None)


def to_numpy(array: Array) -> np.ndarray:
    """An array or tensor, on whatever device, as a NumPy array."""
    return array.cpu().numpy() if is_torch_array(array) else np.asarray(array)


def as_float64(array: Array) -> Array:
    """A tensor, or whatever NumPy makes an array of, in double precision."""
    if is_torch_array(array):
        return array.to(namespace(array).float64)
    return np.asarray(array, dtype=np.float64)


def chunk_values(array: Array, cached: int) -> int:
    """How many numbers a chunk of array maths may have: `cached` on the CPU, where they should fit
    into its cache, and far more on a GPU, which idles between small chunks."""
    return max(cached, 1 << 24) if is_torch_array(array) else cached


def group_sums(values: Array, groups: Array, count: int) -> Array:
    """Sums (count, ...) of values (n, ...) over the groups (n,) that they belong to.

    In the same order each time, on a GPU, too: indexed assignment with accumulation sorts there.
    """
    if is_torch_array(values):
        sums = namespace(values).zeros(
            (count, *values.shape[1:]), dtype=values.dtype, device=values.device
        )
        return sums.index_put_((groups,), values, accumulate=True)
    if values.ndim == 1:
        return np.bincount(groups, values, minlength=count)
    order = np.argsort(groups, kind="stable")
    present, starts = np.unique(groups[order], return_index=True)
    sums = np.zeros((count, *values.shape[1:]), dtype=values.dtype)
    if len(present):
        sums[present] = np.add.reduceat(values[order], starts, axis=0)
    return sums


def digamma(x: Array) -> Array:
    """Derivative of log gamma at x > 0."""
    return namespace(x).special.digamma(x) if is_torch_array(x) else scipy.special.digamma(x)


def trigamma(x: Array) -> Array:
    """Derivative of the digamma function at x > 0."""
    if is_torch_array(x):
        return namespace(x).special.polygamma(1, x)
    return scipy.special.zeta(2.0, x)


def betaln(alpha: Array, beta: Array) -> Array:
    """Logarithm of the Beta function."""
    if is_torch_array(alpha):
        xp = namespace(alpha)
        return xp.lgamma(alpha) + xp.lgamma(beta) - xp.lgamma(alpha + beta)
    return scipy.special.betaln(alpha, beta)


def matrix(
    values: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    shape: tuple[int, int],
    device: str | None,
) -> Any:
    """A sparse matrix that multiplies (`@`) dense arrays on the device from the left."""
    if device is None:
        return csr_array((values, (rows, columns)), shape=shape)
    torch = importlib.import_module("torch")
    places = torch.from_numpy(np.stack([rows, columns]).astype(np.int64))
    weights = torch.from_numpy(values)
    sparse = torch.sparse_coo_tensor(places, weights, shape, check_invariants=True)
    return sparse.coalesce().to(device)
