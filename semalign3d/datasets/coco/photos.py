"""The photos that a COCO-keypoint file lists, each with a name of its own (METHOD.md 1.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ..names import as_written, fault_of, some_of
from ..reading import Findings
from ..records import Remark
from .categories import Entries
from .ids import Id, read_id
from .photo_names import FoundPhoto, PhotoFinder, alike, composed, shortened


@dataclass(frozen=True)
class CocoPhoto:
    """A photo of the file.

    Attributes
    ----------
    entry : what the file says of it, width and height among others.
    path : in the folder of photos.
    stem : the name under which results are kept: that of the file without folder and ending, with
        its folders where another photo has the same.
    """

    entry: Mapping[str, Any]
    path: PurePosixPath
    stem: str

    @property
    def name(self) -> str:
        """The file_name as exported."""
        return str(self.entry["file_name"])


@dataclass(frozen=True)
class Photos:
    """Photos by id.

    Attributes
    ----------
    of_id : {id: photo}.
    remarks : names that were read by their meaning, and photos that are listed twice.
    """

    of_id: dict[Id | None, CocoPhoto] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)


def read_photos(entries: Entries, finder: PhotoFinder, findings: Findings) -> Photos:
    """Find the photos and name them; what can't be found out becomes a problem."""
    found: dict[Id, tuple[int, dict[str, Any], FoundPhoto]] = {}
    photos = Photos()
    for number, entry in entries:
        name, photo_id = entry["file_name"], read_id(entry["id"])
        if photo_id is None:
            continue
        try:
            photo = finder.find(name) if isinstance(name, str) else None
        except ValueError as error:
            findings.problem(f"images[{number}]: file_name {shortened(name)}: {error}")
            continue
        if photo is None:
            findings.problem(f"images[{number}]: file_name: expected a text, found {name!r:.60}")
        elif photo_id in found and found[photo_id][2].path != photo.path:
            first = found[photo_id][0]
            findings.problem(
                f"images[{number}]: the id {entry['id']!r} is given twice: to "
                f"{shortened(name)} and, in images[{first}], to {found[photo_id][2].path}"
            )
        else:
            found.setdefault(photo_id, (number, entry, photo))
    _refuse_shared(found, findings)
    stems = _stems((photo.path for _, _, photo in found.values()), photos)
    for path, stem in stems.items():
        if fault_of(stem):
            findings.problem(f"images: the name {shortened(stem)} of {path}: {fault_of(stem)}")
    for photo_id, (_, entry, photo) in found.items():
        photos.of_id[photo_id] = CocoPhoto(entry, photo.path, stems[photo.path])
    _remark_on_names(photos)
    return photos


def _refuse_shared(
    found: dict[Id, tuple[int, dict[str, Any], FoundPhoto]], findings: Findings
) -> None:
    """A photo that two names mean by guess is that of neither."""
    first: dict[PurePosixPath, FoundPhoto] = {}
    for photo_id, (number, _, photo) in list(found.items()):
        other = first.setdefault(photo.path, photo)
        same = alike(tuple(other.given.split("/"))) == alike(tuple(photo.given.split("/")))
        if not same and (photo.guessed or other.guessed):
            findings.problem(
                f"images[{number}]: file_name {shortened(photo.given)}: of this and "
                f"{shortened(other.given)} only {photo.path} is in the folder of photos"
            )
            del found[photo_id]


def _stems(paths: Iterable[PurePosixPath], photos: Photos) -> dict[PurePosixPath, str]:
    """{path: name of its own}."""
    stems = {path: as_written(path.stem) for path in sorted(set(paths))}
    renamed = False
    for longer in (lambda path: path.with_suffix(""), lambda path: path):
        shared = _shared(stems)
        for path in shared:
            stems[path] = as_written("_".join(longer(path).parts)).replace(".", "_")
        renamed = renamed or bool(shared)
    for path in _shared(stems):
        stems[path] = as_written(str(path).replace("_", "__").replace("/", "_"))
    if renamed:
        own = [f"{path} is {stem}" for path, stem in stems.items() if stem != path.stem]
        photos.remarks.append(
            Remark("note", f"photos of the same name are told apart: {some_of(own, 20)}")
        )
    return stems


def _shared(stems: Mapping[PurePosixPath, str]) -> list[PurePosixPath]:
    """Paths whose name another has."""
    by_stem: dict[str, list[PurePosixPath]] = {}
    for path, stem in stems.items():
        by_stem.setdefault(stem, []).append(path)
    return [path for paths in by_stem.values() if len(paths) > 1 for path in paths]


def _reading(name: str, path: str) -> str:
    same = " (another Unicode form)" if composed(name) == composed(path) else ""
    return f"{shortened(name)} as {path}{same}"


def _remark_on_names(photos: Photos) -> None:
    read = {photo.name: photo.path for photo in photos.of_id.values()}
    other = [_reading(name, str(path)) for name, path in read.items() if name != str(path)]
    if other:
        text = f"{len(other)} of {len(read)} names of photos were read by their meaning: "
        photos.remarks.append(Remark("note", text + some_of(other, 3)))
    ids: dict[PurePosixPath, list[str]] = {}
    for photo_id, photo in photos.of_id.items():
        ids.setdefault(photo.path, []).append(str(photo_id))
    twice = [f"{path} (ids {', '.join(same)})" for path, same in ids.items() if len(same) > 1]
    if twice:
        text = f"listed more than once, read as one photo each: {some_of(twice, 20)}"
        photos.remarks.append(Remark("note", text))
