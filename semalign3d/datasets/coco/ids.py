"""Ids as exporters write them: 7, 7.0 and "7" are the same, where nothing else is called so."""

from collections.abc import Iterable
from typing import Any

from ..reading import as_integer

Id = int | str


def read_id(value: Any) -> Id | None:
    """An id of a JSON file, whole floats as integers; None if the value can be none."""
    if isinstance(value, str):
        return value.strip() or None
    return as_integer(value)


class Ids:
    """Finds the id that is meant among those that are known.

    Parameters
    ----------
    known : ids as `read_id` gives them.
    """

    def __init__(self, known: Iterable[Id | None]) -> None:
        self._known = {each for each in known if each is not None}
        self._by_number: dict[int, list[Id]] = {}
        for each in self._known:
            number = as_integer(each)
            if number is not None:
                self._by_number.setdefault(number, []).append(each)

    def find(self, wanted: Id | None) -> Id | None:
        """The id itself, else the only one of the same number; None if there is none."""
        if wanted in self._known:
            return wanted
        number = as_integer(wanted)
        same = [] if number is None else self._by_number.get(number, [])
        return same[0] if len(same) == 1 else None
