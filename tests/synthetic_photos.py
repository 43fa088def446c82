"""Photos of ellipsoids whose descriptors tell where on the surface a cell looks."""

from dataclasses import dataclass

import numpy as np

from semalign3d.alignment.statistics.collect import AlignmentStatistics, alignment_statistics
from semalign3d.alignment.statistics.views import PriorPoints, TrainingView
from semalign3d.geometry.cameras import back_project, unit_rays
from semalign3d.geometry.grid import cell_to_pixel
from semalign3d.shape.relations.fitting import Relations, fit_relations
from studies.shared.synthetic_views import generators, rotation

GRID, CHANNELS, KEYPOINTS = 30, 48, 10
SIZE = (200, 160)
AXES = np.array([0.25, 0.2, 0.38])
"""Semi-axes of the mean ellipsoid."""


@dataclass(frozen=True)
class Photo:
    """A photo of an ellipsoid before noise.

    Attributes
    ----------
    descriptors : (G, G, C) float32.
    rotation, translation, p : of the camera; a point x is at rotation x + translation.
    axes : (3,) semi-axes.
    cells : (m, 2) cells (u, v) that show the object.
    surface : (m, 3) what they show, as a share of the semi-axes (on the unit sphere).
    """

    descriptors: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    p: float
    axes: np.ndarray
    cells: np.ndarray
    surface: np.ndarray

    def to_camera(self, surface: np.ndarray) -> np.ndarray:
        """Camera coordinates of points (..., 3) of the unit sphere."""
        return surface * self.axes @ self.rotation.T + self.translation

    def seen(self, surface: np.ndarray) -> np.ndarray:
        """Which points of the unit sphere face the camera."""
        normals = surface / self.axes @ self.rotation.T
        return np.einsum("...d,...d->...", normals, self.to_camera(surface)) < 0.0


def sphere_keypoints() -> np.ndarray:
    """(K, 3) well spread points of the unit sphere, without symmetry."""
    points = np.random.default_rng(5).normal(size=(120, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    chosen = [0]
    while len(chosen) < KEYPOINTS:
        chosen.append(int((points @ points[chosen].T).max(axis=1).argmin()))
    return points[chosen]


def look(surface: np.ndarray) -> np.ndarray:
    """Descriptors (..., C) of points of the unit sphere: smooth random waves."""
    rng = np.random.default_rng(7)
    waves, phases = 2.0 * rng.normal(size=(3, CHANNELS)), rng.uniform(0, 2 * np.pi, CHANNELS)
    return np.cos(surface @ waves + phases).astype(np.float32)


def take_photo(rng: np.random.Generator, *, noise: float = 0.5) -> Photo:
    """A photo from a random side above, of an ellipsoid with its own proportions."""
    axes = AXES * rng.uniform(0.9, 1.1, size=3)
    turn = rotation(rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.9))
    focal = rng.uniform(1.2, 1.8)
    place = np.array([*rng.uniform(-0.1, 0.1, size=2), focal * rng.uniform(1.2, 1.6)])
    u, v = np.meshgrid(np.arange(GRID), np.arange(GRID))
    cells = np.stack([u, v], axis=-1)
    pixels = cell_to_pixel(cells, SIZE, GRID)
    rays = back_project(pixels, np.ones(u.shape), SIZE, 1.0 / focal)
    # |(R^T (s ray - t)) / axes| = 1: a quadratic equation in s.
    a, b = rays @ turn / axes, -(place @ turn) / axes
    aa, ab, bb = (a * a).sum(-1), (a * b).sum(-1), (b * b).sum()
    root = ab**2 - aa * (bb - 1.0)
    hit = (root > 0.0) & (np.abs(unit_rays(pixels, SIZE)) < np.array(SIZE) / 2 / max(SIZE)).all(-1)
    depth = (-ab - np.sqrt(np.maximum(root, 0.0))) / aa
    surface = depth[..., None] * a + b
    descriptors = rng.normal(size=(GRID, GRID, CHANNELS)).astype(np.float32)
    descriptors[hit] = look(surface[hit]) + noise * descriptors[hit]
    return Photo(descriptors, turn, place, 1.0 / focal, axes, cells[hit], surface[hit])


def training_view(photo: Photo) -> TrainingView:
    """What the pipeline would know of the photo, without error."""
    keypoints = photo.to_camera(sphere_keypoints())
    keypoints[~photo.seen(sphere_keypoints())] = np.nan
    pixels = cell_to_pixel(photo.cells, SIZE, GRID)
    pixels_of = keypoints[:, :2] / keypoints[:, 2:] / photo.p * max(SIZE) + np.array(SIZE) / 2
    return TrainingView(SIZE, photo.p, pixels_of, keypoints, pixels, photo.to_camera(photo.surface))


@dataclass(frozen=True)
class Category:
    """What alignment takes of a prior."""

    points: PriorPoints
    relations: Relations
    statistics: AlignmentStatistics
    surface: np.ndarray


def sphere_prior() -> tuple[PriorPoints, np.ndarray]:
    """The true mean shape, and where its points (n, 3) lie on the unit sphere."""
    keypoints = sphere_keypoints()
    weights, surface = surface_weights(keypoints)
    identity = np.concatenate([np.full(len(surface), -1), np.arange(KEYPOINTS)])
    points = PriorPoints(keypoints * AXES, identity, np.concatenate([weights, np.eye(KEYPOINTS)]))
    return points, np.concatenate([surface, keypoints])


def make_category(photos: int = 16) -> Category:
    """Statistics and relations from training photos; the shape is the true mean."""
    taken = [take_photo(np.random.default_rng([1, number])) for number in range(photos)]
    views = [training_view(photo) for photo in taken]
    points, surface = sphere_prior()
    statistics = alignment_statistics(
        points, views, lambda number: taken[number].descriptors[None], None
    )
    whole = np.array([photo.to_camera(sphere_keypoints()) for photo in taken])
    relations = fit_relations(whole, np.arange(photos), generators(photos))
    return Category(points, relations, statistics, surface)


def surface_weights(keypoints: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights (n, K) that make sums of keypoints of points (n, 3) of the unit sphere.

    Exact for every linear map of the sphere: the least ones with w @ keypoints = point and sum 1.
    """
    points = np.random.default_rng(9).normal(size=(120, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    system = np.concatenate([keypoints.T, np.ones((1, len(keypoints)))])
    wanted = np.concatenate([points.T, np.ones((1, len(points)))])
    return (np.linalg.pinv(system) @ wanted).T, points
