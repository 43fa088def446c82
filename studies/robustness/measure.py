"""Make the robustness table.

python -m studies.robustness table --seeds 5 --out docs/studies/robustness.md
"""

from __future__ import annotations

import argparse
import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import yaml
from tqdm import tqdm

from demo import files
from semalign3d.figures.save import save_figure
from studies.robustness.cases import CASES, Conditions
from studies.robustness.chain import Settings
from studies.robustness.plot import draw
from studies.robustness.run import Result, results
from studies.robustness.table import as_json, markdown

CONFIG = Path(__file__).parents[2] / "config" / "config.yaml"
PAGE = Path("docs/studies/robustness.md")
CATEGORIES = ("chair", "aeroplane")
"""Those that have more than one side."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many demo datasets a case")
    parser.add_argument("--out", type=Path, default=PAGE, help="the table")
    parser.add_argument("--plot", type=Path, default=Path("docs/images/robustness.png"))
    parser.add_argument("--cache", type=Path, default=Path("results/robustness"))
    parser.add_argument("--categories", nargs="+", default=CATEGORIES, choices=CATEGORIES)
    parser.add_argument("--processes", type=int, default=1, help="cases computed at a time")
    parser.add_argument("--config", type=Path, default=CONFIG, help="the pipeline's settings")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logging.getLogger("semalign3d").setLevel(logging.ERROR)
    settings = yaml.safe_load(options.config.read_text())
    conditions = list(dict.fromkeys(case.conditions for case in CASES))
    tasks = [
        (category, seed, of_case, settings, options.cache)
        for seed in range(options.seeds)
        for category in options.categories
        for of_case in conditions
    ]
    done = tqdm(results(tasks, options.processes), total=len(tasks), unit="case", disable=None)
    found: dict[Conditions, list[Result]] = {}
    for task, result in zip(tasks, done, strict=True):
        found.setdefault(task[2], []).append(result)
    write(found, settings, options)


def write(
    found: dict[Conditions, list[Result]], settings: Settings, options: argparse.Namespace
) -> None:
    """The page, the same as JSON beside it, and the picture."""
    command = f"python -m studies.robustness table --seeds {options.seeds} --out {options.out}"
    picture = Path(os.path.relpath(options.plot, options.out.parent)).as_posix()
    page = markdown(found, options.categories, command, picture)
    files.write_bytes(options.out, page.encode())
    content = json.dumps(as_json(found, settings), indent=1) + "\n"
    files.write_bytes(options.out.with_suffix(".json"), content.encode())
    options.plot.parent.mkdir(parents=True, exist_ok=True)
    save_figure(draw(found, options.categories, options.seeds), options.plot)
