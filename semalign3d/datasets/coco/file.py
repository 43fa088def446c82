"""COCO-keypoint JSON files: which categories, images and objects they hold (METHOD.md 1.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import InputError
from ..names import first_of, is_plain_name, is_plain_path
from ..reading import Findings, read_json_object


@dataclass(frozen=True)
class CocoObject:
    """An annotated object, as the file has it, and the image that shows it."""

    number: int
    image: Mapping[str, Any]
    annotation: Mapping[str, Any]

    @property
    def stem(self) -> str:
        return Path(self.image["file_name"]).stem


@dataclass(frozen=True)
class CocoFile:
    """A COCO-keypoint file, sorted by categories.

    Attributes
    ----------
    path : the file.
    names : {category: names of its keypoints}, categories with keypoints only.
    objects : {category: {stem: the objects of that category which the image shows}}.
    nameless : {category: what it lacks}, categories without keypoint names.
    """

    path: Path
    names: dict[str, tuple[str, ...]]
    objects: dict[str, dict[str, list[CocoObject]]]
    nameless: dict[str, str]


def read_coco_file(path: Path) -> CocoFile:
    """Read a file and sort its objects; what these hold is validated when a record is asked for.

    Raises
    ------
    InputError : missing or truncated file, or a list of the categories, images and annotations
        that cannot be told apart or found.
    """
    values = read_json_object(path, ("images", "annotations", "categories"))
    findings = Findings(str(path))
    lists = {key: _objects(values[key], key, findings) for key in values if key in _REQUIRED}
    if findings.problems:
        raise InputError(first_of(findings.problems))
    names, category_of = _categories(lists["categories"], findings)
    images = _images(lists["images"], findings)
    objects: dict[str, dict[str, list[CocoObject]]] = {name: {} for name in names}
    known = {value["id"] for value in lists["categories"]}
    for number, annotation in enumerate(lists["annotations"]):
        image, category = annotation["image_id"], annotation["category_id"]
        if image not in images or category not in known:
            findings.problem(
                f"annotations[{number}]: no image {image!r}" * (image not in images)
                or f"annotations[{number}]: no category {category!r}"
            )
        elif category in category_of:
            found = CocoObject(number, images[image], annotation)
            objects[category_of[category]].setdefault(found.stem, []).append(found)
    findings.problems += _same_stems(path, objects)
    if findings.problems:
        raise InputError(first_of(findings.problems))
    nameless = [
        str(entry["name"])
        for entry in lists["categories"]
        if not entry.get("keypoints") and entry["name"] not in names
    ]
    return CocoFile(path, names, objects, dict.fromkeys(nameless, "it has no keypoint names"))


_REQUIRED = {
    "images": ("id", "file_name"),
    "annotations": ("image_id", "category_id"),
    "categories": ("id", "name"),
}


def _objects(value: Any, key: str, findings: Findings) -> list[dict[str, Any]]:
    """A list of JSON objects with the keys that tell who they are."""
    if not isinstance(value, list):
        findings.problem(f"{key}: expected a list, found {type(value).__name__}")
        return []
    found = []
    for number, entry in enumerate(value):
        if not isinstance(entry, dict):
            findings.problem(f"{key}[{number}]: expected an object, found {entry!r:.40}")
            continue
        missing = [name for name in _REQUIRED[key] if name not in entry]
        ids = [entry.get(name) for name in _REQUIRED[key] if name.endswith("id")]
        if missing:
            findings.problem(f"{key}[{number}]: missing {', '.join(missing)}")
        elif not all(isinstance(i, int | str) for i in ids):
            findings.problem(
                f"{key}[{number}]: expected ids that are numbers or texts, found {ids}"
            )
        else:
            found.append(entry)
    return found


def _categories(
    entries: list[dict[str, Any]], findings: Findings
) -> tuple[dict[str, tuple[str, ...]], dict[Any, str]]:
    """{name: keypoint names} and {id: name} of the categories that have keypoints."""
    names: dict[str, tuple[str, ...]] = {}
    category_of: dict[Any, str] = {}
    for entry in entries:
        name, keypoints = entry["name"], entry.get("keypoints") or []
        if not keypoints:
            continue
        if not isinstance(name, str) or not is_plain_name(name):
            findings.problem(f"category {name!r}: expected a plain name, without / : {{ }}")
        elif name in names or entry["id"] in category_of:
            findings.problem(f"category {name!r}: given twice")
        elif not isinstance(keypoints, list) or not all(isinstance(k, str) for k in keypoints):
            findings.problem(
                f"category {name!r}: keypoints: expected names, found {keypoints!r:.60}"
            )
        elif len(set(keypoints)) < len(keypoints):
            findings.problem(f"category {name!r}: two keypoints of the same name in {keypoints}")
        else:
            names[name] = tuple(keypoints)
            category_of[entry["id"]] = name
    return names, category_of


def _images(entries: list[dict[str, Any]], findings: Findings) -> dict[Any, dict[str, Any]]:
    images: dict[Any, dict[str, Any]] = {}
    for number, entry in enumerate(entries):
        name = entry["file_name"]
        if not isinstance(name, str) or not is_plain_path(name):
            findings.problem(
                f"images[{number}]: file_name: expected a path inside the folder of photos, "
                f"found {name!r}"
            )
        elif entry["id"] in images:
            findings.problem(f"images[{number}]: the id {entry['id']!r} is given twice")
        else:
            images[entry["id"]] = entry
    return images


def _same_stems(path: Path, objects: dict[str, dict[str, list[CocoObject]]]) -> list[str]:
    problems = []
    for category, by_stem in objects.items():
        for stem, found in by_stem.items():
            files = sorted({entry.image["file_name"] for entry in found})
            if len(files) > 1:
                problems.append(
                    f"{path}: {category}: images need names of their own, but {stem!r} is "
                    f"that of {' and '.join(files)}"
                )
    return problems
