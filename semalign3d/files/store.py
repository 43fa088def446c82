"""HDF5 files in and out: whole or absent, stamped, and checked when read."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .system import system_error, write_whole

STAMP = "stamp"
MAX_CHUNK_BYTES = 1 << 20


class DamagedFileError(RuntimeError):
    """A file of ours that is not whole, or lacks what it should hold.

    Attributes
    ----------
    path : the file.
    problem : what is wrong with it.
    """

    def __init__(self, path: str | os.PathLike[str], problem: str) -> None:
        self.path = Path(path)
        self.problem = problem
        super().__init__(str(path), problem)

    def __str__(self) -> str:
        return f"{self.path} is damaged: {self.problem}. Delete it and run again to remake it."


@contextmanager
def create(
    path: str | os.PathLike[str], *, stamp: str = "", **attributes: Any
) -> Iterator[h5py.File]:
    """Open a new file for writing; it appears under its name only when it is whole.

    Made in memory, written under a temporary name in the same folder, then moved in place: HDF5
    itself loses data and may crash where a disk is full, and needs file locks. After any exception
    nothing is left, and what a killed process left of the same file is removed. A file must not be
    written by two processes at once. Equal content gives equal bytes.

    Parameters
    ----------
    path : the file; an existing one is replaced.
    stamp : digest of all that made the file (see `stamp_of`).
    attributes : attributes of the file, see `write_attributes`.

    Raises
    ------
    TypeError : the block wrote texts of variable length, which no checksum covers; use `write`
        and `write_attributes`.
    FileSystemError : the file system refused, such as a full disk.
    """
    path = Path(path)
    options: dict[str, Any] = {"driver": "core", "backing_store": False}
    with h5py.File(path.name, "w", libver=("v110", "v110"), **options) as file:
        write_attributes(file, **attributes)
        if stamp:
            write_attributes(file, **{STAMP: stamp})
        yield file
        _refuse_variable_length(file)
        file.flush()
        content = file.id.get_file_image()
    write_whole(path, content)


def write(group: h5py.Group, name: str, array: Any, *, compress: bool = False) -> h5py.Dataset:
    """Write an array as a dataset with checksums.

    Parameters
    ----------
    group : open file or group.
    name : of the dataset; slashes make groups.
    array : numbers, booleans or texts; anything that `np.asarray` takes.
    compress : shuffle and gzip, for masks and other smooth data.
    """
    array = np.asarray(array)
    if array.dtype.kind in "UT":
        array = _fixed_length(array)
    if array.size == 0 or array.ndim == 0:
        return _write_in_header(group, name, array)
    filters: dict[str, Any] = {"fletcher32": True}
    if compress:
        filters |= {"compression": "gzip", "compression_opts": 4, "shuffle": True}
    chunks = _chunks(array.shape, array.dtype.itemsize)
    return group.create_dataset(name, data=array, chunks=chunks, **filters)


def _write_in_header(group: h5py.Group, name: str, array: np.ndarray) -> h5py.Dataset:
    """Write what cannot be chunked into the dataset's header, under that one's checksum."""
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_layout(h5py.h5d.COMPACT)
    layout.set_obj_track_times(False)
    space = h5py.h5s.create_simple(array.shape) if array.ndim else h5py.h5s.create(h5py.h5s.SCALAR)
    kind = h5py.h5t.py_create(array.dtype, logical=True)
    dataset = h5py.Dataset(h5py.h5d.create(group.id, None, kind, space, dcpl=layout))
    if array.size:
        dataset[()] = array
    group[name] = dataset
    return group[name]


def write_attributes(item: h5py.File | h5py.Group | h5py.Dataset, **attributes: Any) -> None:
    """Attach attributes: numbers, booleans, texts, or arrays of them; read by `attributes`."""
    for key, value in attributes.items():
        array = np.asarray(value)
        item.attrs[key] = _fixed_length(array) if array.dtype.kind in "UT" else array


def attributes(item: h5py.File | h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """All attributes of a file, group or dataset; texts as `str`, single values as scalars."""
    return {key: _decoded(value) for key, value in item.attrs.items()}


def _decoded(value: Any) -> Any:
    array = np.asarray(value)
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8")
    return array.item() if array.ndim == 0 else array


def _refuse_variable_length(file: h5py.File) -> None:
    """Texts of variable length lie outside all checksums: damaged, they read as other texts."""
    for item in (file, *(file[name] for name in _names(file))):
        types = {f"attribute {key}": item.attrs.get_id(key).dtype for key in item.attrs}
        if isinstance(item, h5py.Dataset):
            types["dataset"] = item.dtype
        for what, dtype in types.items():
            text = h5py.check_string_dtype(dtype)
            if h5py.check_vlen_dtype(dtype) or (text is not None and text.length is None):
                raise TypeError(
                    f"{what} of {item.name}: texts of variable length carry no checksum; "
                    "use semalign3d.files.store.write and write_attributes"
                )


def _fixed_length(texts: np.ndarray) -> np.ndarray:
    """Texts as fixed-length UTF-8, since checksums do not cover texts of variable length."""
    encoded = np.char.encode(texts.astype(str), "utf-8")
    length = max(encoded.dtype.itemsize, 1)
    return encoded.astype(h5py.string_dtype("utf-8", length))


def _chunks(shape: tuple[int, ...], itemsize: int) -> tuple[int, ...]:
    """Chunk shape of at most about 1 MB that keeps the last axes whole."""
    chunks = list(shape)
    for axis in range(len(shape)):
        rest = itemsize * int(np.prod(chunks[axis + 1 :], dtype=np.int64))
        most = min(shape[axis], max(1, MAX_CHUNK_BYTES // rest))
        chunks[axis] = -(
            -shape[axis] // -(-shape[axis] // most)
        )  # even, so that none is padded much
        if chunks[axis] * rest <= MAX_CHUNK_BYTES:
            break
    return tuple(chunks)


@contextmanager
def open_checked(path: str | os.PathLike[str]) -> Iterator[h5py.File]:
    """Open a file for reading.

    Raises
    ------
    FileNotFoundError : no such file.
    DamagedFileError : it is not a whole HDF5 file, or what is read inside the block turns out to
        be missing or to disagree with its checksum.
    FileSystemError : the file system refused; that says nothing about the file.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path} does not exist (or is not a file)")
    try:
        file = open_hdf5(path)
    except (OSError, RuntimeError, ValueError) as error:
        raise system_error(error, path) or DamagedFileError(path, _reason(error)) from error
    with file:
        try:
            yield file
        except (OSError, RuntimeError, KeyError, ValueError) as error:
            if not _comes_from_h5py(error):
                raise
            raise system_error(error, path) or DamagedFileError(path, _reason(error)) from error


