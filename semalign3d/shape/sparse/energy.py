"""Energy of a shape under a category's relations, with its gradient (METHOD.md section 7)."""

from dataclasses import dataclass

import numpy as np

from semalign3d.arrays import (
    Array,
    betaln,
    matrix,
    namespace,
    to_device,
    to_numpy,
)
from semalign3d.geometry.arguments import require_shape
from semalign3d.shape.relations.fitting import SMALLEST_SAMPLE, Relations
from semalign3d.shape.relations.measures import distinct_rows

_SHORTEST = 1e-12


@dataclass(frozen=True)
class EnergyTerms:
    """The five terms, each the mean of -log Beta over the kept relations; 0 where none is kept."""

    ratio: float
    edge: float
    x: float
    y: float
    z: float

    @property
    def total(self) -> float:
        """(E_ratio + E_edge + E_x + E_y + E_z) / 5."""
        return (self.ratio + self.edge + self.x + self.y + self.z) / 5.0


class ShapeEnergy:
    """The energy (E_ratio + E_edge + E_x + E_y + E_z) / 5 of shapes (K, 3).

    Relations that are not kept, or that a keypoint outside `used` takes part in, play no part.
    Edge pairs are held as E x E matrices, so that their values come from matrix products.

    Parameters
    ----------
    relations
        Of K keypoints.
    used
        (K,) bool.
    device
        Where it is computed, see `arrays.compute_device`; shapes and results are NumPy arrays.
    """

    def __init__(self, relations: Relations, used: np.ndarray, device: str | None = None) -> None:
        require_shape("used", used, (relations.keypoints,))
        self.keypoints = relations.keypoints
        self._device = device
        self._used = np.asarray(used, dtype=bool)
        self._pairs = _PairEnergy(relations, used, device)
        self._triangles = _TriangleEnergy(relations, used, device)

    def terms(self, xyz: np.ndarray) -> EnergyTerms:
        """The five terms of a shape (K, 3); rows outside `used` may be NaN."""
        require_shape("xyz", xyz, (self.keypoints, 3))
        placed = to_device(np.where(self._used[:, None], xyz, 0.0), self._device)
        pair_terms, _ = self._pairs(placed)
        triangle_terms, _ = self._triangles(placed)
        return EnergyTerms(*map(float, (*pair_terms, *triangle_terms)))

    def value_and_gradient(self, xyz: np.ndarray) -> tuple[float, np.ndarray]:
        """Energy and gradient (K, 3) of a finite shape (K, 3), unchecked (for inner loops)."""
        points = to_device(xyz, self._device)
        pair_terms, pair_gradient = self._pairs(points)
        triangle_terms, triangle_gradient = self._triangles(points)
        value = (sum(pair_terms) + sum(triangle_terms)) / 5.0
        return float(value), to_numpy(pair_gradient + triangle_gradient) / 5.0

    def hessian(self, xyz: np.ndarray, step: float = 1e-5) -> np.ndarray:
        """Second derivatives (3 K, 3 K) by central differences of the gradient.

        Parameters
        ----------
        xyz
            (K, 3).
        step
            Length of the differences, in the shape's units.
        """
        require_shape("xyz", xyz, (self.keypoints, 3))
        rows = []
        for number in range(xyz.size):
            shift = np.zeros(xyz.shape)
            shift.flat[number] = step
            ahead = self.value_and_gradient(xyz + shift)[1]
            behind = self.value_and_gradient(xyz - shift)[1]
            rows.append((ahead - behind).ravel() / (2.0 * step))
        hessian = np.array(rows).reshape(xyz.size, xyz.size)
        return (hessian + hessian.T) / 2.0


