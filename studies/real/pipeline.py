"""The pipeline on a prepared folder: its configuration, and what its results say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from semalign3d.alignment.alignment import Alignment
from semalign3d.datasets import Dataset, open_dataset
from semalign3d.datasets.records import ImageRecord
from semalign3d.errors import InputError
from semalign3d.evaluation.pck import box_side
from semalign3d.evaluation.tables import read_matches
from semalign3d.files.records import read_record

REPOSITORY = Path(__file__).parents[2]
CONFIG = "config.yaml"
OPTIONS = ("annotations", "val", "test", "mirror", "hidden")
ALPHAS = (0.1, 0.05)


@dataclass(frozen=True)
class Fold:
    """A prepared folder: photos of one category, split into training and test photos.

    Attributes
    ----------
    folder : with `CONFIG`; the pipeline runs in it.
    dataset : of the configuration.
    category : its only one.
    """

    folder: Path
    dataset: Dataset
    category: str

    @property
    def results(self) -> Path:
        """The pipeline's results."""
        return self.folder / "results"

    def stems(self, split: str) -> tuple[str, ...]:
        """Names of the photos of a split."""
        return self.dataset.splits(self.category)[split]


def open_fold(folder: Path) -> Fold:
    """The photos of a folder's configuration.

    Raises
    ------
    InputError : no configuration, another layout than coco, another number of categories than
        one, or fewer than two test photos.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise InputError(f"{path}: no such file; a prepared folder holds the configuration")
    section: dict[str, Any] = yaml.safe_load(path.read_text()).get("dataset", {})
    if section.get("name") != "coco":
        raise InputError(f"{path}: dataset.name: expected coco, found {section.get('name')!r}")
    options = {name: section[name] for name in OPTIONS if section.get(name) is not None}
    dataset = open_dataset("coco", str(folder / section["root"]), seed=0, **options)
    categories = dataset.categories()
    if len(categories) != 1:
        raise InputError(f"{path}: expected one category, found {', '.join(categories) or 'none'}")
    fold = Fold(folder, dataset, categories[0])
    if len(fold.stems("test")) < 2:
        raise InputError(f"{path}: dataset.test: expected two photos or more, to make pairs of")
    return fold


def run_pipeline(fold: Fold, guide: str, cores: int) -> None:
    """Prior, alignments, matches, evaluation and their pictures, by `snakemake`.

    Parameters
    ----------
    guide : of `alignment.guide`.
    cores : of Snakemake.
    """
    category = fold.category
    pictures = ["prior", "matches", *(f"alignment_{stem}" for stem in fold.stems("test"))]
    targets = [f"results/figures/{category}/{name}.png" for name in pictures]
    section = f"alignment={json.dumps({'guide': guide})}"
    snakemake(fold, ["results/evaluation/summary.csv", *targets], cores, section)


def snakemake(fold: Fold, targets: Sequence[str], cores: int, *sections: str) -> None:
    """Run the pipeline in a fold's folder.

    Parameters
    ----------
    sections : of the configuration, as `--config` takes them.

    Raises
    ------
    InputError : Snakemake failed; its last lines are in the message.
    """
    line = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
    line += ["--cores", str(cores), "--configfile", CONFIG]
    line += ["--config", *sections] if sections else []
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [*line, "--", *targets],
        cwd=fold.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InputError(f"{fold.folder}: snakemake failed:\n{(done.stdout + done.stderr)[-3000:]}")


def matches_of(fold: Fold) -> pd.DataFrame:
    """Every query of every test pair, with the errors of each method."""
    return read_matches(fold.results / "matching" / f"{fold.category}.csv")


def placements(fold: Fold) -> pd.DataFrame:
    """A row a test photo: how far the prior's keypoints are from the annotated ones.

    Returns
    -------
    pandas.DataFrame
        photo, error (median over keypoints, in units of the box's longer side), margin.
    """
    rows = []
    for stem in fold.stems("test"):
        path = fold.results / "alignment" / fold.category / f"{stem}.h5"
        placed = read_record(path, Alignment)
        photo = fold.dataset.record(fold.category, stem, "test")
        error = placement_error(placed, photo)
        rows.append({"photo": stem, "error": error, "margin": placed.margin})
    return pd.DataFrame(rows)


def placement_error(placed: Alignment, photo: ImageRecord) -> float:
    """Median distance of an alignment's keypoints from the annotated ones, by the box's side."""
    away = np.linalg.norm(placed.keypoints_px - photo.keypoints, axis=1)
    return float(np.nanmedian(away)) / box_side(photo.box)
