"""The demo's categories as parametric shapes, symmetric about x = 0.

Canonical coordinates: x is the object's own left, y up, z its front; the origin is the centre of
the keypoints' bounding box, whose diagonal is 1 (the whole mesh's is up to a few percent longer).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np

from demo.plan import CATEGORIES
from demo.shapes import aeroplane, bottle, chair

_MODULES: dict[str, ModuleType] = {"chair": chair, "aeroplane": aeroplane, "bottle": bottle}
VARIATION = 0.15
"""Largest relative change of a proportion, where no other is asked for."""


@dataclass(frozen=True)
class Instance:
    """One object of a category.

    Attributes
    ----------
    category : name
    vertices, normals : (V, 3) canonical coordinates and unit normals
    template : (V, 3) where the same surface point lies on the category's mean shape
    faces : (F, 3) int
    parts : (F,) int16 part ids, indices into ``part_names(category)``
    keypoints : (K, 3) canonical coordinates
    parameters : proportions, relative to the category's unit
    style : what differs beyond proportions
    """

    category: str
    vertices: np.ndarray
    normals: np.ndarray
    template: np.ndarray
    faces: np.ndarray
    parts: np.ndarray
    keypoints: np.ndarray
    parameters: dict[str, float]
    style: dict[str, str | int]


def _module(category: str) -> ModuleType:
    if category not in _MODULES:
        raise ValueError(f"category: expected one of {', '.join(CATEGORIES)}, found {category!r}")
    return _MODULES[category]


def part_names(category: str) -> tuple[str, ...]:
    """Names of a category's parts, in the order of their ids."""
    return _module(category).PARTS


def mean_parameters(category: str) -> dict[str, float]:
    """Mean proportions of a category."""
    return dict(_module(category).MEAN)


def _normaliser(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and diagonal of the bounding box of ``points`` (K, 3)."""
    low, high = points.min(axis=0), points.max(axis=0)
    return (low + high) / 2, float(np.linalg.norm(high - low))


def build_instance(
    category: str, parameters: dict[str, float], style: dict[str, str | int]
) -> Instance:
    """The object of a category with the given proportions and style."""
    module = _module(category)
    mean = mean_parameters(category)
    placed = []
    for values in (parameters, mean):
        keypoints = module.keypoints(values)
        vertices, normals, faces, parts = module.build_mesh(values, style)
        centre, diagonal = _normaliser(keypoints)
        placed.append(((keypoints - centre) / diagonal, (vertices - centre) / diagonal, normals))
    (keypoints, vertices, normals), (_, template, _) = placed
    return Instance(
        category=category,
        vertices=vertices,
        normals=normals,
        template=template,
        faces=faces,
        parts=parts,
        keypoints=keypoints,
        parameters=dict(parameters),
        style=dict(style),
    )


def random_instance(category: str, rng: np.random.Generator, spread: float = VARIATION) -> Instance:
    """A random object of a category: every proportion within ``spread`` of the mean, any style."""
    mean = mean_parameters(category)
    factors = 1 + spread * rng.uniform(-1.0, 1.0, size=len(mean))
    parameters = {
        name: value * float(f) for (name, value), f in zip(mean.items(), factors, strict=True)
    }
    return build_instance(category, parameters, _module(category).random_style(rng))
