"""Which images and pairs a dataset in SPair-71k's layout holds, from its lists of pairs."""

import re
from dataclasses import dataclass
from pathlib import Path

from ...errors import InputError
from ..names import SPLITS, first_of, is_plain_name, shared_stems

SOURCES = "Layout/large/{trn,val,test}.txt, Layout/small/{trn,val,test}.txt or PairAnnotation/"
_PAIR = re.compile(r"\d+-(?P<stems>.+):(?P<category>[^:]+)")


@dataclass(frozen=True)
class PairName:
    """A pair as its name tells: `<digits>-<source>-<target>:<category>`."""

    name: str
    category: str
    source: str
    target: str


def parse_pair_name(name: str) -> PairName:
    """Take a pair's name apart.

    Raises
    ------
    InputError : not of that form, two ways to read it, or a stem or category that is no plain
        file name.
    """
    match = _PAIR.fullmatch(name)
    if match is None:
        raise InputError(f"pair {name!r}: expected <digits>-<source>-<target>:<category>")
    parts = match["stems"].split("-")
    if len(parts) != 2 or not all(parts):
        raise InputError(
            f"pair {name!r}: expected two image names with one hyphen between them "
            "(image names that contain hyphens cannot be told apart)"
        )
    pair = PairName(name, match["category"], *parts)
    for part in (pair.category, pair.source, pair.target):
        if not is_plain_name(part):
            raise InputError(f"pair {name!r}: {part!r} is not a plain file name")
    return pair


def read_pair_names(root: Path) -> dict[str, tuple[PairName, ...]]:
    """The pairs of each split, sorted by name.

    Taken from the lists under Layout/large; where that folder is missing from Layout/small, else
    from the names of the files under PairAnnotation. A split without a list has no pairs.

    Raises
    ------
    InputError : nothing of these is there (names what was looked for), or names that are not
        pairs (lists them).
    """
    names = _listed_names(root)
    pairs: dict[str, tuple[PairName, ...]] = {}
    problems: list[str] = []
    for split in SPLITS:
        found = []
        for name in sorted(set(names.get(split, ()))):
            try:
                found.append(parse_pair_name(name))
            except InputError as error:
                problems += [f"{split}: {text}" for text in error.problems]
        pairs[split] = tuple(found)
    if problems:
        raise InputError(first_of(problems), hint=f"The lists of pairs are under {root}.")
    return pairs


def _listed_names(root: Path) -> dict[str, list[str]]:
    for size in ("large", "small"):
        lists = {split: root / "Layout" / size / f"{split}.txt" for split in SPLITS}
        if any(path.is_file() for path in lists.values()):
            return {split: _lines(path) for split, path in lists.items() if path.is_file()}
    folders = {split: root / "PairAnnotation" / split for split in SPLITS}
    if any(folder.is_dir() for folder in folders.values()):
        return {
            split: [path.stem for path in folder.glob("*.json")]
            for split, folder in folders.items()
        }
    raise InputError(
        f"no lists of image pairs under {root}: looked for {SOURCES}",
        hint="Give the folder that holds JPEGImages, ImageAnnotation and PairAnnotation.",
    )


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def images_by_category(
    pairs: dict[str, tuple[PairName, ...]],
) -> dict[str, dict[str, tuple[str, ...]]]:
    """{category: {split: sorted stems}}: the images of a split are those that its pairs name.

    Raises
    ------
    InputError : an image in more than one split, since only training images feed a prior.
    """
    stems: dict[str, dict[str, set[str]]] = {}
    for split, found in pairs.items():
        for pair in found:
            of_category = stems.setdefault(pair.category, {name: set() for name in SPLITS})
            of_category[split].update((pair.source, pair.target))
    problems = [
        f"{category}/{stem} is in more than one split: {', '.join(splits)}"
        for category, by_split in sorted(stems.items())
        for stem, splits in shared_stems(by_split)
    ]
    if problems:
        raise InputError(first_of(problems), hint="Every image must belong to one split only.")
    return {
        category: {split: tuple(sorted(names)) for split, names in by_split.items()}
        for category, by_split in sorted(stems.items())
    }
