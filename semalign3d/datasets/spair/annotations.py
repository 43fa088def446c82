"""SPair-71k's two kinds of JSON files, read and validated (METHOD.md 1.1)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import InputError
from ..names import is_plain_name
from ..orientation import Reading
from ..reading import (
    Findings,
    corner_box,
    image_record,
    is_finite,
    positive_integer,
    read_json_object,
)
from ..records import ImageRecord, PairFlags, PairRecord
from .layout import PairName

IMAGE_KEYS = ("filename", "image_width", "image_height", "bndbox", "kps")
GRADES = ("viewpoint_variation", "scale_variation", "truncation", "occlusion")
PAIR_KEYS = ("src_kps", "trg_kps", "kps_ids", "trg_bndbox", *GRADES)


def read_image_annotation(
    path: Path,
    image_path: Path,
    category: str,
    split: str,
    ids: Sequence[int],
    reading: Reading,
) -> ImageRecord:
    """Read an image's annotation.

    A keypoint up to one pixel outside the image is moved to its border; one further outside, or
    with an id that the category does not have, is left out and noted.

    Parameters
    ----------
    path : the JSON file; its stem is the image's.
    image_path : the image that it belongs to.
    ids : the category's keypoint ids, ascending.
    reading : of the photo.

    Raises
    ------
    InputError : lists all that is wrong with the file.
    """
    findings = Findings(str(path))
    values = read_json_object(path, IMAGE_KEYS)
    _check_names(values, category, image_path.stem, findings)
    width = positive_integer(values, "image_width", findings)
    height = positive_integer(values, "image_height", findings)
    box = corner_box(values["bndbox"], "bndbox", findings)
    positions = _positions(values["kps"], findings)
    size = (width, height)
    args = (size, box, positions, ids, findings, reading)
    return image_record(category, image_path.stem, split, image_path, *args)


def read_pair_annotation(path: Path, pair: PairName, split: str, ids: Sequence[int]) -> PairRecord:
    """Read a pair's annotation.

    Raises
    ------
    InputError : lists all that is wrong with the file.
    """
    findings = Findings(str(path))
    values = read_json_object(path, PAIR_KEYS)
    found = values["kps_ids"]
    numbers = [_keypoint_id(i) for i in found] if isinstance(found, list) else [None]
    if None in numbers or not set(numbers) <= set(ids) or len(set(numbers)) != len(numbers):
        findings.problem(f"kps_ids: expected different ids of {list(ids)}, found {found}")
    sides = [_points(values[key], key, len(numbers), findings) for key in ("src_kps", "trg_kps")]
    box = corner_box(values["trg_bndbox"], "trg_bndbox", findings)
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


def _check_names(values: dict[str, Any], category: str, stem: str, findings: Findings) -> None:
    name = values["filename"]
    if not isinstance(name, str) or not is_plain_name(name):
        findings.problem(f"filename: expected a plain file name without folders, found {name!r}")
    elif Path(name).stem != stem:
        findings.problem(f"filename: expected {stem}.jpg, the image of this file, found {name!r}")
    if values.get("category", category) != category:
        findings.problem(f"category: expected {category!r}, found {values['category']!r}")


def _is_position(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(is_finite, value))


def _keypoint_id(value: Any) -> int | None:
    if isinstance(value, str) and value.isdecimal() and value.isascii():
        return int(value) if len(value) < 10 else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _positions(kps: Any, findings: Findings) -> dict[int, tuple[float, float]]:
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


def _points(value: Any, key: str, count: int, findings: Findings) -> np.ndarray:
    if not isinstance(value, list) or len(value) != count or not all(map(_is_position, value)):
        findings.problem(f"{key}: expected {count} finite [x, y], one per id, found {value!r}")
        return np.zeros((0, 2))
    return np.array(value, dtype=np.float64).reshape(count, 2)
