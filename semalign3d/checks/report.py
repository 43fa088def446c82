"""What the checks of a category found, in levels, for the terminal and as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")
EXAMPLES = 3
"""Images that a line shows; the JSON report has them all."""
MOST_ERRORS = 20
"""Errors of one kind that are shown, each with a line of its own."""


@dataclass(frozen=True)
class Finding:
    """One kind of thing that was found, in however many images.

    Attributes
    ----------
    level : error: nothing should be computed before it is mended; warning: the result may suffer;
        note: good to know.
    kind : its name, the same in every report, such as "box-outside-photo".
    text : what is the matter, with numbers. Empty where each item says it itself.
    items : where, one text each: an image or file, with numbers in brackets; or, without `text`,
        whole sentences.
    advice : what to do.
    """

    level: Level
    kind: str
    text: str
    items: tuple[str, ...] = ()
    advice: str = ""

    def lines(self) -> list[str]:
        """For the terminal: one line, or without `text` a line for each of the first items."""
        if not self.text:
            most = MOST_ERRORS if self.level == "error" else EXAMPLES
            more = len(self.items) - most
            rest = [f"and {more} more of this kind"] if more > 0 else []
            return [*self.items[:most], *rest, *([self.advice] if self.advice else [])]
        start = ", e.g. " if len(self.items) > EXAMPLES else ": "
        examples = start + ", ".join(self.items[:EXAMPLES]) if self.items else ""
        return [f"{self.text}{examples}." + (f" {self.advice}" if self.advice else "")]


def itemised(level: Level, kind: str, items: Iterable[str], advice: str = "") -> list[Finding]:
    """A finding whose items are sentences; none where there are none."""
    texts = tuple(dict.fromkeys(items))
    return [Finding(level, kind, "", texts, advice)] if texts else []


def counted(count: int, noun: str) -> str:
    """The number with its noun: 1 image, 2 images."""
    return f"{count} {noun}" + ("" if count == 1 else "s")


def of_photos(count: int, total: int) -> str:
    """The start of most findings: 17 of 24 photos."""
    return f"{count} of {counted(total, 'photo')}"


@dataclass(frozen=True)
class CheckReport:
    """What the checks of a category found.

    Attributes
    ----------
    category : name.
    images : {split: number of images}.
    feature_files : how many feature files were read.
    feature_shapes : {input: shape}, e.g. of s3, s4, s5 and dino, without the leading axis; the
        most frequent one.
    keypoints : {keypoint: number of training images that show it}, by id and, if known, name.
    findings : the worst level first.
    done : images without feature files whose descriptors are there.
    """

    category: str
    images: dict[str, int]
    feature_files: int
    feature_shapes: dict[str, tuple[int, ...]]
    keypoints: dict[str, int]
    findings: tuple[Finding, ...]
    done: int = 0

    def of(self, level: Level) -> tuple[Finding, ...]:
        """The findings of a level."""
        return tuple(finding for finding in self.findings if finding.level == level)

    def count(self, level: Level) -> int:
        """How many there are of a level; those that are a sentence an item count each."""
        return sum(1 if found.text else len(found.items) for found in self.of(level))

    def problems(self, *, strict: bool = False) -> list[str]:
        """What must be mended first: errors and, if strict, warnings."""
        levels: tuple[Level, ...] = ("error", "warning") if strict else ("error",)
        return [line for level in levels for found in self.of(level) for line in found.lines()]

    def line(self) -> str:
        """One line for the terminal: what there is, and how many findings of each level."""
        images = ", ".join(f"{count} {split}" for split, count in self.images.items()) or "no"
        shapes = ", ".join(
            f"{name} {' x '.join(map(str, shape))}" for name, shape in self.feature_shapes.items()
        )
        features = f"{self.feature_files} feature files" + (f" ({shapes})" if shapes else "")
        done = f"{counted(self.done, 'image')} done before" if self.done else ""
        found = [counted(n, level) for level in LEVELS if (n := self.count(level))]
        sound = "" if self.of("error") or self.of("warning") else "all sound"
        parts = [f"{self.category}: {images} images", features, done, sound, ", ".join(found)]
        return "; ".join(part for part in parts if part)

    def lines(self, *levels: Level) -> list[str]:
        """The findings of some levels, each line with its level."""
        return [
            f"{level}: {line}"
            for level in levels
            for found in self.of(level)
            for line in found.lines()
        ]

    def to_json(self) -> str:
        """The report as a JSON object, one key per attribute; with every item of every finding."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"