class _PairEnergy:
    """Mean -log Beta of length ratios and of cosines of edge pairs."""

    def __init__(self, relations: Relations, used: np.ndarray, device: str | None) -> None:
        ends = relations.pair_keypoints
        rows = np.flatnonzero(relations.pair_kept & used[ends].all(axis=1))
        numbers, pairs = np.unique(relations.pairs[rows], return_inverse=True)
        first, second = pairs.reshape(-1, 2).T
        alpha, beta = relations.pair_alpha[rows], relations.pair_beta[rows]
        edges = relations.edges[numbers]
        count = max(len(rows), 1)
        size = (len(numbers), len(numbers))

        def symmetric(values: np.ndarray) -> Array:
            full = np.zeros(size)
            full[first, second] = full[second, first] = values / count
            return to_device(full, device)

        self._cosine_alpha = symmetric(alpha[:, 0] - 1.0)
        self._cosine_beta = symmetric(beta[:, 0] - 1.0)
        self._total = symmetric(alpha[:, 1] + beta[:, 1] - 2.0)
        single = np.bincount(first, alpha[:, 1] - 1.0, minlength=len(numbers))
        single = single + np.bincount(second, beta[:, 1] - 1.0, minlength=len(numbers))
        self._single = to_device(-single / count, device)
        self._constants = betaln(alpha, beta).sum(axis=0) / count
        self._ends = _Edges(edges, relations.keypoints, device)

    def __call__(self, xyz: Array) -> tuple[tuple[float, float], Array]:
        """(E_ratio, E_edge) and the gradient (K, 3) of their sum."""
        units, lengths = self._ends.units(xyz)
        ratio, along = self._ratios(lengths)
        cosine, turning = self._cosines(units)
        return (ratio, cosine), self._ends.back(units, lengths, turning, along)

    def _ratios(self, lengths: Array) -> tuple[float, Array]:
        """E_ratio and its gradient (E,) with respect to the lengths."""
        xp = namespace(lengths)
        sums = lengths[:, None] + lengths
        value = self._single @ xp.log(lengths) + 0.5 * xp.sum(self._total * xp.log(sums))
        slope = self._single / lengths + xp.sum(self._total / sums, axis=1)
        return float(value + self._constants[1]), slope

    def _cosines(self, units: Array) -> tuple[float, Array]:
        """E_edge and its gradient (E, 3) with respect to the unit vectors, taken as free."""
        xp = namespace(units)
        x = xp.clip(0.5 + 0.5 * (units @ units.T), SMALLEST_SAMPLE, 1.0 - SMALLEST_SAMPLE)
        y = 1.0 - x
        logs = self._cosine_alpha * xp.log(x) + self._cosine_beta * xp.log(y)
        slope = 0.5 * (self._cosine_beta / y - self._cosine_alpha / x)
        return float(self._constants[0] - 0.5 * xp.sum(logs)), slope @ units


