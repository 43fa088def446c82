"""The budget of relations: all where there are few, even and well-determined ones where not."""

import numpy as np
import pytest

from semalign3d.geometry.cameras import with_mirror_images
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.shape.relations.choice import PER_EDGE, choose_relations
from semalign3d.shape.relations.fitting import fit_relations
from semalign3d.shape.relations.measures import relation_index
from semalign3d.shape.sparse.energy import ShapeEnergy
from semalign3d.shape.sparse.prior import fit_sparse
from studies.shared.synthetic_views import category, generators

KEYPOINTS, IMAGES = 30, 24


def training(seed: int, keypoints: int = KEYPOINTS):
    made = category(seed, keypoints=keypoints, pairs=12, images=IMAGES)
    rays = made.rays.copy()
    rays[..., :2] *= 0.3
    views = with_mirror_images(rays, made.mirror)
    return made, views.reshape(-1, *views.shape[2:]), np.repeat(np.arange(IMAGES), 2)


def chosen(seed: int, **settings):
    _, views, images = training(seed)
    return choose_relations(views, images, np.random.default_rng(seed), **settings)


def test_below_the_budget_all_are_taken():
    _, views, images = training(0, keypoints=24)
    some = views[:, :14]
    found = choose_relations(some, images, np.random.default_rng(0))
    for name in ("edges", "pairs", "triangles"):
        assert np.array_equal(getattr(found, name), getattr(relation_index(14), name))


def test_every_keypoint_and_pair_is_covered_evenly():
    index = chosen(1, budget=4000)
    assert len(index.pairs) == 4000
    assert len(index.triangles) == 4000
    edges = np.bincount(index.pairs.ravel(), minlength=len(index.edges))
    assert edges.min() >= 4
    corners = np.sort(index.triangles, axis=1)
    pairs = corners[:, [0, 0, 0, 1, 1, 2]] * KEYPOINTS + corners[:, [1, 2, 3, 2, 3, 3]]
    covered = np.unique(pairs, return_counts=True)[1]
    assert len(covered) == len(index.edges)
    assert covered.min() >= 10
    keypoints = np.bincount(index.triangles.ravel())
    assert keypoints.max() < 3 * keypoints.min()


def test_relations_are_chosen_from_those_of_all():
    index = chosen(1, budget=900)
    every = relation_index(KEYPOINTS)
    assert set(map(tuple, index.pairs)) <= set(map(tuple, every.pairs))
    assert set(map(tuple, index.triangles)) <= set(map(tuple, every.triangles))


def test_what_few_images_show_is_left_out():
    _, views, images = training(2)
    hidden = views.copy()
    hidden[2 * 3 :, 4] = np.nan
    index = choose_relations(hidden, images, np.random.default_rng(2), budget=4000)
    assert not (index.triangles == 4).any()


def test_the_least_number_of_pairs_an_edge():
    index = chosen(3, budget=1)
    assert len(index.pairs) == PER_EDGE * len(index.edges)


def test_same_seed_same_relations():
    first, second = chosen(4, budget=2000), chosen(4, budget=2000)
    assert np.array_equal(first.pairs, second.pairs)
    assert np.array_equal(first.triangles, second.triangles)


def test_the_shape_is_as_true_as_from_all_relations():
    errors = {"all": [], "chosen": []}
    for seed in range(3):
        made, views, images = training(seed)
        index = choose_relations(views, images, np.random.default_rng(seed), budget=2000)
        for name, some in (("all", None), ("chosen", index)):
            relations = fit_relations(views, images, generators(len(views), seed), some)
            shape = fit_sparse(relations, made.mirror)
            mean = made.instances.mean(axis=0)
            assert shape.used.all()
            placed = similarity_procrustes(shape.xyz, mean).apply(shape.xyz)
            errors[name].append(np.linalg.norm(placed - mean, axis=1).mean())
    assert np.mean(errors["chosen"]) < 1.1 * np.mean(errors["all"])


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValueError, match="budget: expected at least 1, found 0"):
        chosen(0, budget=0)


def test_the_mean_energy_is_that_of_all_relations():
    made, views, images = training(5)
    mean, used = made.instances.mean(axis=0), np.ones(KEYPOINTS, dtype=bool)
    found = []
    for some in (None, choose_relations(views, images, np.random.default_rng(0), budget=4000)):
        relations = fit_relations(views, images, generators(len(views)), some)
        found.append(ShapeEnergy(relations, used).terms(mean).total)
    assert found[1] == pytest.approx(found[0], abs=0.05)
