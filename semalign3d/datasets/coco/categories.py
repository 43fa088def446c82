"""The categories of a COCO-keypoint file: which can be used, and why others can't."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..names import as_written, did_you_mean, fault_of, some_of
from ..reading import Findings, as_integer
from .ids import Id, read_id

Entries = Sequence[tuple[int, dict[str, Any]]]
"""Places in a list of the file, and what is there."""

NO_NAMES = "has no keypoint names (its list keypoints is missing or empty)"


@dataclass(frozen=True)
class Categories:
    """Categories by name.

    Attributes
    ----------
    keypoints : {category: names of its keypoints} of those that can be used.
    of_id : {id: category}, also of those that can't.
    unlabelled : {category: why it is none}, those without keypoint names or without keypoints.
    faulty : {category: what is wrong with it}.
    """

    keypoints: dict[str, tuple[str, ...]] = field(default_factory=dict)
    of_id: dict[Id | None, str] = field(default_factory=dict)
    unlabelled: dict[str, str] = field(default_factory=dict)
    faulty: dict[str, str] = field(default_factory=dict)

    def without(self, unlabelled: dict[str, str], faulty: dict[str, str]) -> Categories:
        """The same, with more that can't be used."""
        out = {*unlabelled, *faulty}
        return Categories(
            {name: of for name, of in self.keypoints.items() if name not in out},
            self.of_id,
            {**self.unlabelled, **unlabelled},
            {**self.faulty, **faulty},
        )

    def why_not(self, category: str) -> str:
        """Why a category can't be used, in words, and which can."""
        reasons = {**self.unlabelled, **self.faulty}
        usable = sorted(self.keypoints)
        there = f"; there are: {some_of(usable, 20)}" if usable else ""
        if category in reasons:
            return f"category {category!r} {reasons[category]}{there}"
        known = [*usable, *reasons]
        others = [f"category {name!r} {reason}" for name, reason in reasons.items()]
        if usable:
            return f"no category {category!r}{did_you_mean(category, known)}{there}"
        return f"no category {category!r}; {'; '.join(others or self.why_none())}"

    def why_none(self) -> list[str]:
        """Why there is no category to use, a line for each that the file has."""
        reasons = {**self.faulty, **self.unlabelled}
        found = [f"category {name!r} {reason}" for name, reason in reasons.items()]
        return found or ["the list categories is empty"]


def read_categories(entries: Entries, findings: Findings) -> Categories:
    """Sort the categories; two of one name are one if their keypoints are the same."""
    found = Categories()
    for number, entry in entries:
        category_id, name = read_id(entry["id"]), entry["name"]
        if isinstance(name, int) and not isinstance(name, bool):
            name = str(name)
        if not isinstance(name, str) or category_id is None:
            findings.problem(f"categories[{number}]: name: expected a text, found {name!r:.60}")
            continue
        name = as_written(name)
        earlier = found.of_id.setdefault(category_id, name)
        if earlier != name:
            findings.problem(
                f"categories[{number}]: the id {entry['id']!r} of {name!r} is that of {earlier!r}"
            )
            continue
        _add(found, name, entry.get("keypoints"))
    for name in [*found.keypoints, *found.faulty]:
        found.unlabelled.pop(name, None)
    return found


def _add(found: Categories, name: str, keypoints: Any) -> None:
    if keypoints in (None, [], {}, ""):
        found.unlabelled.setdefault(name, NO_NAMES)
        return
    names = _keypoint_names(keypoints) if isinstance(keypoints, list) else ()
    faults = _faults(name, names, keypoints)
    if found.keypoints.get(name, names) != names:
        faults = "is given twice, with different keypoints"
        del found.keypoints[name]
    if faults:
        found.faulty[name] = faults
    elif name not in found.faulty:
        found.keypoints[name] = names


def _keypoint_names(keypoints: list[Any]) -> tuple[str, ...]:
    """Names of keypoints, whole numbers as texts; empty for what is none."""
    numbers = [None if isinstance(each, str) else as_integer(each) for each in keypoints]
    texts = [each if n is None else str(n) for each, n in zip(keypoints, numbers, strict=True)]
    return tuple(as_written(each) if isinstance(each, str) else "" for each in texts)


def _faults(category: str, names: tuple[str, ...], keypoints: Any) -> str:
    fault = fault_of(category)
    if fault:
        return f"can't be used: {fault}, since a category's name becomes a folder"
    if not names:
        return f"has keypoints that are no list of names: {keypoints!r:.60}"
    if "" in names:
        place = names.index("")
        return f"has no name as keypoints[{place}], but {keypoints[place]!r:.60}"
    twice = [name for name, count in Counter(names).items() if count > 1]
    return f"has two keypoints of the same name: {some_of(twice)}" if twice else ""
