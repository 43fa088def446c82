"""Which keypoints swap when an image is mirrored, as the user says (dataset.mirror)."""

from collections.abc import Sequence

import numpy as np

from ...errors import InputError
from ..names import as_written, did_you_mean, some_of
from ..reading import as_integer

NO_MIRROR = "none"
Entry = str | int | Sequence[str | int]
"""A keypoint that stays, or two that swap; texts are names, numbers are ids from 0."""


def mirror_from_entries(entries: Sequence[Entry], names: Sequence[str]) -> np.ndarray:
    """Mirror table (K,) as a user writes it: pairs that swap, and single keypoints that stay.

    Parameters
    ----------
    entries : keypoints, alone or two in a list. Who is not named stays.
    names : K names of the category's keypoints.

    Raises
    ------
    InputError : see `ids_of_entries`.
    """
    table = np.arange(len(names))
    for ids in ids_of_entries(entries, names):
        table[ids] = ids[::-1]
    return table


def ids_of_entries(entries: Sequence[Entry], names: Sequence[str]) -> list[list[int]]:
    """The ids of each entry, one or two.

    Raises
    ------
    InputError : lists entries of more members, unknown keypoints, those named twice, and numbers
        that could be an id as well as a name.
    """
    problems = _mixed(entries, names)
    taken: list[list[int]] = []
    named: set[int] = set()
    for entry in entries:
        members = [entry] if isinstance(entry, str | int) else list(entry)
        found = [_number(member, names) for member in members]
        ids = [each for each in found if isinstance(each, int)]
        faults = [each for each in found if isinstance(each, str)]
        if not 1 <= len(members) <= 2:
            problems.append(f"dataset.mirror: expected a keypoint or two that swap, found {entry}")
        elif faults:
            problems += [f"dataset.mirror: {entry}: {fault}" for fault in faults]
        elif named & set(ids) or len(set(ids)) < len(ids):
            problems.append(f"dataset.mirror: {entry} names a keypoint for the second time")
        else:
            taken.append(ids)
            named |= set(ids)
    if problems:
        raise InputError(problems, hint=f"The keypoints are: {', '.join(names)}")
    return taken


def _mixed(entries: Sequence[Entry], names: Sequence[str]) -> list[str]:
    """Numbers that are one keypoint's id and another's name, in one text."""
    members = [m for e in entries for m in ([e] if isinstance(e, str | int) else e)]
    mixed = sorted(
        {
            member
            for member in members
            if isinstance(member, int)
            and str(member) in names
            and names.index(str(member)) != member
        }
    )
    if not mixed:
        return []
    named = names.index(str(mixed[0]))
    return [
        f"dataset.mirror: the numbers {some_of(list(map(str, mixed)))} could be ids, which count "
        f"from 0, or names, since keypoints are called so ('{mixed[0]}' has the id {named}): write "
        f'names in quotes, "{mixed[0]}"'
    ]


def entry_of_text(text: str, names: Sequence[str]) -> Entry:
    """An entry as a command line has it: a name, or two with a comma between them.

    Names may hold commas themselves. A number is an id where no keypoint is called so.
    """
    if as_written(text) in names:
        return text
    members = text.split(",")
    for place in range(1, len(members)):
        pair = [as_written(",".join(members[:place])), as_written(",".join(members[place:]))]
        if set(pair) <= set(names):
            return pair
    found = [as_written(member) for member in members]
    numbers = [as_integer(each) if each not in names else None for each in found]
    both = [name if n is None else n for name, n in zip(found, numbers, strict=True)]
    return both if len(both) > 1 else both[0]


def _number(member: str | int, names: Sequence[str]) -> int | str:
    """The id that is meant, or what is wrong."""
    last = len(names) - 1
    if isinstance(member, str):
        written = as_written(member)
        if written in names:
            return list(names).index(written)
        number = as_integer(member)
        if number is not None and 0 <= number <= last:
            return f"no keypoint is called {member!r}; without quotes, {number} is the id of one"
        return f"no keypoint is called {member!r}{did_you_mean(member, names)}"
    if not 0 <= member <= last:
        return f"no keypoint has the id {member}; ids are 0 to {last}"
    return member
