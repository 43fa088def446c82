"""Annotated objects in COCO's keys, as records (METHOD.md 1.2)."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..orientation import Reading
from ..reading import Findings, image_record, is_finite, positive_integer, sided_box, whole_box
from ..records import ImageRecord
from .file import CocoFile

ABSENT, HIDDEN = 0, 1
"""COCO's visibilities of a keypoint that is not labelled, and of one labelled but not seen."""


def object_record(
    image: Mapping[str, Any],
    annotation: Mapping[str, Any],
    where: str,
    category: str,
    split: str,
    image_path: Path,
    names: Sequence[str],
    *,
    use_hidden: bool,
    reading: Reading,
) -> ImageRecord:
    """The record of an image that shows one object.

    An object without box, or with an empty one, gets the whole image. Keypoints are placed as
    those of SPair-71k are; where they are hidden (v = 1), the depth at their pixel is that of
    what hides them, so that they only count if asked for.

    Parameters
    ----------
    image : with width and height.
    annotation : with keypoints (triples x, y, v) and bbox [x, y, width, height].
    where : what problems and notes are prefixed with.
    image_path : its stem is the image's.
    names : of the category's K keypoints.
    use_hidden : whether keypoints that are labelled but hidden count as seen.
    reading : of the photo.

    Raises
    ------
    InputError : lists all that is wrong.
    """
    findings = Findings(where)
    width = positive_integer(image, "width", findings)
    height = positive_integer(image, "height", findings)
    given = annotation.get("bbox")
    if given is None or (isinstance(given, list) and given[2:] == [0, 0]):
        box = whole_box(width, height)
        findings.note("no box: the whole image is taken")
    else:
        box = sided_box(given, "bbox", findings)
    positions = _positions(annotation.get("keypoints"), len(names), findings, use_hidden)
    ids = range(len(names))
    size = (width, height)
    return image_record(category, split, image_path, size, box, positions, ids, findings, reading)


def _positions(
    values: Any, count: int, findings: Findings, use_hidden: bool
) -> dict[int, tuple[float, float]]:
    """{id: (x, y)} of the keypoints that are seen."""
    if not isinstance(values, list) or len(values) != 3 * count:
        found = f"{len(values)} numbers" if isinstance(values, list) else repr(values)
        findings.problem(f"keypoints: expected {count} triples x, y, v, found {found}")
        return {}
    positions: dict[int, tuple[float, float]] = {}
    for number in range(count):
        x, y, v = values[3 * number : 3 * number + 3]
        if v not in (0, 1, 2) or not (v == ABSENT or (is_finite(x) and is_finite(y))):
            findings.problem(
                f"keypoint {number}: expected finite x, y and v of 0, 1 or 2, found {[x, y, v]}"
            )
        elif v == HIDDEN and not use_hidden:
            findings.hidden[number] = (float(x), float(y))
        elif v != ABSENT:
            positions[number] = (float(x), float(y))
    if findings.hidden:
        hidden = ", ".join(map(str, findings.hidden))
        findings.note(f"keypoints {hidden} left out: labelled as hidden (v = 1)")
    return positions


def coco_record(
    file: CocoFile,
    category: str,
    stem: str,
    split: str,
    image_path: Path,
    *,
    use_hidden: bool,
    reading: Reading,
) -> ImageRecord:
    """The record of an image of a COCO-keypoint file.

    Of several objects of the category the one with most keypoints is taken (of those the one
    with the largest box, of those the first), and the others are noted.

    Raises
    ------
    InputError : no such image, or a list of all that is wrong with its annotations.
    """
    records: list[ImageRecord] = []
    problems: list[str] = []
    if stem not in file.objects.get(category, {}):
        raise InputError(f"{file.path}: category {category} has no image {stem!r}")
    for entry in file.objects[category][stem]:
        where = f"{file.path}: annotations[{entry.number}] of {entry.image['file_name']}"
        try:
            record = object_record(
                entry.image,
                entry.annotation,
                where,
                category,
                split,
                image_path,
                file.names[category],
                use_hidden=use_hidden,
                reading=reading,
            )
        except InputError as error:
            problems += error.problems
        else:
            records.append(record)
    if problems:
        raise InputError(problems)
    best = max(records, key=lambda record: (int(record.visible.sum()), _area(record)))
    if len(records) == 1:
        return best
    note = f"{image_path}: shows {len(records)} of category {category}, one is taken"
    return dataclasses.replace(best, notes=(*best.notes, note))


def _area(record: ImageRecord) -> float:
    x1, y1, x2, y2 = record.box
    return (x2 - x1) * (y2 - y1)
