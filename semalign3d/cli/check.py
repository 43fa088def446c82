"""`semalign3d check`: the checks of a dataset without the pipeline."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from ..checks import CheckReport, check_category
from ..config import Configuration, read_configuration
from ..datasets import OPTIONS, open_dataset, require_categories
from ..datasets.records import Dataset
from ..errors import InputError
from ..maps.descriptors.inspection import FeatureFiles, open_feature_files

BAR = 30
MOST_THREADS = 4
"""A photo of each is in memory."""


def add_parser(commands: Any) -> None:
    """Add the command `check`."""
    parser = commands.add_parser(
        "check",
        help="check annotations and images, and count keypoints",
        description="Read every annotation and image of the categories, and their feature files if "
        "the configuration names some; show how many training images show each keypoint, and what "
        "is wrong (error), doubtful (warning) or good to know (note). The exit code is 1 if there "
        "are errors.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--configfile", metavar="YAML", help="configuration of the dataset")
    source.add_argument("--coco", metavar="JSON", help="a COCO-keypoint file, with --images")
    parser.add_argument("--images", metavar="FOLDER", help="folder of its photos")
    parser.add_argument("--category", action="append", help="one, or several times; else all")
    parser.add_argument(
        "--strict", action="store_true", help="warnings count as errors (checks.strict)"
    )
    parser.add_argument(
        "--report", metavar="JSON", help="write all findings, with every image, to this file"
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the reports; the exit code is 1 if there are errors."""
    config = read_configuration([given.configfile] if given.configfile else [])
    dataset = _coco(given) if given.coco else _configured(config, given.configfile)
    strict = given.strict or config.checks.strict
    reports = []
    left_out = {} if given.category else dataset.unusable()
    for category in given.category or require_categories(dataset):
        report = check_category(
            dataset,
            category,
            config.dataset.splits,
            None if given.coco else _features(config, category),
            min_images=config.relations.min_images,
            threads=min(len(os.sched_getaffinity(0)), MOST_THREADS),
        )
        reports.append(report)
        print("\n".join(lines(report)))
    for name, why in left_out.items():
        print(f"{name}: cannot be used: {why}")
    if given.report:
        Path(given.report).write_text(reports_json(reports), encoding="utf-8")
    return 1 if any(report.problems(strict=strict) for report in reports) else 0


def reports_json(reports: list[CheckReport]) -> str:
    """The reports as one JSON list."""
    values = [json.loads(report.to_json()) for report in reports]
    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


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
    """The report in lines: keypoints as bars, then findings, the worst last."""
    found = [report.line()]
    total = max(report.images.get("trn", 0), 1)
    width = max(map(len, report.keypoints), default=0)
    for name, seen in report.keypoints.items():
        bar = "#" * round(BAR * seen / total)
        found.append(f"  {name:{width}}  {seen:4d} of {total} training images  {bar}")
    return found + [f"  {line}" for line in report.lines("note", "warning", "error")]
