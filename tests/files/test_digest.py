"""Digests of files and values change with what matters, and with nothing else."""

from pathlib import Path

import pytest

from semalign3d.files.digest import file_digest, values_digest


def test_values_differ_by_value_type_and_name():
    wanted = [
        {"a": 1},
        {"a": 1.0},
        {"a": "1"},
        {"a": True},
        {"a": None},
        {"a": [1]},
        {"a": [[1]]},
        {"b": 1},
        {"a": 1, "b": 1},
        {"a": {"b": 1}},
        {"a": 0.1 + 0.2},
        {"a": 0.3},
    ]
    assert len({values_digest(**values) for values in wanted}) == len(wanted)
    assert values_digest(a=1, b=(2, 3)) == values_digest(b=[2, 3], a=1)


def test_values_of_other_types_are_refused():
    with pytest.raises(TypeError):
        values_digest(path=Path("x"))


def test_file_digest(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert file_digest(path).startswith("06b05ab6733a6185")
    path.write_bytes(b"abcd")
    assert not file_digest(path).startswith("06b05ab6733a6185")
    with pytest.raises(FileNotFoundError):
        file_digest(tmp_path / "nothing")
