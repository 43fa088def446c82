"""What the readers of annotations share: values checked one by one, problems listed together."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from .names import first_of
from .orientation import Reading, view_of
from .records import Box, ImageRecord

CLIP_MARGIN = 1.0
"""Pixels that a keypoint may lie outside its image."""
_INTEGER = re.compile(r"[+-]?\d{1,18}(\.0+)?")


@dataclass
class Findings:
    """What a reader notices; every text is prefixed with where it was found."""

    where: str
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    hidden: dict[int, tuple[float, float]] = field(default_factory=dict)

    def problem(self, text: str) -> None:
        self.problems.append(f"{self.where}: {text}")

    def note(self, text: str) -> None:
        self.notes.append(f"{self.where}: {text}")


def read_json_object(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """A JSON file's object, with these keys at least."""
    if path.is_dir():
        raise InputError(f"{path}: expected a JSON file, found a folder")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    content = b""
    try:
        content = path.read_bytes()
        values = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        kinds = [kind for start, kind in _STARTS.items() if content.startswith(start)]
        what = f"this is {kinds[0]}" if kinds else str(error)
        raise InputError(f"{path}: not a whole JSON file ({what})") from error
    if not isinstance(values, dict):
        raise InputError(
            f"{path}: expected a JSON object, found {type(values).__name__}{_other_format(values)}"
        )
    missing = [key for key in keys if key not in values]
    if missing:
        raise InputError(
            f"{path}: missing {', '.join(missing)} (it holds: {', '.join(first_of(list(values)))})"
            + _other_format(values)
        )
    return values


_STARTS = {b"PK": "a ZIP archive: unpack it", b"<": "XML: export COCO keypoints, as JSON"}
_FORMATS = {
    "image_id": "COCO's results format, without photos and names",
    "shapes": "labelme's own format, one file a photo",
    "_via_img_metadata": "VIA's own format",
    "items": "Datumaro's format",
    "task": "CVAT's own format",
    "shape_attributes": "VIA's own format",
    "completions": "Label Studio's own format",
    "annotations": "Label Studio's own format",
}
"""A key that tells the format of another tool's JSON file."""


def _other_format(values: Any) -> str:
    """What a JSON file is that is not of the expected form, where a key tells; else empty."""
    first = values[0] if isinstance(values, list) and values else values
    if isinstance(first, dict) and "annotations" in first and isinstance(values, dict):
        return ""
    keys = [key for key in _FORMATS if isinstance(first, dict) and key in first]
    return f"; this is {_FORMATS[keys[0]]}: export COCO keypoints" if keys else ""


def positive_integer(values: Mapping[str, Any], key: str, findings: Findings) -> int:
    """A size, also written 640.0 or "640"; a problem and 0 if it is none."""
    value = as_integer(values.get(key))
    if value is None or value < 1:
        findings.problem(f"{key}: expected a positive integer, found {values.get(key)!r}")
        return 0
    return value


def as_integer(value: Any) -> int | None:
    """The integer that a JSON value is, also written 7.0, "7" or "7.0"; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    return None


def corner_box(value: Any, key: str, findings: Findings) -> Box:
    """A box [x1, y1, x2, y2]."""
    if isinstance(value, list) and len(value) == 4 and all(map(is_finite, value)):
        x1, y1, x2, y2 = map(float, value)
        if x1 < x2 and y1 < y2:
            return x1, y1, x2, y2
    findings.problem(f"{key}: expected numbers [x1, y1, x2, y2], x1 < x2, y1 < y2, found {value!r}")
    return 0.0, 0.0, 1.0, 1.0


def sided_box(value: Any, key: str, findings: Findings) -> Box:
    """A box [x, y, width, height], as its corners."""
    if isinstance(value, list) and len(value) == 4 and all(map(is_finite, value)):
        x, y, width, height = map(float, value)
        if width > 0 and height > 0:
            return x, y, x + width, y + height
    findings.problem(
        f"{key}: expected numbers [x, y, width, height] with a positive size, found {value!r}"
    )
    return 0.0, 0.0, 1.0, 1.0


def whole_box(width: int, height: int) -> Box:
    """The box that is the whole image."""
    return 0.0, 0.0, float(width), float(height)


def is_finite(value: Any) -> bool:
    """Whether a JSON value is a number that float64 can hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def place_keypoints(
    positions: dict[int, tuple[float, float]],
    size: tuple[int, int],
    ids: Sequence[int],
    findings: Findings,
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


def image_record(
    category: str,
    stem: str,
    split: str,
    path: Path,
    size: tuple[int, int],
    box: Box,
    positions: dict[int, tuple[float, float]],
    ids: Sequence[int],
    findings: Findings,
    reading: Reading,
) -> ImageRecord:
    """The record of an image, unless a reader noticed problems.

    Parameters
    ----------
    path : the image file.
    size : (W, H) pixels, as annotated.
    box : of the whole image, it follows when the photo is read turned.
    positions : {id: (x, y)} of the keypoints that are seen.
    ids : the category's keypoint ids, ascending.
    reading : of the photo.

    Raises
    ------
    InputError : lists the problems.
    """
    if findings.problems:
        raise InputError(findings.problems)
    whole = box == whole_box(*size)
    corners = [] if whole else [box[:2], box[2:]]
    labels = np.array([*positions.values(), *corners], dtype=np.float64).reshape(-1, 2)
    view = view_of(path, size, labels, reading.exif)
    width, height = view.size
    keypoints = place_keypoints(positions, view.size, ids, findings)
    labelled = np.full_like(keypoints, np.nan)
    for number, position in {**positions, **findings.hidden}.items():
        if number < len(labelled):
            labelled[number] = position
    return ImageRecord(
        category=category,
        stem=stem,
        split=split,
        path=path,
        width=width,
        height=height,
        box=whole_box(width, height) if whole else box,
        keypoints=keypoints,
        notes=tuple(findings.notes),
        turned=view.turned,
        max_megapixels=reading.max_megapixels,
        remarks=view.remarks,
        labelled=labelled,
        hidden=tuple(findings.hidden),
    )
