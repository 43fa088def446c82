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
        pairs = pairs.reshape(-1, 2)
        alpha, beta = relations.pair_alpha[rows], relations.pair_beta[rows]
        count, edges = max(len(rows), 1), len(numbers)
        self._edges = _Edges(relations.edges[numbers], relations.keypoints, device)
        self._first, self._second = (to_device(column, device) for column in pairs.T)
        self._sum = _scatter(pairs, edges, device)
        self._cosine = _Weights(alpha[:, 0], beta[:, 0], count, device)
        self._total = to_device((alpha[:, 1] + beta[:, 1] - 2.0) / count, device)
        single = np.bincount(pairs[:, 0], alpha[:, 1] - 1.0, minlength=edges)
        single = single + np.bincount(pairs[:, 1], beta[:, 1] - 1.0, minlength=edges)
        self._single = to_device(-single / count, device)
        self._constants = betaln(alpha, beta).sum(axis=0) / count

    def __call__(self, xyz: Array) -> tuple[tuple[float, float], Array]:
        """(E_ratio, E_edge) and the gradient (K, 3) of their sum."""
        units, lengths = self._edges.units(xyz)
        ratio, along = self._ratios(lengths)
        cosine, turning = self._cosines(units)
        return (ratio, cosine), self._edges.back(units, lengths, turning, along)

    def _ratios(self, lengths: Array) -> tuple[float, Array]:
        """E_ratio and its gradient (E,) with respect to the lengths."""
        xp = namespace(lengths)
        sums = lengths[self._first] + lengths[self._second]
        value = self._single @ xp.log(lengths) + self._total @ xp.log(sums)
        slope = self._total / sums
        both = xp.concat([slope, slope])
        return float(value + self._constants[1]), self._single / lengths + self._sum @ both

    def _cosines(self, units: Array) -> tuple[float, Array]:
        """E_edge and its gradient (E, 3) with respect to the unit vectors, taken as free."""
        xp = namespace(units)
        first, second = units[self._first], units[self._second]
        value, slope = self._cosine(xp.einsum("rd,rd->r", first, second))
        pulls = xp.concat([slope[:, None] * second, slope[:, None] * first])
        return float(xp.sum(value) + self._constants[0]), self._sum @ pulls


class _TriangleEnergy:
    """Mean -log Beta of the cosines of triangle and vertex relations."""

    def __init__(self, relations: Relations, used: np.ndarray, device: str | None) -> None:
        kept = relations.triangle_kept & used[relations.triangles].all(axis=1)
        triangles = relations.triangles[kept]
        keypoints, count = relations.keypoints, max(len(triangles), 1)
        alpha, beta = relations.triangle_alpha[kept], relations.triangle_beta[kept]
        self._constants = betaln(alpha, beta).sum(axis=0) / count
        self._cosine = _Weights(alpha, beta, count, device)
        corners, frame_of = distinct_rows(triangles[:, :3], keypoints)
        rays, ray_of = distinct_rows(triangles[:, [0, 3]], keypoints)
        self._frame_of, self._ray_of = to_device(frame_of, device), to_device(ray_of, device)
        self._to_frames = _scatter(frame_of[:, None], len(corners), device)
        self._to_rays = _scatter(ray_of[:, None], len(rays), device)
        self._ab = _Edges(corners[:, [0, 1]], keypoints, device)
        self._ac = _Edges(corners[:, [0, 2]], keypoints, device)
        self._av = _Edges(rays, keypoints, device)

    def __call__(self, xyz: Array) -> tuple[np.ndarray, Array]:
        """(E_x, E_y, E_z) and the gradient (K, 3) of their sum."""
        xp = namespace(xyz)
        x, x_length = self._ab.units(xyz)
        side, side_length = self._ac.units(xyz)
        ray, ray_length = self._av.units(xyz)
        normal = _cross(x, side)
        sine = _lengths(normal)
        z = normal / sine[:, None]
        axes = xp.stack([x, _cross(z, x), z], axis=1)
        of_rows, ray_of_rows = axes[self._frame_of], ray[self._ray_of]
        terms, slope = self._cosine(xp.einsum("nad,nd->na", of_rows, ray_of_rows))
        axes_pull = slope[:, :, None] * ray_of_rows[:, None]
        axes_slope = self._to_frames @ xp.reshape(axes_pull, (-1, 9))
        axes_slope = xp.reshape(axes_slope, (-1, 3, 3))
        ray_slope = self._to_rays @ xp.einsum("nad,na->nd", of_rows, slope)
        # Back through y = z x x, z = normal / sine and normal = x x side.
        x_slope, y_slope, z_slope = (axes_slope[:, axis] for axis in range(3))
        z_slope = z_slope + _cross(x, y_slope)
        x_slope = x_slope + _cross(y_slope, z)
        across = z_slope - z * xp.einsum("fd,fd->f", z, z_slope)[:, None]
        normal_slope = across / sine[:, None]
        x_slope = x_slope + _cross(side, normal_slope)
        gradient = self._ab.back(x, x_length, x_slope)
        gradient = gradient + self._ac.back(side, side_length, _cross(normal_slope, x))
        gradient = gradient + self._av.back(ray, ray_length, ray_slope)
        return to_numpy(xp.sum(terms, axis=0)) + self._constants, gradient


class _Weights:
    """-log Beta of cosines over the number of relations, without the constants."""

    def __init__(self, alpha: np.ndarray, beta: np.ndarray, count: int, device: str | None) -> None:
        self._alpha = to_device((alpha - 1.0) / count, device)
        self._beta = to_device((beta - 1.0) / count, device)

    def __call__(self, cosine: Array) -> tuple[Array, Array]:
        """Values and derivatives (n, ...) at cosines of the same shape."""
        xp = namespace(cosine)
        x = xp.clip(0.5 + 0.5 * cosine, SMALLEST_SAMPLE, 1.0 - SMALLEST_SAMPLE)
        y = 1.0 - x
        value = -(self._alpha * xp.log(x) + self._beta * xp.log(y))
        return value, 0.5 * (self._beta / y - self._alpha / x)


def _scatter(members: np.ndarray, count: int, device: str | None) -> Array:
    """Sparse matrix (count, m n) that adds up rows of members (n, m), column after column."""
    rows = members.T.ravel()
    return matrix(np.ones(len(rows)), rows, np.arange(len(rows)), (count, len(rows)), device)


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
