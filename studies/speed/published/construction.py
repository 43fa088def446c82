"""The published construction of the sparse prior, written plainly: the yardstick of the benchmark.

METHOD.md 6 and 7: `scipy.stats.beta.fit` for one relation after the other; keypoints placed one
after the other on a grid of 100^3 points by at most 100 relations, the first in index order;
then 20,000 steps of Adam on the energy of all relations. Unlike in the published code, the shape
is not drawn together by weight decay, and half of the 100 relations are triangles, as edge pairs
alone leave the handedness open.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import array_namespace
from scipy.special import betaln
from scipy.stats import beta as beta_distribution

from semalign3d.shape.relations.beta import log_pdf
from semalign3d.shape.relations.fitting import SMALLEST_SAMPLE, Relations

if TYPE_CHECKING:
    import torch

GRID = 100
LIMIT = 100
STEPS = 20_000
LEARNING_RATE = 1e-3
HALF_SIDE = 1.25
"""Of the grid's cube, in units of the longest edge, which is laid first."""


def fit_one_by_one(samples: list[np.ndarray]) -> np.ndarray:
    """alpha and beta (n, 2) of n sets of samples in (0, 1), each by `scipy.stats.beta.fit`."""
    inside = [np.clip(x, SMALLEST_SAMPLE, 1.0 - SMALLEST_SAMPLE) for x in samples]
    return np.array([beta_distribution.fit(x, floc=0.0, fscale=1.0)[:2] for x in inside])


@dataclass(frozen=True)
class Placement:
    """A keypoint, and the rows of the edge pairs and triangles that place it."""

    keypoint: int
    pairs: np.ndarray
    triangles: np.ndarray

    @property
    def evaluations(self) -> int:
        """How many relations are evaluated on the whole grid."""
        return len(self.pairs) + len(self.triangles)


def first_edge(relations: Relations) -> tuple[int, int]:
    """The edge that is the longest by its mean length ratio to the others."""
    rows = np.flatnonzero(relations.pair_kept)
    alpha, beta = relations.pair_alpha[rows, 1], relations.pair_beta[rows, 1]
    mean = alpha / (alpha + beta)
    first, second = relations.pairs[rows].T
    count = len(relations.edges)
    number = np.bincount(first, minlength=count) + np.bincount(second, minlength=count)
    total = np.bincount(first, mean, count) + np.bincount(second, 1.0 - mean, count)
    a, b = relations.edges[np.argmax(np.where(number > 0, total / np.maximum(number, 1), 0.0))]
    return int(a), int(b)


def plan(relations: Relations, limit: int = LIMIT) -> list[Placement]:
    """The order of placing: always the keypoint with the most relations to those placed.

    Keypoints without relations to them are left out.
    """
    ends = relations.pair_keypoints
    placed = np.zeros(relations.keypoints, dtype=bool)
    placed[list(first_edge(relations))] = True
    steps: list[Placement] = []
    while True:
        options = [
            Placement(
                keypoint,
                _usable(ends, relations.pair_kept, placed, keypoint),
                _usable(relations.triangles, relations.triangle_kept, placed, keypoint),
            )
            for keypoint in np.flatnonzero(~placed).tolist()
        ]
        if not options or max(option.evaluations for option in options) == 0:
            return steps
        best = max(options, key=lambda option: (option.evaluations, -option.keypoint))
        half = limit // 2
        steps.append(Placement(best.keypoint, best.pairs[:half], best.triangles[:half]))
        placed[best.keypoint] = True


def _usable(
    keypoints: np.ndarray, kept: np.ndarray, placed: np.ndarray, keypoint: int
) -> np.ndarray:
    """Rows of the kept relations between a keypoint and placed ones."""
    is_it = keypoints == keypoint
    return np.flatnonzero(kept & is_it.any(axis=1) & (is_it | placed[keypoints]).all(axis=1))


def place(relations: Relations, steps: list[Placement], grid: int = GRID) -> np.ndarray:
    """Keypoints (K, 3), NaN where not placed, each at the grid point of lowest energy."""
    axis = np.linspace(-HALF_SIDE, HALF_SIDE, grid)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    a, b = first_edge(relations)
    xyz = np.full((relations.keypoints, 3), np.nan)
    xyz[a], xyz[b] = [-0.5, 0.0, 0.0], [0.5, 0.0, 0.0]
    ends = relations.pair_keypoints
    for step in steps:
        pairs = _grid_energy(
            pair_values,
            ends[step.pairs],
            relations.pair_alpha[step.pairs],
            relations.pair_beta[step.pairs],
            (step.keypoint, points, xyz),
        )
        triangles = _grid_energy(
            triangle_values,
            relations.triangles[step.triangles],
            relations.triangle_alpha[step.triangles],
            relations.triangle_beta[step.triangles],
            (step.keypoint, points, xyz),
        )
        xyz[step.keypoint] = points[np.argmin(pairs + triangles)]
    return xyz


