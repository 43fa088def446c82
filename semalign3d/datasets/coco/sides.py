"""Left and right in names of keypoints, in whatever way labellers write them."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_STRONG = {"left": "right"}
_WEAK = (
    *(("l", "r"), ("lt", "rt"), ("lft", "rgt"), ("lhs", "rhs")),
    *(("fl", "fr"), ("bl", "br"), ("rl", "rr"), ("hl", "hr"), ("tl", "tr"), ("ul", "ur")),
    *(("ll", "lr"), ("lf", "rf"), ("lb", "rb"), ("lh", "rh"), ("lr", "rr"), ("lr", "rl")),
    ("port", "starboard"),
    *(("links", "rechts"), ("linke", "rechte"), ("linker", "rechter"), ("linkes", "rechtes")),
    *(("gauche", "droite"), ("gauche", "droit"), ("izquierda", "derecha")),
    *(("izquierdo", "derecho"), ("sinistra", "destra"), ("sinistro", "destro")),
    *(("esquerda", "direita"), ("esquerdo", "direito"), ("左", "右"), ("좌", "우")),
    *(("왼쪽", "오른쪽"), ("левый", "правый"), ("левая", "правая"), ("левое", "правое")),
)
"""Marks that mean a side only beside a name that has the other one."""


def _swaps() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for left, right in (*_STRONG.items(), *_WEAK):
        found[left] = (*found.get(left, ()), right)
        found[right] = (*found.get(right, ()), left)
    return found


_SWAPS = _swaps()
_WORDS = ("left", "right")
_RUNS = re.compile(r"[^\W\d_]+|\d+|[^\w\s\-./\\,;:()\[\]]")
_GLUED = re.compile(r"(left|right)(?=[^\W\d_]{2})|(?<=[^\W\d_]{2})(left|right)$", re.IGNORECASE)
_GLUED_SIGN = re.compile(r"[左右좌우](?=.)|(?<=.)[左右]$")


@dataclass(frozen=True)
class Token:
    """A word of a name: as it is compared, and where it stands."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class SidedName:
    """A keypoint's name in words.

    Attributes
    ----------
    name : composed (NFC).
    tokens : its words; separators, and case within them, play no part.
    """

    name: str
    tokens: tuple[Token, ...]

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(token.text for token in self.tokens)

    @property
    def has_words(self) -> bool:
        """Whether left or right stands in it as a word of its own."""
        return any(token.text in _WORDS and not self._inside_a_word(token) for token in self.tokens)

    def _inside_a_word(self, token: Token) -> bool:
        before = self.name[: token.start][-1:]
        after = self.name[token.end :][:1]
        glued_after = after.isalpha() and after.islower() and after.isascii()
        glued_before = before.isalpha() and before.isascii() and self.name[token.start].islower()
        return glued_after or glued_before

    def convention(self, place: int) -> str:
        """A mark, apart for those glued to other letters: leftover has no side by itself."""
        token = self.tokens[place]
        return f"{token.text}..." if self._inside_a_word(token) else token.text

    def marks(self) -> list[int]:
        """Places of the words that mean a side."""
        return [place for place, token in enumerate(self.tokens) if token.text in _SWAPS]

    def partners(self) -> Iterator[dict[tuple[str, ...], tuple[str, ...]]]:
        """{key of a mirror image: marks that were swapped}, tier by tier, the plainest first.

        All marks swap; else the words left and right only; else any single one, as in r_l
        (rear left).
        """
        marks = self.marks()
        words = [place for place in marks if self.tokens[place].text in _WORDS]
        tiers = [[marks], [words], [[place] for place in marks]]
        for tier in tiers:
            yield {
                key: tuple(map(self.convention, places))
                for places in tier
                if places
                for key in self._swapped(places)
            }

    def _swapped(self, places: Sequence[int]) -> Iterator[tuple[str, ...]]:
        for others in itertools.product(*(_SWAPS[self.tokens[place].text] for place in places)):
            key = list(self.key)
            for place, other in zip(places, others, strict=True):
                key[place] = other
            yield tuple(key)

    def missing(self) -> str:
        """What the mirror image would be called."""
        text = self.name
        for place in reversed(self.marks()):
            token = self.tokens[place]
            found = text[token.start : token.end]
            other = _SWAPS[token.text][0]
            if found.isupper():
                other = other.upper()
            elif found[:1].isupper():
                other = other.capitalize()
            text = text[: token.start] + other + text[token.end :]
        return text


def sided_names(names: Sequence[str]) -> list[SidedName]:
    """Names in words, without a number of their own at their start or end."""
    found = [_sided(unicodedata.normalize("NFC", name)) for name in names]
    for place in (0, -1):
        numbers = [each.key[place] for each in found if len(each.tokens) > 1]
        own = len(set(numbers)) == len(names) and all(map(str.isdigit, numbers))
        shorter = [
            SidedName(each.name, each.tokens[1:] if place == 0 else each.tokens[:-1])
            for each in found
        ]
        if len(names) > 1 and own and len({each.key for each in shorter}) == len(names):
            found = shorter
    return found


def _sided(name: str) -> SidedName:
    tokens = [
        Token(name[start:end].casefold(), start, end)
        for run in _RUNS.finditer(name)
        for start, end in _words(name, run.start(), run.end())
    ]
    return SidedName(name, tuple(tokens))


def _words(name: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Words of a run of letters: LeftEar, leftEAR, lefteye, left耳, 左耳."""
    cuts = [start, end]
    for place in range(start + 1, end):
        before, here = name[place - 1], name[place]
        after = name[place + 1 : min(place + 2, end)]
        if (
            (before.islower() and here.isupper())
            or (before.isupper() and here.isupper() and after.islower())
            or (before.isascii() != here.isascii() and not (_cased(before) and _cased(here)))
        ):
            cuts.append(place)
    pieces = sorted(set(cuts))
    for first, last in itertools.pairwise(pieces):
        inner = {first, last}
        for pattern in (_GLUED, _GLUED_SIGN):
            for match in pattern.finditer(name[first:last]):
                if pattern is _GLUED_SIGN or match.start() == 0 or match.end() == last - first:
                    inner |= {first + match.start(), first + match.end()}
        yield from itertools.pairwise(sorted(inner))


def _cased(letter: str) -> bool:
    return letter.lower() != letter.upper()
