"""A batch of per-image files: what is kept, what is remade, what survives a failure."""

from pathlib import Path

import numpy as np
import pytest

from semalign3d.files import store
from semalign3d.pipeline.batch import ImageBatch


def outputs(folder: Path, *stems: str) -> list[str]:
    return [str(folder / f"{stem}.h5") for stem in stems]


def make(folder: Path, stamps: dict[str, str], fail_at: str = "") -> list[str]:
    """Run a batch; returns the stems that it computed."""
    batch = ImageBatch(outputs(folder, *stamps), stamps)
    computed = []
    for stem in batch.progress():
        if stem == fail_at:
            raise RuntimeError(stem)
        computed.append(stem)
        with batch.create(stem) as file:
            store.write(file, "value", np.full(3, float(len(stamps[stem]))))
    batch.finish(str(folder / ".whole"))
    return computed


def test_only_files_with_another_stamp_are_computed(tmp_path: Path) -> None:
    assert make(tmp_path, {"a": "1", "b": "1"}) == ["a", "b"]
    assert make(tmp_path, {"a": "1", "b": "1"}) == []
    assert make(tmp_path, {"a": "1", "b": "22", "c": "1"}) == ["b", "c"]
    assert store.read(tmp_path / "b.h5", "value")["value"].tolist() == [2.0, 2.0, 2.0]


def test_a_damaged_file_is_computed_again(tmp_path: Path) -> None:
    make(tmp_path, {"a": "1", "b": "1"})
    content = (tmp_path / "a.h5").read_bytes()
    (tmp_path / "a.h5").write_bytes(content[: len(content) // 2])
    assert make(tmp_path, {"a": "1", "b": "1"}) == ["a"]


def test_what_was_computed_before_a_failure_is_not_lost(tmp_path: Path) -> None:
    stamps = {"a": "1", "b": "1", "c": "1"}
    with pytest.raises(RuntimeError, match="b"):
        make(tmp_path, stamps, fail_at="b")
    assert not list(tmp_path.glob("*.h5"))
    assert make(tmp_path, stamps) == ["b", "c"]
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == ["a.h5", "b.h5", "c.h5"]
    assert not list(tmp_path.rglob(".staged/*"))


def test_a_staged_file_of_an_older_setting_is_not_used(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="b"):
        make(tmp_path, {"a": "1", "b": "1"}, fail_at="b")
    assert make(tmp_path, {"a": "2", "b": "2"}) == ["a", "b"]


def test_a_staged_file_of_another_setting_does_not_replace_a_kept_one(tmp_path: Path) -> None:
    make(tmp_path, {"a": "1", "b": "1"})
    with pytest.raises(RuntimeError, match="b"):
        make(tmp_path, {"a": "22", "b": "22"}, fail_at="b")
    assert make(tmp_path, {"a": "1", "b": "1"}) == []
    assert store.read(tmp_path / "a.h5", "value")["value"].tolist() == [1.0, 1.0, 1.0]


def test_a_damaged_staged_file_is_computed_again(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="c"):
        make(tmp_path, {"a": "1", "b": "1", "c": "1"}, fail_at="c")
    staged = tmp_path / ".staged" / "a.h5"
    staged.write_bytes(staged.read_bytes()[:-100])
    assert make(tmp_path, {"a": "1", "b": "1", "c": "1"}) == ["a", "c"]