def _grid_energy(
    values: Callable[..., tuple[np.ndarray, ...]],
    relations: np.ndarray,
    alpha: np.ndarray,
    beta: np.ndarray,
    where: tuple[int, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Sum of -log Beta of relations (n, 4), one after the other, with a keypoint at each point.

    `where` holds the keypoint, the points (G, 3) and the places (K, 3) of the others.
    """
    keypoint, points, xyz = where
    energy = np.zeros(len(points))
    for row, keypoints in enumerate(relations):
        corners = [points if i == keypoint else xyz[i][None] for i in keypoints]
        for value, a, b in zip(values(*corners), alpha[row], beta[row], strict=True):
            energy -= log_pdf(np.clip(value, SMALLEST_SAMPLE, 1.0 - SMALLEST_SAMPLE), a, b)
    return energy


def pair_values(*ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(1 + cosine) / 2 and length ratio of the edges between four points (..., 3) each."""
    first, second = ends[1] - ends[0], ends[3] - ends[2]
    length1, length2 = (_length(vector) for vector in (first, second))
    cosine = (first * second).sum(-1) / _positive(length1 * length2)
    return (1.0 + cosine) / 2.0, length1 / _positive(length1 + length2)


def triangle_values(*points: np.ndarray) -> tuple[np.ndarray, ...]:
    """(1 + cosine) / 2 of the direction a to v with the three axes at a; points a, b, c, v."""
    a, b, c, v = points
    x = _unit(b - a)
    z = _unit(_cross(b - a, c - a))
    direction = _unit(v - a)
    return tuple((1.0 + (axis * direction).sum(-1)) / 2.0 for axis in (x, _cross(z, x), z))


def refine(
    relations: Relations, start: np.ndarray, steps: int = STEPS, rate: float = LEARNING_RATE
) -> np.ndarray:
    """Adam on the energy of all kept relations, from a shape (K, 3) whose NaN rows stay."""
    import torch

    placed = np.isfinite(start).all(axis=1)
    xyz = torch.tensor(np.where(placed[:, None], start, 0.0), requires_grad=True)
    optimiser = torch.optim.Adam([xyz], lr=rate)
    kinds = [_Kind(relations, placed, triangles) for triangles in (False, True)]
    for _ in range(steps):
        optimiser.zero_grad()
        energy = kinds[0].energy(xyz) + kinds[1].energy(xyz)
        energy.backward()
        optimiser.step()
    return np.where(placed[:, None], xyz.detach().numpy(), np.nan)


class _Kind:
    """The kept edge pairs, or triangles, between placed keypoints, as tensors."""

    def __init__(self, relations: Relations, placed: np.ndarray, triangles: bool) -> None:
        import torch

        if triangles:
            keypoints, kept = relations.triangles, relations.triangle_kept
            alpha, beta = relations.triangle_alpha, relations.triangle_beta
        else:
            keypoints, kept = relations.pair_keypoints, relations.pair_kept
            alpha, beta = relations.pair_alpha, relations.pair_beta
        rows = kept & placed[keypoints].all(axis=1)
        self._values: Callable[..., Any] = triangle_values if triangles else pair_values
        self._keypoints = torch.from_numpy(keypoints[rows].T.copy())
        self._alpha, self._beta = (torch.from_numpy(a[rows].T.copy()) for a in (alpha, beta))
        self._log_beta = torch.from_numpy(betaln(alpha[rows], beta[rows]).T.copy())

    def energy(self, xyz: "torch.Tensor") -> "torch.Tensor":
        """A fifth of the sum over the parameters of the mean of -log Beta."""
        import torch

        x = torch.stack(self._values(*(xyz[column] for column in self._keypoints)))
        x = x.clamp(SMALLEST_SAMPLE, 1.0 - SMALLEST_SAMPLE)
        likelihood = (self._alpha - 1.0) * torch.log(x) + (self._beta - 1.0) * torch.log1p(-x)
        return (self._log_beta - likelihood).mean(dim=1).sum() / 5.0


def _length(vectors: np.ndarray) -> np.ndarray:
    return (vectors * vectors).sum(-1) ** 0.5


def _positive(lengths: np.ndarray) -> np.ndarray:
    return lengths + SMALLEST_SAMPLE


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / _positive(_length(vectors))[..., None]


def _cross(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Cross product of points (..., 3) that may be broadcast; for arrays and tensors."""
    a, b = (tuple(vectors[..., axis] for axis in range(3)) for vectors in (first, second))
    parts = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
    return array_namespace(first).stack(parts, axis=-1)
