"""The prior file: what is saved is what is loaded."""

import dataclasses
from pathlib import Path

import h5py
import numpy as np
import pytest

from semalign3d.alignment.photo.descriptors import DescriptorFrame
from semalign3d.alignment.statistics.collect import AlignmentStatistics
from semalign3d.files import store
from semalign3d.prior import ImageTable, Prior, SparsePrior
from semalign3d.shape.dense.colors import pca_colors
from semalign3d.shape.dense.prior import DensePrior
from semalign3d.shape.relations.fitting import fit_relations

K, POINTS, CHANNELS = 6, 20, 8


def small_prior() -> Prior:
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(K, 3))
    views = shape + 0.02 * rng.normal(size=(5, K, 3))
    generators = [np.random.default_rng(i) for i in range(5)]
    descriptors = rng.normal(size=(POINTS, CHANNELS)).astype(np.float16)
    return Prior(
        category="chair",
        dataset="demo",
        mirror=np.array([1, 0, 2, 3, 5, 4]),
        sparse=SparsePrior(
            shape,
            np.ones(K, dtype=bool),
            ("",) * (K - 1) + ("seen in one image",),
            rng.uniform(size=(K, 3)),
            rng.normal(size=(K, CHANNELS)).astype(np.float32),
            rng.uniform(size=K),
            rng.uniform(size=K),
        ),
        relations=fit_relations(views, np.arange(5), generators).kept(),
        dense=DensePrior(
            *rng.normal(size=(2, POINTS, 3)),
            np.full(POINTS, -1),
            rng.uniform(size=POINTS),
            descriptors,
            *rng.uniform(size=(2, POINTS)),
            rng.integers(9, size=POINTS),
            np.zeros((POINTS, 2, 4), dtype=np.int64),
            rng.uniform(size=(POINTS, 2, 4)),
            rng.uniform(size=(POINTS, 2)),
            pca_colors(descriptors),
        ),
        images=ImageTable(("a", "b"), ("trn", "test"), np.array([1.5, np.nan])),
        alignment=AlignmentStatistics(
            DescriptorFrame(
                rng.normal(size=CHANNELS).astype(np.float32),
                rng.normal(size=(CHANNELS, CHANNELS)).astype(np.float32),
            ),
            descriptors,
            *rng.uniform(size=(5, POINTS)),
            rng.integers(5, size=POINTS),
            rng.normal(size=(3, 3)),
            rng.normal(size=(3, 3, 3)),
            rng.uniform(size=(3, POINTS)) > 0.5,
            rng.uniform(size=3),
            1.5,
        ),
        settings={"dense": {"points": 20}},
        seed=3,
    )


def assert_equal(found: object, expected: object) -> None:
    if dataclasses.is_dataclass(expected):
        for field in dataclasses.fields(expected):
            assert_equal(getattr(found, field.name), getattr(expected, field.name))
    elif isinstance(expected, np.ndarray):
        np.testing.assert_array_equal(found, expected)
        assert isinstance(found, np.ndarray)
        assert found.dtype == expected.dtype
    else:
        assert found == expected


def test_a_prior_is_loaded_as_it_was_saved(tmp_path: Path) -> None:
    prior = small_prior()
    prior.save(tmp_path / "chair.h5")
    assert_equal(Prior.load(tmp_path / "chair.h5"), prior)


def test_a_prior_without_mirror_table_and_with_names(tmp_path: Path) -> None:
    names = tuple(f"point {i}" for i in range(K))
    prior = dataclasses.replace(small_prior(), mirror=None, keypoint_names=names)
    prior.save(tmp_path / "mug.h5")
    assert Prior.load(tmp_path / "mug.h5").mirror is None
    assert Prior.load(tmp_path / "mug.h5").keypoint_names == names


def test_the_file_tells_where_it_came_from(tmp_path: Path) -> None:
    small_prior().save(tmp_path / "chair.h5")
    with store.open_checked(tmp_path / "chair.h5") as file:
        attributes = store.attributes(file)
    assert attributes["format_version"] == 4
    assert '"points": 20' in attributes["settings"]
    assert '"numpy": "' in attributes["software"]


def test_another_file_or_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chair.h5"
    small_prior().save(path)
    with h5py.File(path, "r+") as file:
        file.attrs["format_version"] = 99
    with pytest.raises(store.DamagedFileError, match=r"format version 4, found 99"):
        Prior.load(path)
    with store.create(tmp_path / "other.h5"):
        pass
    with pytest.raises(store.DamagedFileError, match="found None"):
        Prior.load(tmp_path / "other.h5")
    with pytest.raises(FileNotFoundError, match=r"none\.h5"):
        Prior.load(tmp_path / "none.h5")


def test_colors_follow_the_components_of_largest_variance() -> None:
    rng = np.random.default_rng(1)
    values = np.zeros((200, 5))
    values[:, 3] = np.linspace(-1.0, 1.0, 200)
    values[:, 0] = 0.1 * rng.normal(size=200)
    colors = pca_colors(values)
    assert np.all(np.diff(colors[:, 0]) >= 0.0)
    assert colors.min() == 0.0
    assert colors.max() == 1.0
    assert np.all(colors[:, 2] == 0.5)


def test_colors_do_not_depend_on_a_rotation_of_the_points_order() -> None:
    values = np.random.default_rng(2).normal(size=(50, 4))
    order = np.random.default_rng(3).permutation(50)
    np.testing.assert_allclose(pca_colors(values)[order], pca_colors(values[order]), atol=1e-6)
