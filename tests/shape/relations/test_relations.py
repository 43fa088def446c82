"""Relations between keypoints, and their Beta distributions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from semalign3d.shape.relations.fitting import fit_relations, noisy_copies
from semalign3d.shape.relations.measures import (
    edge_directions,
    pair_values,
    relation_index,
    triangle_values,
)
from studies.shared.synthetic_views import generators, random_rotation


def values(points):
    """Cosines (R,), ratios (R,), triangle cosines (T, 3) of one shape (K, 3)."""
    index = relation_index(len(points))
    copies = points[:, :, None]
    cosines, ratios = pair_values(*edge_directions(copies, index.edges), index.pairs)
    return cosines[:, 0], ratios[:, 0], triangle_values(copies, index.triangles)[:, :, 0]


@pytest.mark.parametrize(
    ("count", "pairs", "triangles"), [(14, 4095, 4004), (25, 44850, 50600), (30, 94395, 109620)]
)
def test_sizes_are_those_of_the_method(count, pairs, triangles):
    index = relation_index(count)
    assert (len(index.pairs), len(index.triangles)) == (pairs, triangles)
    assert len(np.unique(np.sort(index.triangles, axis=1), axis=0)) == triangles // 4


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_few_keypoints_have_few_relations(count):
    index = relation_index(count)
    assert index.pairs.shape == (3 if count == 3 else 0, 2)
    assert index.triangles.shape == (0, 4)


def test_values_of_a_known_shape():
    # a at the origin, ab along x (length 1), ac along y (length 2), ad along z (length 3).
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 3]])
    index = relation_index(4)
    cosines, ratios, triangles = values(points)
    pair_keypoints = index.edges[index.pairs].reshape(-1, 4)
    row = np.flatnonzero((pair_keypoints == [0, 1, 0, 2]).all(axis=1))[0]
    assert cosines[row] == pytest.approx(0.0)
    assert ratios[row] == pytest.approx(1.0 / 3.0)
    row = np.flatnonzero((pair_keypoints == [0, 1, 1, 2]).all(axis=1))[0]
    assert cosines[row] == pytest.approx(-1.0 / np.sqrt(5.0))
    row = np.flatnonzero((index.triangles == [0, 1, 2, 3]).all(axis=1))[0]
    assert np.allclose(triangles[row], [0.0, 0.0, 1.0])


def test_triangle_cosines_are_the_direction_in_the_frame():
    points = np.random.default_rng(0).normal(size=(6, 3))
    index = relation_index(6)
    _, _, found = values(points)
    for row in (0, 17, len(found) - 1):
        a, b, c, v = points[index.triangles[row]]
        x = (b - a) / np.linalg.norm(b - a)
        z = np.cross(b - a, c - a)
        z /= np.linalg.norm(z)
        direction = (v - a) / np.linalg.norm(v - a)
        assert np.allclose(found[row], [direction @ x, direction @ np.cross(z, x), direction @ z])
        assert np.linalg.norm(found[row]) == pytest.approx(1.0)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 100.0))
def test_similarity_transforms_leave_relations_unchanged(seed, scale):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(7, 3))
    moved = scale * points @ random_rotation(rng).T + rng.normal(size=3)
    for before, after in zip(values(points), values(moved), strict=True):
        assert np.allclose(before, after, atol=1e-7)


def test_mirror_images_differ_in_the_sign_of_z_alone():
    points = np.random.default_rng(3).normal(size=(7, 3))
    mirrored = points * [-1.0, 1.0, 1.0]
    for before, after in zip(values(points)[:2], values(mirrored)[:2], strict=True):
        assert np.allclose(before, after)
    before, after = values(points)[2], values(mirrored)[2]
    assert np.allclose(before * [1.0, 1.0, -1.0], after)
    assert np.abs(before[:, 2]).min() > 1e-4


def test_degenerate_shapes_have_finite_values():
    line = np.outer(np.arange(5.0), [1.0, 2.0, 3.0])
    for shape in (line, np.zeros((5, 3)), np.eye(5, 3)):
        assert all(np.isfinite(array).all() for array in values(shape))


def noisy_views(count, seed=0, keypoints=6):
    rng = np.random.default_rng(seed)
    shape = rng.normal(size=(keypoints, 3))
    return shape + 0.1 * rng.normal(size=(count, keypoints, 3))


def test_fits_are_scipys():
    views = noisy_views(12)
    relations = fit_relations(views, np.arange(12), generators(12), copies=5)
    copies = [
        noisy_copies(view, 5, 0.2, rng) for view, rng in zip(views, generators(12), strict=True)
    ]
    index = relation_index(6)
    points = np.concatenate(copies, axis=2)
    cosines, ratios = pair_values(*edge_directions(points, index.edges), index.pairs)
    triangles = triangle_values(points, index.triangles)
    for row in (0, 40, 104):
        for column, x in enumerate(((1.0 + cosines[row]) / 2.0, ratios[row])):
            expected = stats.beta.fit(x, floc=0, fscale=1)[:2]
            found = relations.pair_alpha[row, column], relations.pair_beta[row, column]
            assert np.allclose(found, expected, rtol=1e-3)
        expected = stats.beta.fit((1.0 + triangles[row // 2, 2]) / 2.0, floc=0, fscale=1)[:2]
        found = relations.triangle_alpha[row // 2, 2], relations.triangle_beta[row // 2, 2]
        assert np.allclose(found, expected, rtol=1e-3)


def test_copies_are_as_noisy_as_the_shortest_edge_says():
    keypoints = np.array([[0.0, 0, 0], [0, 0, 2.0], [0, 9.0, 0], [np.nan] * 3])
    copies = noisy_copies(keypoints, 4000, 0.2, np.random.default_rng(0))
    assert copies.shape == (4, 3, 4000)
    assert np.allclose(copies[:3].std(axis=2), 0.4, rtol=0.05)
    assert np.isnan(copies[3]).all()


def test_the_order_of_views_does_not_matter():
    views = noisy_views(8)
    order = np.random.default_rng(5).permutation(8)
    first = fit_relations(views, np.arange(8), generators(8))
    shuffled = [generators(8)[number] for number in order]
    second = fit_relations(views[order], order, shuffled)
    assert np.array_equal(first.pair_alpha, second.pair_alpha)
    assert np.array_equal(first.triangle_beta, second.triangle_beta)


def test_images_are_counted_not_mirrored_views():
    views = noisy_views(6)
    views[3:, 0] = np.nan
    images = np.arange(6) // 2
    relations = fit_relations(views, images, generators(6), min_images=3)
    with_first = (relations.edges[relations.pairs] == 0).any(axis=(1, 2))
    assert (relations.pair_images[~with_first] == 3).all()
    assert (relations.pair_images[with_first] == 2).all()
    assert (relations.pair_copies[with_first] == 30).all()
    assert not relations.pair_kept[with_first].any()
    assert relations.pair_kept[~with_first].any()
    kept = relations.kept()
    assert kept.pair_kept.all()
    assert len(kept.pairs) == relations.pair_kept.sum()
    assert len(kept.triangle_alpha) == relations.triangle_kept.sum()


def test_rules_of_keeping():
    relations = fit_relations(noisy_views(8), np.arange(8), generators(8))
    kept = relations.pair_kept
    alpha, beta = relations.pair_alpha[kept], relations.pair_beta[kept]
    assert (alpha > 1.0).all()
    assert (beta > 1.0).all()
    mode = (alpha[:, 1] - 1.0) / (alpha[:, 1] + beta[:, 1] - 2.0)
    assert ((mode >= 0.01) & (mode <= 0.99)).all()
    narrow = fit_relations(
        noisy_views(8), np.arange(8), generators(8), ratio_mode_min=0.45, ratio_mode_max=0.55
    )
    assert narrow.pair_kept.sum() < kept.sum()


def test_views_that_see_nothing_are_no_error():
    views = noisy_views(5)
    views[0] = np.nan
    views[1, 1:] = np.nan
    relations = fit_relations(views, np.arange(5), generators(5))
    assert not relations.pair_kept.any()
    assert np.isnan(relations.pair_alpha).all()


def test_refusals():
    views = noisy_views(3)
    with pytest.raises(ValueError, match="generators"):
        fit_relations(views, np.arange(3), generators(2))
    with pytest.raises(ValueError, match="images"):
        fit_relations(views, np.arange(2), generators(3))
    views[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="views"):
        fit_relations(views, np.arange(3), generators(3))
