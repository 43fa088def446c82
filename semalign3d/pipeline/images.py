"""The images of a run, shared out into batches, and the names of rules and files."""

import re
import zlib
from collections.abc import Iterable, Mapping, Sequence

from snakemake.exceptions import WorkflowError

Splits = Mapping[str, Mapping[str, Sequence[str]]]
"""{category: {split: stems}}."""
SPLITS = ("trn", "val", "test")
SHARED_FILES = ("pck.png", "summary.csv")
"""Results of all categories, which lie beside folders named after a category."""


class Images:
    """All images of a run.

    Parameters
    ----------
    splits : the images of each category and split.
    batches : jobs that share a category's split.

    Attributes
    ----------
    categories : sorted.
    category_pattern : regular expression of the categories' names.

    Raises
    ------
    WorkflowError : a category has the name of one of `SHARED_FILES`.
    """

    def __init__(self, splits: Splits, batches: int) -> None:
        self.splits = splits
        self._batches = batches
        self.categories = sorted(splits)
        if taken := set(self.categories).intersection(SHARED_FILES):
            raise WorkflowError(
                f"category {min(taken)!r} has the name of a file of the results; rename it."
            )
        self.category_pattern = "|".join(map(re.escape, self.categories))

    def stems(self, category: str, splits: Iterable[str] = SPLITS) -> list[str]:
        """The images of a category, split after split."""
        return [stem for split in splits for stem in self.splits[category].get(split, ())]

    def batches(self, category: str, split: str) -> dict[int, list[str]]:
        """{batch: stems}. A stem's batch depends on its own name, so a new image touches one."""
        found: dict[int, list[str]] = {}
        for stem in self.splits[category].get(split, ()):
            found.setdefault(zlib.crc32(stem.encode()) % self._batches, []).append(stem)
        return dict(sorted(found.items()))


def stage_files(stage: str, category: str, stems: Iterable[str]) -> list[str]:
    """A stage's files of images."""
    return [f"results/{stage}/{category}/{stem}.h5" for stem in stems]


def rule_name(stage: str, category: str, *rest: object) -> str:
    """Name of a category's rule; other characters than letters and digits become a digest."""
    plain = re.sub(r"\W", "", category, flags=re.ASCII)
    if plain != category:
        plain += f"{zlib.crc32(category.encode()):08x}"
    return "_".join([stage, plain, *map(str, rest)])
