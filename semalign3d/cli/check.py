"""`semalign3d check`: the checks of a dataset without the pipeline."""

import argparse
from pathlib import Path
from typing import Any

import yaml

from ..checks import CheckReport, check_category
from ..datasets import OPTIONS, open_dataset
from ..datasets.records import Dataset
from ..errors import InputError

BAR = 30
FEW = 4
"""A keypoint that fewer training images show is hardly placed (relations.min_images)."""


def add_parser(commands: Any) -> None:
    """Add the command `check`."""
    parser = commands.add_parser(
        "check",
        help="check annotations and images, and count keypoints",
        description="Read every annotation and image of the categories, list all problems, and "
        "show how many training images show each keypoint.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--configfile", metavar="YAML", help="configuration of the dataset")
    source.add_argument("--coco", metavar="JSON", help="a COCO-keypoint file, with --images")
    parser.add_argument("--images", metavar="FOLDER", help="folder of its photos")
    parser.add_argument("--category", action="append", help="one, or several times; else all")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the reports; the exit code is 1 if there are problems."""
    dataset = _dataset(given)
    problems = 0
    for category in given.category or dataset.categories():
        report = check_category(dataset, category, (), None)
        problems += len(report.problems)
        print("\n".join(lines(report)))
    return 1 if problems else 0


def _dataset(given: argparse.Namespace) -> Dataset:
    if given.coco:
        if not given.images:
            raise InputError("--coco needs --images, the folder of the photos")
        return open_dataset("coco", given.images, annotations=given.coco)
    path = Path(given.configfile)
    try:
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    section = config.get("dataset") if isinstance(config, dict) else None
    if not isinstance(section, dict) or not section.get("name") or not section.get("root"):
        raise InputError(f"{path}: expected a section dataset with name and root")
    runtime = config.get("runtime") or {}
    settings = {**section, "seed": runtime.get("seed")}
    known = OPTIONS.get(section["name"], ())
    options = {name: settings[name] for name in known if name in settings}
    return open_dataset(section["name"], section["root"], **options)


def lines(report: CheckReport) -> list[str]:
    """The report in lines, keypoints as bars."""
    images = ", ".join(f"{count} {split}" for split, count in report.images.items()) or "no"
    found = [f"{report.category}: {images} images"]
    total = max(report.images.get("trn", 0), 1)
    width = max(map(len, report.keypoints), default=0)
    for name, seen in report.keypoints.items():
        bar = "#" * round(BAR * seen / total)
        few = "" if seen >= FEW else "  few: it may find no place in the prior"
        found.append(f"  {name:{width}}  {seen:4d} of {total} training images  {bar}{few}")
    for title, texts in (("left out", report.exclusions), ("problem", report.problems)):
        found += [f"  {title}: {text}" for text in texts]
    verdict = f"{len(report.problems)} problems" if report.problems else "all sound"
    return [*found, f"{report.category}: {verdict}"]
