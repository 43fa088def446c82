"""`semalign3d check`: the checks of a dataset without the pipeline."""

import argparse
from typing import Any

from ..checks import CheckReport, check_category
from ..config import Configuration, read_configuration
from ..datasets import OPTIONS, open_dataset
from ..datasets.records import Dataset
from ..errors import InputError
from ..maps.descriptors.inspection import FeatureFiles, open_feature_files

BAR = 30
FEW = 4
"""A keypoint that fewer training images show is hardly placed (relations.min_images)."""


def add_parser(commands: Any) -> None:
    """Add the command `check`."""
    parser = commands.add_parser(
        "check",
        help="check annotations and images, and count keypoints",
        description="Read every annotation and image of the categories, and their feature files if "
        "the configuration names some; list all problems, and show how many training images show "
        "each keypoint.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--configfile", metavar="YAML", help="configuration of the dataset")
    source.add_argument("--coco", metavar="JSON", help="a COCO-keypoint file, with --images")
    parser.add_argument("--images", metavar="FOLDER", help="folder of its photos")
    parser.add_argument("--category", action="append", help="one, or several times; else all")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the reports; the exit code is 1 if there are problems."""
    config = read_configuration([given.configfile] if given.configfile else [])
    dataset = _coco(given) if given.coco else _configured(config, given.configfile)
    problems = 0
    for category in given.category or dataset.categories():
        features = None if given.coco else _features(config, category)
        report = check_category(dataset, category, config.dataset.splits, features)
        problems += len(report.problems)
        print("\n".join(lines(report)))
    return 1 if problems else 0


def _coco(given: argparse.Namespace) -> Dataset:
    if not given.images:
        raise InputError("--coco needs --images, the folder of the photos")
    return open_dataset("coco", given.images, annotations=given.coco)


def _features(config: Configuration, category: str) -> FeatureFiles | None:
    """The category's feature files, if the configuration names some."""
    section = config.descriptors
    return open_feature_files(section.source, section.root, category) if section.root else None


def _configured(config: Configuration, path: str) -> Dataset:
    section = config.dataset
    if section.root is None:
        raise InputError(f"{path}: dataset.root is not set: give the folder of {section.name}")
    settings = {**section.model_dump(), "seed": config.runtime.seed}
    options = {name: settings[name] for name in OPTIONS[section.name]}
    return open_dataset(section.name, section.root, **options)


def lines(report: CheckReport) -> list[str]:
    """The report in lines, keypoints as bars."""
    found = [report.line()]
    total = max(report.images.get("trn", 0), 1)
    width = max(map(len, report.keypoints), default=0)
    for name, seen in report.keypoints.items():
        bar = "#" * round(BAR * seen / total)
        few = "" if seen >= FEW else "  few: it may find no place in the prior"
        found.append(f"  {name:{width}}  {seen:4d} of {total} training images  {bar}{few}")
    for title, texts in (("left out", report.exclusions), ("problem", report.problems)):
        found += [f"  {title}: {text}" for text in texts]
    return found
