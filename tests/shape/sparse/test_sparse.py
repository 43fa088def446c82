"""The sparse prior against known shapes."""

import dataclasses

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import beta as beta_distribution

from semalign3d.errors import InputError
from semalign3d.geometry.cameras import mirror_keypoints
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.shape.cameras.focal import estimate_focal
from semalign3d.shape.relations.fitting import fit_relations
from semalign3d.shape.relations.measures import edge_directions, pair_values, triangle_values
from semalign3d.shape.sparse.embedding import edge_lengths, embed, well_connected
from semalign3d.shape.sparse.energy import ShapeEnergy
from semalign3d.shape.sparse.prior import _undetermined, fit_sparse
from studies.shared.synthetic_views import category, generators, mirror_table, symmetric_shape


def relations_of(views, mirror, **settings):
    """Relations fitted to images (N, K, 3) and their mirror images."""
    both = np.concatenate([views, mirror_keypoints(views, mirror)])
    images = np.tile(np.arange(len(views)), 2)
    return fit_relations(both, images, generators(len(both)), **settings)


def error(shape, truth, used):
    """Root mean square distance after alignment, over the truth's bounding-box diagonal."""
    aligned = similarity_procrustes(shape[used], truth[used]).apply(shape[used])
    size = np.linalg.norm(np.ptp(truth, axis=0))
    return np.sqrt(np.square(aligned - truth[used]).sum(axis=1).mean()) / size


@pytest.fixture(scope="module")
def exact():
    """Instances without bent depth: their relations, and the category."""
    made = category(0, keypoints=9, pairs=4, images=16, spread=0.05, visible=1.0)
    return made, relations_of(made.points, made.mirror, noise=0.02)


def test_energy_is_the_mean_of_minus_log_beta(exact):
    made, relations = exact
    # Not quite symmetric: parallel edges have an infinite energy.
    shape = made.instances[0] + 0.01 * np.random.default_rng(0).normal(size=(9, 3))
    terms = ShapeEnergy(relations, np.ones(9, dtype=bool)).terms(shape)
    copies = shape[:, :, None]
    kept = relations.pair_kept
    values = pair_values(*edge_directions(copies, relations.edges), relations.pairs[kept])
    cosines, ratios = (array[:, 0] for array in values)
    alpha, beta = relations.pair_alpha[kept], relations.pair_beta[kept]
    expected = -beta_distribution.logpdf((1 + cosines) / 2, alpha[:, 0], beta[:, 0]).mean()
    assert terms.edge == pytest.approx(expected)
    expected = -beta_distribution.logpdf(ratios, alpha[:, 1], beta[:, 1]).mean()
    assert terms.ratio == pytest.approx(expected)
    kept = relations.triangle_kept
    cosines = triangle_values(copies, relations.triangles[kept])[:, :, 0]
    alpha, beta = relations.triangle_alpha[kept], relations.triangle_beta[kept]
    expected = -beta_distribution.logpdf((1 + cosines) / 2, alpha, beta).mean(axis=0)
    assert np.allclose((terms.x, terms.y, terms.z), expected)
    assert terms.total == pytest.approx(
        (terms.ratio + terms.edge + terms.x + terms.y + terms.z) / 5
    )


def test_gradient_and_curvature_are_those_of_the_energy(exact):
    made, relations = exact
    energy = ShapeEnergy(relations, np.arange(9) != 4)
    shape = made.instances[0] + 0.02 * np.random.default_rng(0).normal(size=(9, 3))

    def value(flat):
        return energy.value_and_gradient(flat.reshape(9, 3))[0]

    found, gradient = energy.value_and_gradient(shape)
    assert found == pytest.approx(energy.terms(shape).total)
    assert np.allclose(approx_fprime(shape.ravel(), value, 1e-7), gradient.ravel(), atol=2e-3)
    assert np.allclose(gradient[4], 0.0)
    hessian = energy.hessian(shape)
    step = 1e-5 * np.random.default_rng(1).normal(size=(9, 3))
    change = energy.value_and_gradient(shape + step)[1] - gradient
    assert np.allclose((hessian @ step.ravel()).reshape(9, 3), change, atol=2e-3)


def test_energy_does_not_depend_on_how_a_shape_lies(exact):
    made, relations = exact
    energy = ShapeEnergy(relations, np.ones(9, dtype=bool))
    shape = made.instances[3]
    moved = 3.0 * shape[:, [2, 0, 1]] + 1.0
    assert energy.terms(moved).total == pytest.approx(energy.terms(shape).total)
    mirrored = energy.terms(shape * [1.0, 1.0, -1.0])
    assert mirrored.z > energy.terms(shape).z + 1.0
    assert mirrored.edge == pytest.approx(energy.terms(shape).edge)


def test_lengths_and_embedding_give_a_shape_back():
    shape = symmetric_shape(mirror_table(8, 3), np.random.default_rng(2))
    lengths = np.linalg.norm(shape[:, None] - shape, axis=2)
    np.fill_diagonal(lengths, np.nan)
    lengths[0, 5] = lengths[5, 0] = np.nan
    found = embed(lengths)
    assert np.allclose(np.linalg.norm(found[0] - found[5]), np.linalg.norm(shape[0] - shape[5]))
    fit = similarity_procrustes(found, shape, allow_reflection=True)
    assert np.allclose(fit.apply(found), shape, atol=1e-4)


