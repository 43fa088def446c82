"""Which keypoints swap when an image is mirrored, as their names tell (METHOD.md 1.2)."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..names import as_written
from ..records import Remark
from .mirror_entries import NO_MIRROR, Entry
from .sides import SidedName, sided_names

MIN_GLUED, MIN_LETTERS = 2, 3
"""So many pairs like leye and reye, or like LA and RA, are no coincidence."""


@dataclass(frozen=True)
class Half:
    """A keypoint whose name has a side and no partner.

    Attributes
    ----------
    text : what is missing.
    near : the keypoint that may be its partner; None where no name is near.
    """

    text: str
    near: int | None


@dataclass(frozen=True)
class NamedSides:
    """What names tell of left and right.

    Attributes
    ----------
    partner : for each keypoint the one that it swaps with; itself where its name has no side.
    halves : {keypoint: what is missing}, those with a side and no partner.
    """

    partner: tuple[int, ...]
    halves: dict[int, Half]

    @property
    def table(self) -> np.ndarray | None:
        """Mirror table (K,); None without pairs, and where a half is missing.

        A keypoint that is only left would swap with nothing, and its mirror image would be taken
        for itself.
        """
        paired = any(i != j for i, j in enumerate(self.partner))
        return np.array(self.partner, dtype=np.int64) if paired and not self.halves else None


def sides_from_names(names: Sequence[str]) -> NamedSides:
    """Pairs among names such as left_ear and right_ear, lefteye, ear.L, FL_hoof, Lt ear, left_耳.

    A pair is taken where each name is the only mirror image of the other.
    """
    sided = sided_names(names)
    numbers: dict[tuple[str, ...], list[int]] = {}
    for number, each in enumerate(sided):
        numbers.setdefault(each.key, []).append(number)
    found = [_matches(number, each, numbers) for number, each in enumerate(sided)]
    partner = list(range(len(names)))
    conventions: set[str] = set()
    for number, (others, marks) in enumerate(found):
        if len(others) == 1 and found[others[0]][0] == [number]:
            partner[number] = others[0]
            conventions |= set(marks)
    free = [number for number, other in enumerate(partner) if number == other]
    plain = [number for number in free if not sided[number].marks()]
    for first, second in _glued_pairs([names[number] for number in plain]):
        i, j = plain[first], plain[second]
        partner[i], partner[j] = j, i
    alone = [number for number in free if partner[number] == number]
    halves = {}
    for number in alone:
        others = found[number][0]
        marks_here = set(map(sided[number].convention, sided[number].marks()))
        if others:
            halves[number] = _several(names, number, others)
        elif sided[number].has_words or marks_here & conventions:
            halves[number] = _missing(names, sided[number], number, alone)
    return NamedSides(tuple(partner), halves)


def _matches(
    number: int, name: SidedName, numbers: dict[tuple[str, ...], list[int]]
) -> tuple[list[int], tuple[str, ...]]:
    """Keypoints that may be a name's mirror image, and the marks that tell."""
    for tier in name.partners():
        keys = [key for key in tier if key in numbers and key != name.key]
        others = [other for key in keys for other in numbers[key] if other != number]
        if others:
            return others, tier[keys[0]]
    return [], ()


def _glued_pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Places of pairs such as leye and reye, eyel and eyer, if there are several of one kind."""
    keys = [as_written(name).casefold() for name in names]
    found: list[tuple[int, int]] = []
    for left, right in (("l{}", "r{}"), ("{}l", "{}r")):
        pairs = []
        for place, key in enumerate(keys):
            rest = key[1:] if left == "l{}" else key[:-1]
            is_left = bool(rest) and key == left.format(rest)
            if is_left and keys.count(right.format(rest)) == keys.count(key) == 1:
                pairs.append((place, keys.index(right.format(rest))))
        words = any(len(keys[place]) > 2 for place, _ in pairs)
        if len(pairs) >= (MIN_GLUED if words else MIN_LETTERS):
            found += pairs
    return found


def _several(names: Sequence[str], number: int, others: Sequence[int]) -> Half:
    could = " or ".join(repr(names[other]) for other in others)
    return Half(f"keypoint {names[number]!r} could be the mirror image of {could}", others[0])


def _missing(names: Sequence[str], name: SidedName, number: int, alone: Sequence[int]) -> Half:
    missing = name.missing()
    left = {names[other]: other for other in alone if other != number}
    text = f"keypoint {names[number]!r} has no partner {missing!r}"
    near = difflib.get_close_matches(missing, left, n=1, cutoff=0.75)
    if not near:
        return Half(text, None)
    return Half(f"{text}; the nearest name is {near[0]!r}", left[near[0]])


def half_remarks(
    category: str, names: Sequence[str], mirror: Sequence[Entry] | str | None
) -> tuple[Remark, ...]:
    """Warnings of keypoints whose name has a side and no partner, and the way out.

    Parameters
    ----------
    category : name.
    names : of its keypoints.
    mirror : dataset.mirror; who is named there is no half.
    """
    if mirror == NO_MIRROR:
        return ()
    halves = sides_from_names(names).halves
    outcome = "mirror images are not used until dataset.mirror says which keypoints swap"
    if mirror is not None:
        named = {m for e in mirror for m in ([e] if isinstance(e, str | int) else e)}
        halves = {i: half for i, half in halves.items() if not {i, names[i]} & named}
        outcome = "dataset.mirror leaves it out, so it counts as its own mirror image"
    remarks: list[Remark] = []
    told: set[frozenset[int | None]] = set()
    for number, half in halves.items():
        if half.near is None or {number, half.near} not in told:
            other = "OTHER" if half.near is None else names[half.near]
            pair = shlex.quote(f"{names[number]},{other}")
            way = f"`semalign3d init ... --force --mirror {pair}` writes it"
            text = f"{category}: {half.text}: {outcome}. {way}, --mirror none leaves it so"
            remarks.append(Remark("warning", text))
            told.add(frozenset((number, half.near)))
    return tuple(remarks)
