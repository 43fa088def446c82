"""PF-Pascal's two kinds of files, read and validated (METHOD.md 1.3)."""

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...errors import InputError
from ..mirror_tables import PF_PASCAL
from ..names import first_of, is_plain_path

CATEGORIES = tuple(sorted(PF_PASCAL))
"""The 20 categories of VOC; the lists name them by their number, from 1."""
COLUMNS = ("source_image", "target_image", "class")
POINTS = ("XA", "YA", "XB", "YB")

_NO_MATLAB_FILE = (OSError, ValueError, TypeError, KeyError, NotImplementedError, zlib.error)
"""What loadmat raises for damaged files, besides its MatReadError."""


@dataclass(frozen=True)
class ListedPair:
    """A row of a list of pairs.

    Attributes
    ----------
    name : of the form `<digits>-<source>-<target>:<category>`, numbered by rows.
    category, source, target : names; the latter two are stems.
    points : (2, n, 2) float64, pixels (x, y) in source and target; None where the list has none.
    """

    name: str
    category: str
    source: str
    target: str
    points: np.ndarray | None


def read_keypoints(path: Path, count: int) -> dict[int, tuple[float, float]]:
    """{id: (x, y)} of the keypoints that are seen, from a .mat file's `kps`.

    Parameters
    ----------
    count : keypoints of the category; `kps` must have at least so many rows.

    Raises
    ------
    InputError : missing or damaged file, or `kps` of another shape.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        values = loadmat(path, variable_names=["kps"])
    except (MatReadError, *_NO_MATLAB_FILE) as error:
        raise InputError(f"{path}: not a whole MATLAB file ({error})") from error
    if "kps" not in values:
        raise InputError(f"{path}: expected an array named kps, found none of that name")
    kps = values["kps"]
    if kps.ndim != 2 or kps.shape[1] != 2 or kps.dtype.kind not in "fiu":
        shape = " x ".join(map(str, kps.shape))
        raise InputError(f"{path}: kps: expected K x 2 numbers, found {shape} of {kps.dtype}")
    if len(kps) < count:
        raise InputError(f"{path}: kps: expected {count} keypoints, found {len(kps)}")
    half = np.isnan(kps).sum(axis=1) == 1
    if np.isinf(kps.astype(float)).any() or half.any():
        wrong = np.flatnonzero(half | np.isinf(kps.astype(float)).any(axis=1))
        raise InputError(
            f"{path}: keypoints {', '.join(map(str, wrong))}: expected finite x, y or NaN, NaN"
        )
    return {i: (float(x), float(y)) for i, (x, y) in enumerate(kps) if not np.isnan(x)}


def read_pairs(path: Path) -> tuple[ListedPair, ...]:
    """The rows of a list of pairs; a row that repeats one (lists of training pairs do) is dropped.

    Raises
    ------
    InputError : missing file or columns, or a list of the rows that are wrong.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table ({error})") from error
    missing = [name for name in COLUMNS if rows and name not in rows[0]]
    if missing or not rows:
        what = f"no column {', '.join(missing)}" if missing else "no pairs"
        raise InputError(f"{path}: {what}; expected a table with {', '.join(COLUMNS)}")
    pairs: dict[tuple[str, str, str], ListedPair] = {}
    problems = []
    for number, row in enumerate(rows, 1):
        try:
            pair = _pair(number, row)
            pairs.setdefault((pair.category, pair.source, pair.target), pair)
        except ValueError as error:
            problems.append(f"{path}: row {number}: {error}")
    if problems:
        raise InputError(first_of(problems))
    return tuple(pairs.values())


def _pair(number: int, row: dict[str, str | None]) -> ListedPair:
    """A row's pair; ValueError says what is wrong."""
    place = row["class"] or ""
    if not place.strip().isdecimal() or not 1 <= int(place) <= len(CATEGORIES):
        raise ValueError(f"class: expected 1 to {len(CATEGORIES)}, found {place!r}")
    category = CATEGORIES[int(place) - 1]
    stems: list[str] = []
    for key in COLUMNS[:2]:
        name = (row[key] or "").strip()
        if not is_plain_path(name):
            raise ValueError(f"{key}: expected a path inside the dataset, found {name!r}")
        stems.append(Path(name).stem)
    name = f"{number:06d}-{stems[0]}-{stems[1]}:{category}"
    return ListedPair(name, category, stems[0], stems[1], _points(row))


def _points(row: dict[str, str | None]) -> np.ndarray | None:
    """(2, n, 2) pixels of a row's points, or None if it has none."""
    if any(row.get(key) is None for key in POINTS):
        return None
    columns = [[float(v) for v in (row[key] or "").split(";") if v.strip()] for key in POINTS]
    if len(set(map(len, columns))) > 1 or not np.isfinite(np.concatenate(columns)).all():
        counts = ", ".join(
            f"{len(column)} {key}" for key, column in zip(POINTS, columns, strict=True)
        )
        raise ValueError(f"expected as many finite coordinates in each column, found {counts}")
    return np.array(columns).reshape(2, 2, -1).transpose(0, 2, 1)
