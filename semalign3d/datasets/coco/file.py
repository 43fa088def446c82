"""COCO-keypoint JSON files: which categories, photos and objects they hold (METHOD.md 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..names import some_of
from ..reading import Findings, read_json_object
from ..records import Remark
from .categories import Categories, Entries, read_categories
from .ids import Id, Ids, read_id
from .photo_names import PhotoFinder
from .photos import CocoPhoto, Photos, read_photos
from .sorting import Objects, Sorting

HINT = (
    "A category needs keypoint names and labelled photos: in CVAT, export COCO Keypoints; Label "
    "Studio puts keypoints into a category of their own, mostly called default."
)


@dataclass(frozen=True)
class CocoFile:
    """A COCO-keypoint file, sorted by categories.

    Attributes
    ----------
    path : the file.
    categories : those that can be used, and why others can't.
    photos : all photos of the file.
    objects : those with labelled keypoints.
    skipped : those without, which hold nothing.
    problems : what can't be told apart or found; such a file can't be used.
    """

    path: Path
    categories: Categories
    photos: tuple[CocoPhoto, ...]
    objects: Objects
    skipped: Objects
    problems: tuple[str, ...] = ()
    _remarks: list[Remark] = field(default_factory=list)

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """{category: names of its keypoints}, of those with annotated photos."""
        return self.categories.keypoints

    def require(self, category: str) -> None:
        """Raise an InputError that says why this is no category to use, if it is none."""
        if category not in self.names:
            hint = HINT if category in self.categories.unlabelled else ""
            raise InputError(f"{self.path}: {self.categories.why_not(category)}", hint=hint)

    def remarks(self, category: str) -> tuple[Remark, ...]:
        """What was skipped, and names that were read by their meaning."""
        used = self.objects.get(category, {})
        empty = [
            found[0].photo.name
            for stem, found in self.skipped.get(category, {}).items()
            if stem not in used
        ]
        found = list(self._remarks)
        if empty:
            text = f"left out, since no keypoint of {category} is labelled there"
            found.append(Remark("note", f"{_photos(len(empty))} {text}: {some_of(empty, 20)}"))
        return tuple(Remark(each.level, f"{self.path}: {each.text}") for each in found)


def read_coco_file(path: Path, root: Path) -> CocoFile:
    """Read a file and sort its objects; what these hold is validated when a record is asked for.

    Parameters
    ----------
    path : the file.
    root : folder of the photos, in which those are looked for whose names are not plain.

    Raises
    ------
    InputError : missing or truncated file, or without the lists images, annotations, categories.
    """
    values = read_json_object(path, tuple(_REQUIRED))
    findings = Findings(str(path))
    lists = {key: _entries(values[key], key, findings) for key in _REQUIRED}
    categories = read_categories(lists["categories"], findings)
    photos = read_photos(lists["images"], PhotoFinder(root, path.parent), findings)
    sorting = Sorting(
        categories.of_id,
        photos.of_id,
        _other_ids(values["categories"], categories.of_id),
        _other_ids(values["images"], photos.of_id),
    )
    for number, annotation in lists["annotations"]:
        sorting.add(number, annotation)
    categories = sorting.judged(categories)
    for text in sorting.problems():
        findings.problem(text)
    annotated = {read_id(entry["image_id"]) for _, entry in lists["annotations"]}
    return CocoFile(
        path,
        categories,
        tuple(photos.of_id.values()),
        {name: sorting.objects[name] for name in categories.keypoints},
        sorting.skipped,
        tuple(findings.problems),
        [*photos.remarks, *_left_out(categories), *_unannotated(photos, annotated)],
    )


_REQUIRED = {
    "images": ("id", "file_name"),
    "annotations": ("image_id", "category_id"),
    "categories": ("id", "name"),
}


def _entries(value: Any, key: str, findings: Findings) -> Entries:
    """A list of JSON objects with the keys that tell who they are, each with its place."""
    if not isinstance(value, list):
        findings.problem(f"{key}: expected a list, found {type(value).__name__}")
        return []
    found = []
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            findings.problem(f"{key}[{number}]: expected an object, found {entry!r:.40}")
            continue
        missing = [name for name in _REQUIRED[key] if name not in entry]
        wrong = [
            f"{name}: expected a whole number or a text, found {entry[name]!r:.40}"
            for name in _REQUIRED[key]
            if name.endswith("id") and name in entry and read_id(entry[name]) is None
        ]
        if missing:
            findings.problem(f"{key}[{number}]: missing {', '.join(missing)}")
        elif wrong:
            findings.problem(f"{key}[{number}]: {'; '.join(wrong)}")
        else:
            found.append((number, entry))
    return found


def _other_ids(entries: Any, known: Mapping[Id | None, Any]) -> set[Id] | None:
    """Ids of a list's entries that can't be used; None if some have no id to read."""
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        return None
    ids = {read_id(entry.get("id")) for entry in entries}
    return None if None in ids else {each for each in ids if each is not None} - set(known)


def _left_out(categories: Categories) -> list[Remark]:
    if not categories.keypoints:
        return []
    found = [f"{name!r} {reason}" for name, reason in categories.unlabelled.items()]
    notes = [Remark("note", f"categories left out: {some_of(found)}")] if found else []
    return notes + [
        Remark("warning", f"category {name!r} {reason}")
        for name, reason in categories.faulty.items()
    ]


def _unannotated(photos: Photos, annotated: set[Id | None]) -> list[Remark]:
    """Photos of which the file says nothing."""
    known = Ids(photos.of_id)
    seen = {known.find(each) for each in annotated}
    used = {photos.of_id[each].stem for each in seen if each is not None}
    names = sorted({p.name for p in photos.of_id.values() if p.stem not in used})
    if not names:
        return []
    return [
        Remark("note", f"{_photos(len(names))} without annotation left out: {some_of(names, 20)}")
    ]


def _photos(count: int) -> str:
    return f"{count} photo" + ("" if count == 1 else "s")
