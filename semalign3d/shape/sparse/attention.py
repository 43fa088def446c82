"""Mean descriptors, and how alike the descriptors are that they come from (METHOD.md 7 and 8)."""

from dataclasses import dataclass

import numpy as np
from array_api_compat import is_torch_array

from semalign3d.arrays import Array, beside, group_sums, namespace, to_numpy
from semalign3d.geometry.arguments import require_finite, require_shape


@dataclass(frozen=True)
class Attention:
    """Mean descriptors of n groups, and the cosines of the members with them.

    Attributes
    ----------
    descriptors : (n, C) float32
        Mean of the members' normalised descriptors, normalised; 0 for empty groups.
    mean, variance : (n,) float64
        Mean and variance of the cosine of a group's members with its descriptor; NaN for empty
        groups.
    counts : (n,) int64
        Members.
    """

    descriptors: np.ndarray
    mean: np.ndarray
    variance: np.ndarray
    counts: np.ndarray


def normalised(descriptors: Array) -> Array:
    """Descriptors (..., C) as float32 of length one; those of length zero stay zero."""
    array = descriptors if is_torch_array(descriptors) else np.asarray(descriptors)
    xp = namespace(array)
    values = xp.astype(array, xp.float32)
    length = xp.linalg.vector_norm(values, axis=-1, keepdims=True)
    return values / xp.where(length > 0.0, length, xp.ones_like(length))


class MeanDescriptors:
    """Sums of normalised descriptors per group: the first of two passes over the members."""

    def __init__(self, groups: int) -> None:
        self._groups = groups
        self._sums: Array | None = None
        self.counts = np.zeros(groups, dtype=np.int64)

    def add(self, groups: np.ndarray, descriptors: Array) -> None:
        """Members (m,) of groups with their descriptors (m, C), of any length.

        They are added up where the descriptors are.
        """
        unit = _checked(groups, descriptors)
        xp = namespace(unit)
        sums = group_sums(xp.astype(unit, xp.float64), beside(groups, unit), self._groups)
        self._sums = sums if self._sums is None else self._sums + sums
        self.counts += np.bincount(groups, minlength=self._groups)

    def result(self) -> np.ndarray:
        """Mean descriptors (groups, C) float32, normalised; 0 for empty groups.

        Raises
        ------
        ValueError
            If nothing was added.
        """
        if self._sums is None:
            raise ValueError("descriptors: expected at least one member, found none")
        return to_numpy(normalised(self._sums))


class Cosines:
    """Mean and variance of the members' cosines with their mean descriptor: the second pass."""

    def __init__(self, descriptors: np.ndarray) -> None:
        require_shape("descriptors", descriptors, (None, None))
        self._descriptors = descriptors
        self._sums = np.zeros((3, len(descriptors)))

    def add(self, groups: np.ndarray, descriptors: Array) -> None:
        """Members (m,) of groups with their descriptors (m, C), as in the first pass."""
        unit = _checked(groups, descriptors)
        xp = namespace(unit)
        mean = beside(self._descriptors[groups], unit)
        pairs = (xp.astype(vectors, xp.float64) for vectors in (unit, mean))
        cosine = to_numpy(xp.einsum("mc,mc->m", *pairs))
        for row, values in zip(self._sums, (np.ones_like(cosine), cosine, cosine**2), strict=True):
            row += np.bincount(groups, values, minlength=len(row))

    def result(self) -> Attention:
        """The groups' descriptors with mean and variance of the cosines."""
        counts = self._sums[0]
        divisor = np.where(counts > 0, counts, np.nan)
        mean = self._sums[1] / divisor
        variance = np.maximum(self._sums[2] / divisor - np.square(mean), 0.0)
        return Attention(self._descriptors, mean, variance, counts.astype(np.int64))


def keypoint_attention(descriptors: np.ndarray) -> Attention:
    """Mean descriptor of each keypoint over the views that see it, and its attention.

    Parameters
    ----------
    descriptors
        (M, K, C) descriptors at the keypoints in M views, NaN where unseen.
    """
    require_shape("descriptors", descriptors, (None, None, None))
    keypoints = descriptors.shape[1]
    means = MeanDescriptors(keypoints)
    seen = [np.flatnonzero(np.isfinite(view).all(axis=1)) for view in descriptors]
    for ids, view in zip(seen, descriptors, strict=True):
        means.add(ids, view[ids])
    cosines = Cosines(means.result())
    for ids, view in zip(seen, descriptors, strict=True):
        cosines.add(ids, view[ids])
    return cosines.result()


def _checked(groups: np.ndarray, descriptors: Array) -> Array:
    """Normalised descriptors (m, C) of members of groups (m,)."""
    require_shape("groups", groups, (None,))
    require_shape("descriptors", descriptors, (len(groups), None))
    require_finite("descriptors", descriptors)
    return normalised(descriptors)
