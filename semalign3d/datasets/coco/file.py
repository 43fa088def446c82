"""COCO-keypoint JSON files: which categories, photos and objects they hold (METHOD.md 1.2)."""

from __future__ import annotations

from collections import Counter
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
from .keypoints import flat_keypoints, is_empty
from .photo_names import PhotoFinder
from .photos import CocoPhoto, Photos, read_photos

Objects = dict[str, dict[str, list["CocoObject"]]]
"""{category: {stem: the objects of that category which the photo shows}}."""


@dataclass(frozen=True)
class CocoObject:
    """An annotated object, as the file has it, and the photo that shows it."""

    number: int
    photo: CocoPhoto
    annotation: Mapping[str, Any]


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
            raise InputError(f"{self.path}: {self.categories.why_not(category)}")

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
    photos.refused.update(_ids(values["images"]) - set(photos.of_id))
    unread = _ids(values["categories"]) - set(categories.of_id)
    sorting = _Sorting(categories, photos, unread)
    for number, annotation in lists["annotations"]:
        sorting.add(number, annotation)
    categories = categories.without(sorting.without_objects())
    for text in sorting.problems():
        findings.problem(text)
    annotated = {read_id(entry["image_id"]) for _, entry in lists["annotations"]}
    return CocoFile(
        path,
        categories,
        tuple(photos.of_id.values()),
        sorting.objects,
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


def _ids(entries: Any) -> set[Id]:
    """All ids of a list, also of entries that can't be used."""
    found = [read_id(e.get("id")) for e in entries if isinstance(e, dict)] if entries else []
    return {each for each in found if each is not None}


class _Sorting:
    """Annotations sorted by category and photo."""

    def __init__(self, categories: Categories, photos: Photos, unread: set[Id]) -> None:
        self._categories = categories
        self._photos = photos
        self._image_ids = Ids([*photos.of_id, *photos.refused])
        self._category_ids = Ids([*categories.of_id, *unread])
        self._unknown: dict[tuple[str, Any], list[str]] = {}
        self._counts: Counter[str] = Counter()
        self._lengths: dict[str, int] = {}
        self.objects: Objects = {}
        self.skipped: Objects = {}

    def add(self, number: int, annotation: Mapping[str, Any]) -> None:
        """Add an annotation to those of its photo, or to what is skipped or unknown."""
        empty = is_empty(annotation)
        image = self._image_ids.find(read_id(annotation["image_id"]))
        category = self._category_ids.find(read_id(annotation["category_id"]))
        for key, found in (("image_id", image), ("category_id", category)):
            if found is None and not empty:
                place = (key, annotation[key])
                self._unknown.setdefault(place, []).append(f"annotations[{number}]")
        name, photo = self._categories.of_id.get(category), self._photos.of_id.get(image)
        if name is None or photo is None:
            return
        self._counts[name] += 1
        if name in self._categories.keypoints:
            kind = self.skipped if empty else self.objects
            of_photo = kind.setdefault(name, {}).setdefault(photo.stem, [])
            of_photo.append(CocoObject(number, photo, annotation))
        elif not empty:
            self._lengths[name] = len(flat_keypoints(annotation)) // 3

    def without_objects(self) -> dict[str, str]:
        """{category: why it holds nothing}."""
        found = {}
        for name in self._categories.keypoints:
            if name not in self.objects:
                count = self._counts[name]
                why = f"has {count} annotations, none with a labelled keypoint"
                found[name] = why if count else "has no annotation"
        for name, length in self._lengths.items():
            if name in self._categories.unlabelled:
                found[name] = (
                    f"{self._categories.unlabelled[name]}, though its annotations have {length} "
                    "keypoints each: add their names there"
                )
        return found

    def problems(self) -> list[str]:
        """Annotations of photos and categories that the file does not list."""
        nouns = {"image_id": "image", "category_id": "category"}
        return [
            f"{some_of(places, 3)}: {key}: no {nouns[key]} has the id {wanted!r}"
            for (key, wanted), places in self._unknown.items()
        ]


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
