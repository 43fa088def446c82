"""Annotated objects in COCO's keys, as records (METHOD.md 1.2)."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...files.images import image_size
from ..names import first_of
from ..orientation import AS_ANNOTATED, Reading
from ..reading import Findings, image_record, is_finite, positive_integer, sided_box, whole_box
from ..records import Box, ImageRecord
from .file import CocoFile, read_coco_file
from .keypoints import keypoint_positions


def object_record(
    image: Mapping[str, Any],
    annotation: Mapping[str, Any],
    where: str,
    category: str,
    stem: str,
    split: str,
    image_path: Path,
    names: Sequence[str],
    *,
    use_hidden: bool,
    reading: Reading,
) -> ImageRecord:
    """The record of an image that shows one object.

    An object without box, or with one of no width or height, gets the whole image. Keypoints are
    placed as those of SPair-71k are; where they are hidden (v = 1), the depth at their pixel is
    that of what hides them, so that they only count if asked for.

    Parameters
    ----------
    image : with width and height; where it has neither, the photo's own size is taken.
    annotation : with keypoints (triples x, y, v) and bbox [x, y, width, height].
    where : what problems and notes are prefixed with.
    stem, image_path : the image's name and file.
    names : of the category's K keypoints.
    use_hidden : whether keypoints that are labelled but hidden count as seen.
    reading : of the photo.

    Raises
    ------
    InputError : lists all that is wrong.
    """
    findings = Findings(where)
    size = _size(image, image_path, findings)
    box = _box(annotation.get("bbox"), size, findings)
    positions = keypoint_positions(annotation, len(names), findings, use_hidden)
    ids = range(len(names))
    args = (size, box, positions, ids, findings, reading)
    return image_record(category, stem, split, image_path, *args)


def _size(image: Mapping[str, Any], path: Path, findings: Findings) -> tuple[int, int]:
    """(W, H) as annotated, or else as the photo has it."""
    if all(image.get(key) in (None, 0) for key in ("width", "height")):
        findings.note("no width and height: those of the photo are taken")
        try:
            return image_size(path)
        except InputError as error:
            findings.problems += error.problems
            return 1, 1
    return positive_integer(image, "width", findings), positive_integer(image, "height", findings)


def _box(given: Any, size: tuple[int, int], findings: Findings) -> Box:
    """The box, or the whole image where there is none."""
    whole = whole_box(*size)
    if given is None or given == []:
        findings.note("no box: the whole image is taken")
        return whole
    if isinstance(given, list) and len(given) == 4 and all(map(is_finite, given)):
        width, height = given[2:]
        if min(width, height) == 0 and max(width, height) >= 0:
            findings.note(
                f"the box has a width of {width:g} and a height of {height:g}: "
                "the whole image is taken"
            )
            return whole
    return sided_box(given, "bbox", findings)


def read_sound_file(path: Path, root: Path) -> CocoFile:
    """A COCO-keypoint file, of which all can be told apart and found; see `read_coco_file`.

    Raises
    ------
    InputError : what can't, and with it all that is wrong with the objects that can, and photos
        that are missing.
    """
    file = read_coco_file(path, root)
    problems = list(file.problems)
    if not problems:
        return file
    problems += [
        f"{path}: category {name!r} {fault}" for name, fault in file.categories.faulty.items()
    ]
    for category, by_stem in file.objects.items():
        for stem in by_stem:
            try:
                coco_record(file, category, stem, "", root, use_hidden=True, reading=AS_ANNOTATED)
            except InputError as error:
                problems += error.problems
    paths = [root / photo.path for photo in file.photos]
    problems += [f"{path}: no such image" for path in paths if not path.is_file()]
    raise InputError(first_of(problems))


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
    with the largest box, of those the first), and the others are noted, as are those without a
    keypoint.

    Raises
    ------
    InputError : no such image, or a list of all that is wrong with its annotations.
    """
    records: list[ImageRecord] = []
    problems: list[str] = []
    if stem not in file.objects.get(category, {}):
        raise InputError(f"{file.path}: category {category} has no image {stem!r}")
    for entry in file.objects[category][stem]:
        where = f"{file.path}: annotations[{entry.number}] of {entry.photo.name}"
        try:
            record = object_record(
                entry.photo.entry,
                entry.annotation,
                where,
                category,
                stem,
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
    notes = [
        f"{file.path}: annotations[{entry.number}] of {entry.photo.name}: skipped, it has no "
        "labelled keypoint"
        for entry in file.skipped.get(category, {}).get(stem, [])
    ]
    if len(records) > 1:
        notes.append(f"{image_path}: shows {len(records)} of category {category}, one is taken")
    return dataclasses.replace(best, notes=(*best.notes, *notes)) if notes else best


def _area(record: ImageRecord) -> float:
    x1, y1, x2, y2 = record.box
    return (x2 - x1) * (y2 - y1)
