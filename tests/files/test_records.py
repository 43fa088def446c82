"""Dataclasses in HDF5 files come back as they went in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from semalign3d.files import store
from semalign3d.files.records import read_record, write_record


@dataclass(frozen=True)
class Inner:
    total: float
    label: str


@dataclass(frozen=True)
class Outer:
    count: int
    names: tuple[str, ...]
    none: tuple[str, ...]
    values: np.ndarray
    empty: np.ndarray
    inner: Inner


RECORD = Outer(
    3, ("a", "größer"), (), np.eye(3), np.zeros((0, 2), dtype=np.int64), Inner(0.1 + 0.2, "ü")
)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "record.h5"
    with store.create(path) as file:
        write_record(file.create_group("outer"), RECORD)
    assert store.verify(path) is None
    found = read_record(path, Outer, "outer")
    assert (found.count, found.names, found.none) == (3, ("a", "größer"), ())
    assert found.inner == RECORD.inner
    np.testing.assert_array_equal(found.values, RECORD.values)
    assert found.empty.shape == (0, 2)
    assert found.empty.dtype == np.int64


def test_a_missing_field_or_group_is_named(tmp_path: Path) -> None:
    path = tmp_path / "record.h5"
    with store.create(path) as file:
        write_record(file, Inner(1.0, "x"))
    with pytest.raises(store.DamagedFileError, match="no count in group /"):
        read_record(path, Outer)
    with pytest.raises(store.DamagedFileError, match="no group outer"):
        read_record(path, Outer, "outer")
