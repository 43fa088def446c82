"""SPair-71k's two kinds of JSON files, read and validated (METHOD.md 1.1)."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .records import Box, ImageRecord, PairFlags, PairRecord
from .spair_layout import PairName, is_plain_name

IMAGE_KEYS = ("filename", "image_width", "image_height", "bndbox", "kps")
GRADES = ("viewpoint_variation", "scale_variation", "truncation", "occlusion")
PAIR_KEYS = ("src_kps", "trg_kps", "kps_ids", "trg_bndbox", *GRADES)
CLIP_MARGIN = 1.0


@dataclass
class _Findings:
    """What a reader notices; every text is prefixed with where."""

    where: str
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def problem(self, text: str) -> None:
        self.problems.append(f"{self.where}: {text}")

    def note(self, text: str) -> None:
        self.notes.append(f"{self.where}: {text}")


def read_image_annotation(
    path: Path, image_path: Path, category: str, split: str, ids: Sequence[int]
) -> ImageRecord:
    """Read an image's annotation.

    A keypoint up to one pixel outside the image is moved to its border; one further outside, or
    with an id that the category does not have, is left out and noted.

    Parameters
    ----------
    path : the JSON file; its stem is the image's.
    image_path : the image that it belongs to.
    ids : the category's keypoint ids, ascending.

    Raises
    ------
    InputError : lists all that is wrong with the file.
    """
    findings = _Findings(str(path))
    values = _read_object(path, IMAGE_KEYS)
    _check_names(values, category, image_path.stem, findings)
    width = _size(values, "image_width", findings)
    height = _size(values, "image_height", findings)
    box = _box(values["bndbox"], "bndbox", findings)
    positions = _positions(values["kps"], findings)
    if findings.problems:
        raise InputError(findings.problems)
    keypoints = _place_keypoints(positions, (width, height), ids, findings)
    return ImageRecord(
        category=category,
        stem=image_path.stem,
        split=split,
        path=image_path,
        width=width,
        height=height,
        box=box,
        keypoints=keypoints,
        notes=tuple(findings.notes),
    )


def read_pair_annotation(path: Path, pair: PairName, split: str, ids: Sequence[int]) -> PairRecord:
    """Read a pair's annotation.

    Raises
    ------
    InputError : lists all that is wrong with the file.
    """
    findings = _Findings(str(path))
    values = _read_object(path, PAIR_KEYS)
    found = values["kps_ids"]
    numbers = [_keypoint_id(i) for i in found] if isinstance(found, list) else [None]
    if None in numbers or not set(numbers) <= set(ids) or len(set(numbers)) != len(numbers):
        findings.problem(f"kps_ids: expected different ids of {list(ids)}, found {found}")
    sides = [_points(values[key], key, len(numbers), findings) for key in ("src_kps", "trg_kps")]
    box = _box(values["trg_bndbox"], "trg_bndbox", findings)
    grades = [values[key] for key in GRADES]
    if not all(isinstance(grade, int) for grade in grades):
        findings.problem(f"{', '.join(GRADES)}: expected integers, found {grades}")
    if findings.problems:
        raise InputError(findings.problems)
    return PairRecord(
        name=pair.name,
        category=pair.category,
        split=split,
        source=pair.source,
        target=pair.target,
        source_keypoints=sides[0],
        target_keypoints=sides[1],
        ids=np.array(numbers, dtype=np.int64),
        target_box=box,
        flags=PairFlags(*grades),
    )


def _read_object(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """A JSON file's object, with these keys at least."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: not a whole JSON file ({error})") from error
    if not isinstance(values, dict):
        raise InputError(f"{path}: expected a JSON object, found {type(values).__name__}")
    missing = [key for key in keys if key not in values]
    if missing:
        raise InputError(f"{path}: missing {', '.join(missing)} (it holds: {', '.join(values)})")
    return values


def _check_names(values: dict[str, Any], category: str, stem: str, findings: _Findings) -> None:
    name = values["filename"]
    if not isinstance(name, str) or not is_plain_name(name):
        findings.problem(f"filename: expected a plain file name without folders, found {name!r}")
    elif Path(name).stem != stem:
        findings.problem(f"filename: expected {stem}.jpg, the image of this file, found {name!r}")
    if values.get("category", category) != category:
        findings.problem(f"category: expected {category!r}, found {values['category']!r}")


def _size(values: dict[str, Any], key: str, findings: _Findings) -> int:
    value = values[key]
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        findings.problem(f"{key}: expected a positive integer, found {value!r}")
        return 0
    return value


def _box(value: Any, key: str, findings: _Findings) -> Box:
    if isinstance(value, list) and len(value) == 4 and all(map(_is_finite, value)):
        x1, y1, x2, y2 = map(float, value)
        if x1 < x2 and y1 < y2:
            return x1, y1, x2, y2
    findings.problem(f"{key}: expected numbers [x1, y1, x2, y2], x1 < x2, y1 < y2, found {value!r}")
    return 0.0, 0.0, 1.0, 1.0


def _is_finite(value: Any) -> bool:
    """Whether a JSON value is a number that float64 can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def _is_position(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_finite, value))


def _keypoint_id(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and value.isascii():
        return int(value) if len(value) < 10 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _positions(kps: Any, findings: _Findings) -> dict[int, tuple[float, float]]:
    """{id: (x, y)} of the keypoints that are not null."""
    if not isinstance(kps, dict):
        findings.problem(f"kps: expected an object of id: [x, y] or null, found {kps!r}")
        return {}
    positions = {}
    for key, value in kps.items():
        number = _keypoint_id(key)
        if number is None:
            findings.problem(f"kps: expected a keypoint id, found {key!r}")
        elif value is None:
            continue
        elif not _is_position(value):
            findings.problem(f"keypoint {key}: expected finite [x, y] or null, found {value!r}")
        elif number in positions:
            findings.problem(f"keypoint {number}: given twice")
        else:
            positions[number] = (float(value[0]), float(value[1]))
    return positions


def _place_keypoints(
    positions: dict[int, tuple[float, float]],
    size: tuple[int, int],
    ids: Sequence[int],
    findings: _Findings,
) -> np.ndarray:
    """(K, 2) positions inside the image, NaN where absent; notes what is left out."""
    keypoints = np.full((max(ids) + 1, 2), np.nan)
    last = np.array(size, dtype=np.float64) - 1
    allowed = set(ids)
    for number, position in sorted(positions.items()):
        inside = np.clip(position, 0.0, last)
        shown = f"keypoint {number} at ({position[0]:g}, {position[1]:g})"
        if number not in allowed:
            findings.note(f"{shown} left out: the category has no keypoint {number}")
        elif np.abs(inside - position).max() > CLIP_MARGIN:
            findings.note(f"{shown} left out: outside the image of {size[0]} x {size[1]} pixels")
        else:
            keypoints[number] = inside
    return keypoints


def _points(value: Any, key: str, count: int, findings: _Findings) -> np.ndarray:
    if not isinstance(value, list) or len(value) != count or not all(map(_is_position, value)):
        findings.problem(f"{key}: expected {count} finite [x, y], one per id, found {value!r}")
        return np.zeros((0, 2))
    return np.array(value, dtype=np.float64).reshape(count, 2)
