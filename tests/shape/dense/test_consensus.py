"""Views pulled onto the surface that they have in common."""

import numpy as np

from semalign3d.shape.dense.consensus import pull_together
from semalign3d.shape.dense.fusion import FusedPoints

RADIUS = 0.3
VIEWS = 12


def sphere_seen_wrong(error=0.01, count=600, seed=0):
    """Half spheres from views all round, each with an affine error of its own."""
    rng = np.random.default_rng(seed)
    parts = []
    for number in range(VIEWS):
        towards = rng.normal(size=3)
        normals = rng.normal(size=(count, 3))
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        normals *= np.where(normals @ towards < 0.0, -1.0, 1.0)[:, None]
        linear = np.eye(3) + error / RADIUS * rng.normal(size=(3, 3)) / 2.0
        xyz = RADIUS * normals @ linear + error * rng.normal(size=3) / 2.0
        image = np.full(count, number // 2)
        parts.append((xyz, normals, image, np.full(count, number % 2), np.arange(count)))
    return FusedPoints(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def gaps(fused):
    """Root mean square distance from the sphere."""
    return np.sqrt(np.square(np.linalg.norm(fused.xyz, axis=1) - RADIUS).mean())


def test_affine_errors_of_views_shrink():
    wrong = sphere_seen_wrong()
    pulled = pull_together(wrong, points=200, radius=0.05)
    assert gaps(pulled) < 0.6 * gaps(wrong)
    drift = pulled.xyz.mean(axis=0) - wrong.xyz.mean(axis=0)
    assert np.linalg.norm(drift) < 0.005


def test_points_on_their_surface_stay():
    right = sphere_seen_wrong(error=0.0)
    pulled = pull_together(right, points=200, radius=0.03)
    moved = pulled.xyz - right.xyz[np.lexsort(right.xyz.T)]
    assert np.linalg.norm(moved, axis=1).max() < 0.01 * RADIUS


def test_the_order_of_images_does_not_matter():
    fused = sphere_seen_wrong()
    order = np.argsort(-fused.image, kind="stable")
    turned = fused.take(order)
    renumbered = FusedPoints(
        turned.xyz, turned.normals, turned.image.max() - turned.image, turned.side, turned.row
    )
    first, second = (pull_together(f, points=100, radius=0.03) for f in (fused, renumbered))
    assert np.array_equal(first.xyz, second.xyz)


def test_a_lone_view_and_a_few_points_stay():
    lone = sphere_seen_wrong().take(np.arange(600))
    assert np.array_equal(
        pull_together(lone, points=10, radius=0.03).xyz, lone.xyz[np.lexsort(lone.xyz.T)]
    )
    assert len(pull_together(lone.take(np.arange(1)), points=10, radius=0.03)) == 1
