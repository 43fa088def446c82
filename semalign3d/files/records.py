"""Dataclasses as groups of HDF5 files."""

import dataclasses
import os
import typing
from typing import Any, TypeVar

import h5py
import numpy as np

from semalign3d.files import store

Record = TypeVar("Record")


def write_record(group: h5py.Group, record: Any, *, compress: bool = False) -> None:
    """Write a dataclass into a group: every field under its name.

    Arrays and tuples of texts become datasets, numbers and texts attributes, dataclasses groups;
    None is left out.

    Parameters
    ----------
    group : open file or group.
    record : dataclass instance whose fields are of these kinds.
    compress : arrays of two axes or more, see `store.write`.
    """
    for field in dataclasses.fields(record):
        value = getattr(record, field.name)
        if dataclasses.is_dataclass(value):
            write_record(group.create_group(field.name), value, compress=compress)
        elif isinstance(value, np.ndarray):
            store.write(group, field.name, value, compress=compress and value.ndim > 1)
        elif value is None:
            continue
        elif isinstance(value, tuple):
            store.write(group, field.name, np.array(value, dtype=str))
        else:
            store.write_attributes(group, **{field.name: value})


def read_record(path: str | os.PathLike[str], kind: type[Record], name: str = "/") -> Record:
    """Read a dataclass that `write_record` wrote, from a group of a file.

    A field that may be None is None where it is missing.

    Parameters
    ----------
    path : the file.
    kind : the dataclass.
    name : the group.

    Raises
    ------
    FileNotFoundError : no such file.
    DamagedFileError : damaged, or a field is missing (the error names it).
    """
    with store.open_checked(path) as file:
        if name not in file:
            raise store.DamagedFileError(path, f"no group {name}")
        return _read(path, file[name], kind)


def _read(path: str | os.PathLike[str], group: h5py.Group, kind: type[Record]) -> Record:
    hints = typing.get_type_hints(kind)
    attributes = store.attributes(group)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        hint = hints[field.name]
        if field.name in attributes:
            values[field.name] = attributes[field.name]
        elif field.name not in group and type(None) in typing.get_args(hint):
            values[field.name] = None
        elif field.name not in group:
            raise store.DamagedFileError(path, f"no {field.name} in group {group.name}")
        elif dataclasses.is_dataclass(hint):
            values[field.name] = _read(path, group[field.name], typing.cast(type, hint))
        else:
            array = store.read_dataset(group[field.name])
            is_texts = typing.get_origin(hint) is tuple
            values[field.name] = tuple(map(str, array)) if is_texts else array
    return kind(**values)