def open_hdf5(path: str | os.PathLike[str]) -> h5py.File:
    """Open an HDF5 file for reading, without a file lock.

    Ours are never changed in place, so that readers need none; on file systems without locks HDF5
    would give an error, whatever its setting "best-effort" (only ENOSYS counts there, not ENOLCK).
    """
    return h5py.File(path, "r", locking=False)


def _comes_from_h5py(error: Exception) -> bool:
    """Whether the HDF5 library raised it, not something else inside a block that reads."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return raised_in.startswith("h5py") and not isinstance(error, DamagedFileError)


def _reason(error: Exception) -> str:
    text = str(error.args[-1]) if error.args else type(error).__name__
    return text.splitlines()[0].rstrip(".") if text else type(error).__name__


def read(path: str | os.PathLike[str], *names: str) -> dict[str, np.ndarray]:
    """Read datasets by name; texts come as an array of `str` objects.

    Raises
    ------
    FileNotFoundError : no such file.
    DamagedFileError : damaged, or a dataset is missing (the error names those that exist).
    """
    with open_checked(path) as file:
        missing = [name for name in names if not isinstance(file.get(name), h5py.Dataset)]
        if missing:
            datasets = [name for name in _names(file) if isinstance(file[name], h5py.Dataset)]
            present = ", ".join(datasets) or "none"
            problem = f"no dataset {', '.join(missing)} (it holds: {present})"
            raise DamagedFileError(path, problem)
        return {name: read_dataset(file[name]) for name in names}


def read_dataset(dataset: h5py.Dataset) -> np.ndarray:
    """The whole dataset; texts as an array of `str` objects."""
    if h5py.check_string_dtype(dataset.dtype):
        return np.asarray(dataset.asstr()[()], dtype=object)
    return np.asarray(dataset[()])


def _names(file: h5py.File) -> list[str]:
    """Names of all groups and datasets."""
    names: list[str] = []
    file.visit(names.append)
    return names


def verify(path: str | os.PathLike[str]) -> str | None:
    """Read every dataset and attribute; returns what is wrong, or None if the file is whole.

    Raises
    ------
    FileSystemError : the file system refused; that says nothing about the file.
    """
    try:
        with open_checked(path) as file:
            attributes(file)
            for name in _names(file):
                attributes(file[name])
                if isinstance(file[name], h5py.Dataset):
                    read_dataset(file[name])
    except DamagedFileError as error:
        return error.problem
    except (FileNotFoundError, IsADirectoryError) as error:
        return str(error)
    return None


def stamp_of(path: str | os.PathLike[str]) -> str | None:
    """The stamp that a whole file carries; None if it is missing, damaged or not stamped.

    The whole file is read and checked, so that an equal stamp means that it can be used.
    """
    if verify(path) is not None:
        return None
    with open_checked(path) as file:
        return attributes(file).get(STAMP)
