"""The dataset of a run: which files its images have, also those that the demo will make."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snakemake.exceptions import WorkflowError

from demo import plan as demo_plan

from ..datasets import OPTIONS, Dataset, open_dataset, require_categories
from ..errors import InputError
from .images import Splits

if TYPE_CHECKING:
    from ..config import Configuration

DEMO_ROOT = "results/demo"
HOLDS = {
    "spair-71k": "holds JPEGImages and ImageAnnotation",
    "ap-10k": "holds data and annotations, or JPEGImages and PairAnnotation",
    "pf-pascal": "holds JPEGImages, Annotations and the lists of pairs",
    "coco": "holds the photos",
}
"""How to tell the folder of a dataset."""


class DatasetFiles:
    """The files of the configured dataset, as inputs of rules.

    Missing files of the user are no inputs: the checks list them together with every other
    problem. When one appears, the set of inputs changes and jobs rerun. The demo's files are
    inputs before they exist, since a rule makes them.

    Attributes
    ----------
    is_demo : whether the pipeline makes the dataset itself.
    root : the dataset's folder, as the user gave it.
    counts : images a category and split of the demo.
    demo_categories : in the order in which their pairs are numbered.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._section = configuration.dataset
        self._seed = configuration.runtime.seed
        self.demo_categories = sorted(configuration.demo.categories, key=demo_plan.CATEGORIES.index)
        self.is_demo = self._section.name == "demo"
        self.counts = demo_plan.Counts(**configuration.demo.images.model_dump())
        if self._section.root is None and not self.is_demo:
            name = self._section.name
            raise WorkflowError(
                f"dataset.root is not set: give the folder of {name} (the one that {HOLDS[name]})."
            )
        self.root = str(Path(self._section.root or DEMO_ROOT))

    @cached_property
    def params(self) -> dict[str, Any]:
        """Parameters of rules from which `opened_dataset` opens the dataset again.

        Functions of the wildcards, or Snakemake would look for wildcards in the values.
        """
        values = {"name": self.dataset.name, "root": self.root, **self._options()}
        return {
            f"dataset_{name}": lambda wildcards, value=value: value
            for name, value in values.items()
        }

    def _options(self) -> dict[str, Any]:
        given = {**self._section.model_dump(), "seed": self._seed}
        return {name: given[name] for name in OPTIONS[given["name"]] if given[name] is not None}

    @cached_property
    def dataset(self) -> Dataset:
        """The dataset, opened; WorkflowError where it can't be."""
        try:
            return open_dataset(self._section.name, self.root, **self._options())
        except InputError as error:
            raise WorkflowError(str(error)) from error

    def splits(self) -> Splits:
        """The images of each category and split; of the demo before it is made."""
        if self.is_demo:
            return {c: demo_plan.splits(c, self.counts) for c in self.demo_categories}
        try:
            return {c: self.dataset.splits(c) for c in require_categories(self.dataset)}
        except InputError as error:
            raise WorkflowError(str(error)) from error

    def images(self, category: str, stems: Iterable[str]) -> list[str]:
        """Photos."""
        return self._present(self.dataset.image_path(category, stem) for stem in stems)

    def annotations(self, category: str, stems: Iterable[str]) -> list[str]:
        """Annotation files, each once: a dataset may keep those of many images in one."""
        paths = (self.dataset.annotation_path(category, stem) for stem in stems)
        return self._present(dict.fromkeys(paths))

    def pairs(self, category: str, split: str) -> list[str]:
        """Annotation files of a split's pairs, where pairs have some."""
        if self.is_demo:
            named = demo_plan.pair_names(category, self.counts)[split]
            return [f"{self.root}/PairAnnotation/{split}/{name}.json" for _, name, _, _ in named]
        return self._present(self.dataset.pair_files(category, split))

    def lists(self) -> list[str]:
        """The dataset's lists of images or pairs."""
        return self._present(self.dataset.list_files())

    def warnings(self) -> list[str]:
        """Warnings of keys that play no part with this dataset, and of unusable categories."""
        name = self._section.name
        options = ("annotations", "val", "test", "mirror", "hidden", "partition")
        keys = [
            f"dataset.{option}"
            for option in options
            if getattr(self._section, option) is not None and option not in OPTIONS[name]
        ]
        unused = [f"Not used, since dataset.name is {name}: {', '.join(keys)}"] if keys else []
        left_out = {} if self.is_demo else self.dataset.unusable()
        return unused + [f"{category}: cannot be used: {why}" for category, why in left_out.items()]

    def _present(self, paths: Iterable[Path]) -> list[str]:
        return [str(path) for path in paths if self.is_demo or path.exists()]
