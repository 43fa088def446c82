"""Errors of the file system: told from damaged content, with what to do."""

import errno
from pathlib import Path

import h5py
import numpy as np
import pytest
from faults import library, run_python

from semalign3d.files import store
from semalign3d.files.arrays import load_array
from semalign3d.files.system import FileSystemError, system_error, write_whole

WRITE = """
import numpy as np
from semalign3d.files import store
from semalign3d.files.system import FileSystemError
with store.create("a.h5", stamp="s") as file:
    store.write(file, "x", np.arange(5.0))
"""
READ = """
from semalign3d.files import store
print(store.read("a.h5", "x")["x"].sum(), store.stamp_of("a.h5"))
"""
REFUSED = """
from semalign3d.files import store
from semalign3d.files.system import FileSystemError
for read in (store.stamp_of, store.verify, lambda path: store.read(path, "x")):
    try:
        read("a.h5")
    except FileSystemError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return library(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_files_are_written_and_read_without_file_locks(
    tmp_path: Path, faults: Path, number: int
) -> None:
    run_python(faults, WRITE, tmp_path, FAIL_LOCK=number)
    assert run_python(faults, READ, tmp_path, FAIL_LOCK=number) == "10.0 s\n"


def test_runs_without_file_locks_are_warned_and_go_on(tmp_path: Path, faults: Path) -> None:
    code = (
        "from pathlib import Path; from semalign3d.pipeline import locks; "
        "locks.start_run(Path('.snakemake'), print)\n"
        "with locks.job_at_work(Path('.snakemake')): print('works')"
    )
    warning, works = run_python(faults, code, tmp_path, FAIL_LOCK=errno.ENOLCK).splitlines()
    assert warning.startswith(".snakemake: no file locks here (No locks available)")
    assert "--unlock" in warning
    assert works == "works"


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EACCES])
def test_a_failed_read_is_no_damage(tmp_path: Path, faults: Path, number: int) -> None:
    run_python(faults, WRITE, tmp_path)
    lines = run_python(faults, REFUSED, tmp_path, FAIL_READ=number).splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith("a.h5: ")
        assert f"(errno {number})" in line
        assert "damaged" not in line
        assert "elete" not in line


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, faults: Path) -> None:
    code = WRITE.replace("\nwith", "\ntry:\n with").replace("\n    store", "\n  store")
    code += "except FileSystemError as error:\n    print(error)"
    said = run_python(faults, code, tmp_path, FAIL_SYNC=errno.ENOSPC)
    assert said == "a.h5: No space left on device (errno 28). Make room there and run again.\n"
    assert list(tmp_path.iterdir()) == []


def test_whole_files_replace_and_keep_no_remains(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a[1].txt"
    write_whole(path, b"old")
    (path.parent / f".{path.name}.killed.partial").touch()
    (path.parent / ".other.txt.killed.partial").touch()
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert sorted(p.name for p in path.parent.iterdir()) == [".other.txt.killed.partial", path.name]
    with pytest.raises(FileSystemError, match="has that name: move it away"):
        write_whole(path / "inside.txt", b"")


def test_what_is_wrong_with_content_is_no_error_of_the_system(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(1000.0)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(store.DamagedFileError):
        store.read(path, "x")
    for error in (OSError("truncated file"), ValueError("errno"), OSError(errno.EINVAL, "seek")):
        assert system_error(error, path) is None
    found = system_error(KeyError("file read failed: errno = 116, error message"), path)
    assert found is not None
    assert found.errno == errno.ESTALE


def test_arrays_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    path = tmp_path / "a.npy"
    np.save(path, np.zeros(3))
    monkeypatch.setattr(np, "load", refuse)
    with pytest.raises(ValueError, match=r"a\.npy: Permission denied \(errno 13\)\. Give yourself"):
        load_array(path, "an array")


def test_a_place_that_cannot_be_is_damage_in_words(tmp_path: Path, faults: Path) -> None:
    """EINVAL: a damaged address led there. The reason is its text, not its number."""
    run_python(faults, WRITE, tmp_path)
    code = "from semalign3d.files import store; print(store.verify('a.h5'))"
    said = run_python(faults, code, tmp_path, FAIL_READ=errno.EINVAL)
    assert said.startswith("Unable to synchronously open file (file read failed")