class _TriangleEnergy:
    """Mean -log Beta of the cosines of triangle and vertex relations.

    The frames at one keypoint and the directions from it to all K keypoints make one block, a
    matrix product with weights of zero where there is no relation: faster than gathering, and
    small enough for the processor's cache.
    """

    def __init__(self, relations: Relations, used: np.ndarray, device: str | None) -> None:
        kept = relations.triangle_kept & used[relations.triangles].all(axis=1)
        triangles = relations.triangles[kept]
        keypoints, count = relations.keypoints, max(len(triangles), 1)
        alpha, beta = relations.triangle_alpha[kept], relations.triangle_beta[kept]
        self._constants = betaln(alpha, beta).sum(axis=0) / count
        corners, frame_of = distinct_rows(triangles[:, :3], keypoints)
        weights = np.zeros((2, len(corners), 3, keypoints))
        weights[0, frame_of, :, triangles[:, 3]] = (alpha - 1.0) / count
        weights[1, frame_of, :, triangles[:, 3]] = (beta - 1.0) / count
        self._alpha, self._beta = to_device(weights, device)
        self._ab = _Edges(corners[:, [0, 1]], keypoints, device)
        self._ac = _Edges(corners[:, [0, 2]], keypoints, device)
        starts = np.searchsorted(corners[:, 0], np.arange(keypoints + 1))
        self._blocks = [
            (apex, slice(starts[apex], starts[apex + 1]))
            for apex in range(keypoints)
            if starts[apex] < starts[apex + 1]
        ]

    def __call__(self, xyz: Array) -> tuple[np.ndarray, Array]:
        """(E_x, E_y, E_z) and the gradient (K, 3) of their sum."""
        xp = namespace(xyz)
        x, x_length = self._ab.units(xyz)
        side, side_length = self._ac.units(xyz)
        normal = _cross(x, side)
        sine = _lengths(normal)
        z = normal / sine[:, None]
        axes = xp.stack([x, _cross(z, x), z], axis=1)
        terms, axes_slope, gradient = self._blockwise(xyz, axes)
        # Back through y = z x x, z = normal / sine and normal = x x side.
        y_slope = axes_slope[:, 1]
        z_slope = axes_slope[:, 2] + _cross(x, y_slope)
        normal_slope = (z_slope - z * xp.einsum("fd,fd->f", z, z_slope)[:, None]) / sine[:, None]
        x_slope = axes_slope[:, 0] + _cross(y_slope, z) + _cross(side, normal_slope)
        gradient = gradient + self._ab.back(x, x_length, x_slope)
        gradient = gradient + self._ac.back(side, side_length, _cross(normal_slope, x))
        return to_numpy(terms) + self._constants, gradient

    def _blockwise(self, xyz: Array, axes: Array) -> tuple[Array, Array, Array]:
        """Terms (3,) without their constants, gradients for axes (F, 3, 3) and points (K, 3).

        Axes are taken as free: the gradient for the points leaves out their part in the axes.
        """
        xp = namespace(xyz)
        terms, gradient = xp.zeros_like(xyz[0]), xp.zeros_like(xyz)
        axes_slope = xp.zeros_like(axes)
        for apex, block in self._blocks:
            vectors = xyz - xyz[apex]
            lengths = _lengths(vectors)[:, None]
            rays = vectors / lengths
            flat_axes = axes[block].reshape(-1, 3)
            alpha, beta = self._alpha[block], self._beta[block]
            cosine = (flat_axes @ rays.T).reshape(alpha.shape)
            u = xp.clip(0.5 + 0.5 * cosine, SMALLEST_SAMPLE, 1.0 - SMALLEST_SAMPLE)
            v = 1.0 - u
            slope = 0.5 * (beta / v - alpha / u)
            terms -= xp.einsum("fak->a", alpha * xp.log(u) + beta * xp.log(v))
            flat_slope = slope.reshape(-1, xyz.shape[0])
            axes_slope[block] = (flat_slope @ rays).reshape(-1, 3, 3)
            ray_slope = flat_slope.T @ flat_axes
            ray_slope -= rays * xp.einsum("kd,kd->k", rays, ray_slope)[:, None]
            moved = ray_slope / lengths
            moved[apex] = 0.0
            gradient += moved
            gradient[apex] -= xp.sum(moved, axis=0)
        return terms, axes_slope, gradient


class _Edges:
    """Directed edges between keypoints: unit vectors, and their gradient back to the keypoints."""

    def __init__(self, ends: np.ndarray, keypoints: int, device: str | None) -> None:
        self._first, self._second = to_device(ends[:, 0], device), to_device(ends[:, 1], device)
        number = np.arange(len(ends))
        rows = np.concatenate([ends[:, 1], ends[:, 0]])
        values = np.repeat([1.0, -1.0], len(ends))
        columns = np.concatenate([number, number])
        self._incidence = matrix(values, rows, columns, (keypoints, len(ends)), device)

    def units(self, xyz: Array) -> tuple[Array, Array]:
        """Unit vectors (n, 3) and lengths (n,)."""
        vectors = xyz[self._second] - xyz[self._first]
        lengths = _lengths(vectors)
        return vectors / lengths[:, None], lengths

    def back(self, units: Array, lengths: Array, slope: Array, along: Array | None = None) -> Array:
        """Gradient (K, 3) from those with respect to the unit vectors (n, 3) and lengths (n,)."""
        across = slope - units * namespace(units).einsum("nd,nd->n", units, slope)[:, None]
        total = across / lengths[:, None]
        if along is not None:
            total = total + units * along[:, None]
        return self._incidence @ total


def _lengths(vectors: Array) -> Array:
    """Lengths (n,) of vectors (n, 3), never zero."""
    xp = namespace(vectors)
    return xp.clip(xp.sqrt(xp.einsum("nd,nd->n", vectors, vectors)), min=_SHORTEST)


def _cross(a: Array, b: Array) -> Array:
    """Cross products of rows (n, 3), faster than numpy's for many rows."""
    ax, ay, az = a.T
    bx, by, bz = b.T
    terms = [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]
    return namespace(a).stack(terms, axis=1)
