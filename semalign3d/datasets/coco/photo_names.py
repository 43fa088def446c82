"""The photo that a file_name means: a path, a URI or an upload, as labelling tools export them."""

import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, unquote_plus, urlsplit

from ..names import fault_of

Parts = tuple[str, ...]

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE = re.compile(r"^/?[A-Za-z]:(?=/)")
_LOCAL_FILES = re.compile(r"/?data/local-files/?$")
_UPLOAD = re.compile(r"[0-9a-f]{6,8}-(?=.)")
"""What Label Studio puts before the name of an uploaded file."""
OUTSIDE = "outside the folder of photos"
MAX_TEXT = 80


@dataclass(frozen=True)
class FoundPhoto:
    """Where a photo lies.

    Attributes
    ----------
    path : relative to the folder of photos; it need not exist.
    given : the name as exported, with slashes and without blanks at its ends.
    guessed : whether only a part of the name, or one that looks like it, is in the folder.
    """

    path: PurePosixPath
    given: str
    guessed: bool


class PhotoFinder:
    """Finds photos of a folder by the names that a file of annotations has for them.

    Tried in this order: the name as a path in the folder; one that leads into it (absolute, or
    relative to the folder of the annotations); the longest end of the name that lies in it; that
    without the characters that an upload puts before it. Where a path is not there to the letter,
    one that differs only in case, Unicode form or blanks at the ends of its parts is taken.

    Parameters
    ----------
    root : folder of the photos.
    beside : folder of the annotations.
    """

    def __init__(self, root: Path, beside: Path) -> None:
        self._root = root
        self._folders = list(dict.fromkeys([os.path.abspath(root), os.path.realpath(root)]))
        self._beside = os.path.abspath(beside)
        self._names: dict[Path, dict[str, list[str]]] = {}

    def find(self, name: str) -> FoundPhoto:
        """The photo that a name means.

        Raises
        ------
        ValueError : it can be none of the folder, or one of several; says which part is at fault.
        """
        text = name.strip()
        parts = _parts(text)
        given = "/".join(parts)
        if not text.startswith("/") and not _faults(parts) and self._is_file(parts):
            return FoundPhoto(PurePosixPath(*parts), given, guessed=False)
        first = None
        for candidate, guessed in self._candidates(text):
            first = first or candidate
            found = None if _faults(candidate) else self._on_disk(candidate)
            if found is not None:
                return FoundPhoto(
                    PurePosixPath(*found), given, guessed or alike(found) != alike(candidate)
                )
        if first is None:
            raise ValueError(f"it lies {OUTSIDE}, which has no {parts[-1:] and parts[-1]!r}")
        faults = _faults(first)
        if faults:
            raise ValueError(faults)
        return FoundPhoto(PurePosixPath(*first), given, guessed=False)

    def _candidates(self, text: str) -> Iterator[tuple[Parts, bool]]:
        """Relative paths that a name may mean, best first, each with whether it is a guess."""
        for reading, absolute in _readings(text):
            parts = _parts(reading)
            outward = absolute or ".." in parts
            if not outward:
                yield parts, False
            inside = list(self._leading_in(parts, absolute))
            yield from ((found, False) for found in inside)
            if inside and outward:
                continue
            if outward and self._is_elsewhere(parts, absolute):
                raise ValueError(f"it lies {OUTSIDE}")
            own = parts[len(parts) - parts[::-1].index("..") :] if ".." in parts else parts
            tails = [own[start:] for start in range(0 if outward else 1, len(own))]
            bare = _UPLOAD.sub("", parts[-1], count=1) if parts else ""
            for tail in [*tails, *([(bare,)] if bare and bare != parts[-1] else [])]:
                if self._on_disk(tail) is not None:
                    yield tail, True

    def _is_elsewhere(self, parts: Parts, absolute: bool) -> bool:
        """Whether a path that leads out of the folder is that of a file."""
        starts = ["/"] if absolute else [str(self._root), self._beside]
        return any(os.path.isfile(os.path.join(start, *parts)) for start in starts)

    def _leading_in(self, parts: Parts, absolute: bool) -> Iterator[Parts]:
        """Paths in the folder that a name leads to, with .. or from elsewhere."""
        starts = ["/"] if absolute else [self._beside]
        if not absolute and ".." in parts:
            starts = [str(self._root), self._beside]
        for start in starts:
            path = os.path.abspath(os.path.join(start, *parts))
            for place in (path, os.path.realpath(path)):
                for folder in self._folders:
                    if place.startswith(folder + "/"):
                        yield tuple(place.removeprefix(folder + "/").split("/"))
                        break

    def _is_file(self, parts: Parts) -> bool:
        return bool(parts) and os.path.isfile(self._root.joinpath(*parts))

    def _on_disk(self, parts: Parts) -> Parts | None:
        """The path of a file in the folder, to the letter or alike; None if there is none."""
        if self._is_file(parts):
            return parts
        place: Parts = ()
        for part in parts:
            names = self._listed(self._root.joinpath(*place)).get(alike((part,))[0], [])
            same = [name for name in names if name == part]
            same = same or [name for name in names if composed(name) == composed(part)]
            same = same or names
            if not same:
                return None
            if len(same) > 1:
                raise ValueError(f"it could be {' or '.join(sorted(same))}")
            place = (*place, same[0])
        return place if self._is_file(place) else None

    def _listed(self, folder: Path) -> dict[str, list[str]]:
        """{name as it is compared: names in a folder}."""
        if folder not in self._names:
            found: dict[str, list[str]] = {}
            for name in os.listdir(folder) if folder.is_dir() else []:
                found.setdefault(alike((name,))[0], []).append(name)
            self._names[folder] = found
        return self._names[folder]


def _readings(text: str) -> Iterator[tuple[str, bool]]:
    """A name without scheme, host and query, and whether it is absolute; decoded ones last."""
    address = urlsplit(text) if _URI.match(text) or "?" in text else None
    if address is not None and address.query and _LOCAL_FILES.search(address.path):
        for value in re.findall(r"(?:^|&)d=([^&]*)", address.query):
            for path in dict.fromkeys((unquote(value), unquote_plus(value))):
                yield path, path.startswith("/")
        return
    if address is not None and _URI.match(text):
        yield unquote(address.path), True
        return
    slashes = text.replace("\\", "/")
    absolute = slashes.startswith("/") or bool(_DRIVE.match(slashes))
    yield slashes, absolute
    if unquote(slashes) != slashes:
        yield unquote(slashes), absolute


def _parts(text: str) -> Parts:
    slashes = _DRIVE.sub("", text.replace("\\", "/"), count=1)
    return tuple(part for part in slashes.split("/") if part not in ("", "."))


def _faults(parts: Parts) -> str:
    """What is wrong with the first part of a path that is no plain name."""
    if not parts:
        return "it is empty"
    for part in parts:
        fault = fault_of(part.strip())
        if fault:
            where = "" if len(parts) == 1 else f" ({shortened(part)})"
            return fault + where
    return ""


def composed(name: str) -> str:
    """Unicode's composed form (NFC)."""
    return unicodedata.normalize("NFC", name)


def alike(parts: Parts) -> Parts:
    """Parts as they are compared: composed, without case, without blanks at the ends."""
    stripped = (composed(part).casefold().strip() for part in parts)
    return tuple(re.sub(r"\s+(?=\.\w+$)", "", part) for part in stripped)


def shortened(name: str) -> str:
    """A name for a message: some exporters put a whole image into it."""
    text = repr(name if len(name) <= MAX_TEXT else f"{name[:MAX_TEXT]}...")
    return text.replace("\\\\", "\\")