def test_edge_lengths_agree_with_the_ratios(exact):
    made, relations = exact
    mean = made.instances.mean(axis=0)
    found = edge_lengths(relations)
    truth = np.linalg.norm(mean[:, None] - mean, axis=2)
    rows = np.triu_indices(9, k=1)
    ratio = np.log(found[rows] / truth[rows])
    assert ratio.std() < 0.05


def test_keypoints_with_too_few_known_distances_fall_away():
    lengths = np.full((7, 7), np.nan)
    lengths[:5, :5] = 1.0
    lengths[5, :2] = lengths[:2, 5] = 1.0
    lengths[6, [0, 5]] = lengths[[0, 5], 6] = 1.0
    np.fill_diagonal(lengths, np.nan)
    assert np.array_equal(well_connected(lengths), np.arange(7) < 5)
    assert not well_connected(np.full((4, 4), np.nan)).any()


def test_known_shape_is_recovered(exact):
    made, relations = exact
    sparse = fit_sparse(relations, made.mirror)
    truth = made.instances.mean(axis=0)
    used = np.ones(9, dtype=bool)
    assert sparse.used.all()
    assert not any(sparse.reasons)
    assert error(sparse.xyz, truth, used) < 0.005
    assert error(sparse.xyz * [-1.0, 1.0, 1.0], truth, used) > 0.05
    assert sparse.handed


@pytest.mark.parametrize(("seed", "keypoints", "pairs"), [(1, 14, 6), (2, 14, 3), (3, 20, 9)])
def test_bent_views_give_the_mean_shape_within_two_and_a_half_percent(seed, keypoints, pairs):
    made = category(seed, keypoints=keypoints, pairs=pairs)
    p = estimate_focal(made.rays, made.mirror)
    views = made.rays * np.stack([p, p, np.ones(len(p))], axis=1)[:, None]
    sparse = fit_sparse(relations_of(views, made.mirror), made.mirror)
    truth = made.instances.mean(axis=0)
    assert error(sparse.xyz, truth, sparse.used) < 0.025
    assert sparse.used.all()


def test_result_lies_in_the_canonical_frame(exact):
    made, relations = exact
    sparse = fit_sparse(relations, made.mirror)
    assert np.allclose(sparse.xyz[made.mirror], sparse.xyz * [-1.0, 1.0, 1.0], atol=0.02)
    assert np.linalg.norm(np.ptp(sparse.xyz, axis=0)) == pytest.approx(1.0)


def test_keypoints_that_nothing_determines_are_left_out_with_the_reason(exact):
    made, _ = exact
    views = made.points.copy()
    views[:, 8] = np.nan
    views[3:, 7] = np.nan
    sparse = fit_sparse(relations_of(views, made.mirror, noise=0.02), made.mirror)
    # Keypoint 7 is in too few images as itself, but mirror images of 6 show it.
    assert np.array_equal(np.flatnonzero(~sparse.used), [8])
    assert np.isnan(sparse.xyz[8]).all()
    assert np.isfinite(sparse.xyz[:8]).all()
    assert "too few images" in sparse.reasons[8]


def test_flat_shapes_are_no_error():
    rng = np.random.default_rng(7)
    mirror = mirror_table(8, 3)
    shape = symmetric_shape(mirror, rng) * [1.0, 1.0, 0.0]
    views = shape * (1.0 + 0.05 * rng.normal(size=(12, 1, 3)))
    sparse = fit_sparse(relations_of(views, mirror, noise=0.05), mirror)
    assert error(sparse.xyz, shape, sparse.used) < 0.02


def test_too_few_keypoints_are_refused():
    views = np.random.default_rng(8).normal(size=(3, 6, 3))
    mirror = np.arange(6)
    with pytest.raises(InputError, match="Only 0 keypoints can be placed"):
        fit_sparse(relations_of(views, mirror), mirror)


class _Curvature:
    """Stands in for an energy: one second derivative per keypoint and axis."""

    def __init__(self, diagonal: np.ndarray) -> None:
        self._diagonal = diagonal

    def hessian(self, xyz: np.ndarray) -> np.ndarray:
        return np.diag(self._diagonal.ravel())


def test_only_a_curvature_near_zero_leaves_a_place_open() -> None:
    """Differences across the barrier of parallel edges are large and may be negative."""
    diagonal = np.ones((5, 3))
    diagonal[1] = [-1e5, 3.0, 2e5]
    diagonal[2, 1] = 1e-9
    diagonal[3, 0] = -1e-9
    used = np.array([True, True, True, True, False])
    found = _undetermined(_Curvature(diagonal), used, np.zeros((5, 3)))  # type: ignore[arg-type]
    assert found.tolist() == [False, False, True, True, False]


def test_without_directions_the_handedness_is_open(exact):
    """Lengths and angles between edges are the same in a mirror."""
    made, relations = exact
    sided = fit_sparse(relations, made.mirror)
    assert sided.handed
    assert sided.mirrored_energy > sided.energy.total + 0.2
    none = np.zeros_like(relations.triangle_kept)
    unsided = fit_sparse(dataclasses.replace(relations, triangle_kept=none), made.mirror)
    assert not unsided.handed
    assert unsided.mirrored_energy == pytest.approx(unsided.energy.total)
