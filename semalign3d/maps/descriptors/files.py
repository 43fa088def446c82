"""Descriptor maps of any encoder, from the user's files."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from ...errors import InputError
from ...files.arrays import load_array, times
from ...files.digest import file_digest
from ...files.store import open_hdf5
from ...files.system import system_error
from .geoaware import SMALLEST_LENGTH

ENDS = ("", "_flip")


def is_hdf5(root: str | Path) -> bool:
    """Whether the root is one HDF5 file, not a folder of `.npy` files."""
    return Path(root).suffix in {".h5", ".hdf5"}


def descriptor_files(root: str | Path, category: str, stem: str) -> tuple[Path, ...]:
    """The files that hold an image's maps: `<stem>.npy` and `<stem>_flip.npy`, or the HDF5 file."""
    if is_hdf5(root):
        return (Path(root),)
    return tuple(Path(root) / category / f"{stem}{end}.npy" for end in ENDS)


def maps_digest(root: str | Path, category: str, stem: str) -> str:
    """Digest of an image's maps; of an HDF5 file only of what concerns the image.

    Raises
    ------
    FileNotFoundError : a file is missing, or the HDF5 file lacks the image.
    InputError : the HDF5 file is damaged.
    """
    path = Path(root)
    if not is_hdf5(path) or not path.is_file():
        return "+".join(map(file_digest, descriptor_files(root, category, stem)))
    present = hdf5_names(path, category)
    lacking = [f"{category}/{stem}{end}" for end in ENDS if f"{stem}{end}" not in present]
    if lacking:
        raise FileNotFoundError(f"{path}: no dataset {', '.join(lacking)}")
    digest = hashlib.sha256()
    for end in ENDS:
        array = _read_hdf5(path, f"{category}/{stem}{end}")
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def read_maps(root: str | Path, category: str, stem: str) -> np.ndarray:
    """Descriptors of an image and its mirror image, each cell L2-normalised.

    `<root>/<category>/<stem>.npy` and `<stem>_flip.npy` hold (C, G, G) each: channels, rows,
    columns of the padded square (METHOD.md 1.4). Or `<root>` is one HDF5 file with the datasets
    `<category>/<stem>` and `<category>/<stem>_flip`.

    Returns
    -------
    (2, G, G, C) float32.

    Raises
    ------
    InputError : lists what is missing, damaged, of another shape, not finite or zero everywhere.
    """
    maps: list[np.ndarray] = []
    problems: list[str] = []
    for end in ENDS:
        try:
            maps.append(read_map(root, category, f"{stem}{end}"))
        except InputError as error:
            problems += error.problems
    if not problems and maps[0].shape != maps[1].shape:
        names = " and ".join(map(str, descriptor_files(root, category, stem)))
        problems.append(
            f"{names}: the image's map is {times(maps[0].shape)}, its mirror image's "
            f"{times(maps[1].shape)}"
        )
    if problems:
        raise InputError(problems)
    cells = np.moveaxis(np.stack(maps).astype(np.float32), 1, 3)
    lengths = np.linalg.norm(cells, axis=3, keepdims=True)
    return np.ascontiguousarray(cells / np.maximum(lengths, SMALLEST_LENGTH))


def read_map(root: str | Path, category: str, name: str) -> np.ndarray:
    """Read and validate one map (C, G, G) of an image or mirror image, as it is stored.

    Raises
    ------
    InputError : missing, damaged, of another shape, not finite, too large or zero everywhere.
    """
    if is_hdf5(root):
        path = Path(root)
        values, where = _read_hdf5(path, f"{category}/{name}"), f"{path}: {category}/{name}"
    else:
        path = Path(root) / category / f"{name}.npy"
        values, where = load_array(path, "a descriptor map (C x G x G)"), str(path)
    square = values.ndim == 3 and values.shape[1] == values.shape[2] and values.size > 0
    if values.dtype.kind not in "uif" or not square:
        raise InputError(
            f"{where}: expected numbers, C x G x G (channels, rows, columns), found "
            f"{values.dtype} {times(values.shape)}"
        )
    with np.errstate(over="ignore"):
        finite = np.isfinite(values.astype(np.float32))
    if not finite.all():
        raise InputError(
            f"{where}: {(~finite).sum()} of {finite.size} values are not finite (NaN or infinite)"
        )
    if not values.any():
        raise InputError(f"{where}: it is zero everywhere")
    return values


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The user's HDF5 file; what HDF5 raises while it is read becomes an InputError."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; one HDF5 file of descriptor maps is needed")
    try:
        with open_hdf5(path) as file:
            yield file
    except (OSError, RuntimeError, KeyError) as error:
        if refused := system_error(error, path):
            raise InputError(str(refused)) from error
        raise InputError(f"{path}: not a whole HDF5 file ({error})") from error


def hdf5_names(path: Path, category: str) -> set[str]:
    """Names of a category's datasets in the user's HDF5 file.

    Raises
    ------
    InputError : missing, damaged, or without a group of the category.
    """
    with _opened(path) as file:
        group = file.get(category)
        if isinstance(group, h5py.Group):
            return set(group)
        present = ", ".join(file) or "nothing"
    raise InputError(f"{path}: no group {category!r}; the file holds: {present}")


def _read_hdf5(path: Path, name: str) -> np.ndarray:
    """A dataset of the user's HDF5 file."""
    with _opened(path) as file:
        dataset = file.get(name)
        if isinstance(dataset, h5py.Dataset):
            return np.asarray(dataset[()])
    raise InputError(f"{path}: no dataset {name} (channels x rows x columns)")
