"""`semalign3d check`: the checks of a dataset without the pipeline."""

import argparse
from pathlib import Path
from typing import Any

import yaml

from ..checks import CheckReport, check_category
from ..datasets import OPTIONS, open_dataset
from ..datasets.names import SPLITS
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
    config = {} if given.coco else _read(Path(given.configfile))
    dataset = _coco(given) if given.coco else _configured(config, given.configfile)
    splits = config.get("dataset", {}).get("splits") or SPLITS
    problems = 0
    for category in given.category or dataset.categories():
        report = check_category(dataset, category, splits, _features(config, category))
        problems += len(report.problems)
        print("\n".join(lines(report)))
    return 1 if problems else 0


def _coco(given: argparse.Namespace) -> Dataset:
    if not given.images:
        raise InputError("--coco needs --images, the folder of the photos")
    return open_dataset("coco", given.images, annotations=given.coco)


def _read(path: Path) -> dict[str, Any]:
    """The sections of a configuration."""
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    if not isinstance(config, dict) or not all(isinstance(v, dict) for v in config.values()):
        raise InputError(f"{path}: expected sections such as dataset, descriptors, masks")
    return config


def _features(config: dict[str, Any], category: str) -> FeatureFiles | None:
    """The category's feature files, if the configuration names some."""
    section = config.get("descriptors", {})
    if not section.get("root"):
        return None
    return open_feature_files(section.get("source", "geoaware"), section["root"], category)


def _configured(config: dict[str, Any], path: str) -> Dataset:
    section = config.get("dataset", {})
    if not section.get("name") or not section.get("root"):
        raise InputError(f"{path}: expected a section dataset with name and root")
    settings = {**section, "seed": config.get("runtime", {}).get("seed")}
    known = OPTIONS.get(section["name"], ())
    options = {name: settings[name] for name in known if name in settings}
    return open_dataset(section["name"], section["root"], **options)


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
