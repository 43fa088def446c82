"""Photos that choices may be made on: validation photos, or training photos left out in turn."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from semalign3d.alignment.statistics.collect import alignment_statistics
from semalign3d.alignment.statistics.views import TrainingView
from semalign3d.datasets.pairing import all_pairs
from semalign3d.datasets.records import ImageRecord, PairRecord
from semalign3d.files import store
from semalign3d.files.records import read_record
from semalign3d.maps.masks.sources import whole_object
from semalign3d.prior import Prior
from semalign3d.shape.cameras.estimation import Cameras
from studies.real.pipeline import CONFIG, Fold, open_fold, snakemake

_SEED = 100
"""Of the order in which training photos are left out."""


@dataclass(frozen=True)
class HeldOut:
    """Photos that a prior has not seen, with all that alignment may be given.

    Attributes
    ----------
    prior : of the other training photos.
    plain : the same, its descriptors not whitened.
    photos : the photos' annotations, by stem.
    descriptors : stem -> (G, G, C) float32.
    masks : stem -> (H, W) bool, the object.
    pairs : all ordered pairs of them.
    """

    prior: Prior
    plain: Prior
    photos: dict[str, ImageRecord]
    descriptors: dict[str, np.ndarray]
    masks: dict[str, np.ndarray]
    pairs: Sequence[PairRecord]


def held_out(fold: Fold, parts: int, cores: int) -> Iterator[HeldOut]:
    """The fold's validation photos; without any, its training photos in so many parts.

    The pipeline runs once for each part, in `left-out/<part>` of the fold's folder, with the part
    as validation photos. Test photos play no part.
    """
    for part in _parts(fold, parts):
        snakemake(part, _targets(part), cores)
        yield _held_out(part)


def _parts(fold: Fold, parts: int) -> list[Fold]:
    if fold.stems("val"):
        return [fold]
    settings = yaml.safe_load((fold.folder / CONFIG).read_text())
    stems = fold.stems("trn")
    order = np.random.default_rng(_SEED).permutation(len(stems))
    made = []
    for number in range(parts):
        folder = fold.folder / "left-out" / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        chosen = sorted(stems[i] for i in order[number::parts])
        section = {**settings["dataset"], "val": chosen}
        (folder / CONFIG).write_text(json.dumps({**settings, "dataset": section}, indent=1))
        made.append(open_fold(folder))
    return made


def _targets(fold: Fold) -> list[str]:
    stems = fold.stems("val")
    maps = [f"results/descriptors/{fold.category}/{stem}.h5" for stem in stems]
    return [f"results/priors/{fold.category}.h5", *maps]


def _held_out(fold: Fold) -> HeldOut:
    stems, category = fold.stems("val"), fold.category
    photos = {stem: fold.dataset.record(category, stem, "val") for stem in stems}
    root = Path(yaml.safe_load((fold.folder / CONFIG).read_text())["masks"]["root"])
    prior = Prior.load(fold.results / "priors" / f"{category}.h5")
    return HeldOut(
        prior,
        _not_whitened(prior, fold),
        photos,
        {stem: _maps(fold, stem)[0].astype(np.float32) for stem in stems},
        {
            stem: whole_object(root, category, stem, (photo.width, photo.height), photo.box)
            for stem, photo in photos.items()
        },
        list(all_pairs(category, stems, photos.__getitem__)),
    )


def _maps(fold: Fold, stem: str) -> np.ndarray:
    path = fold.results / "descriptors" / fold.category / f"{stem}.h5"
    return store.read(path, "descriptors")["descriptors"]


def _not_whitened(prior: Prior, fold: Fold) -> Prior:
    """The prior with statistics of descriptors that are only centred."""
    category = fold.category
    cameras = read_record(fold.results / "bundle" / f"{category}_cameras.h5", Cameras)
    views = []
    for number, stem in enumerate(cameras.stems):
        found = store.read(fold.results / "points" / category / f"{stem}.h5", "pixels", "xyz")
        width, height = map(int, cameras.sizes[number])
        views.append(
            TrainingView(
                (width, height),
                float(cameras.p[number]),
                cameras.keypoints_px[number],
                cameras.keypoints_xyz[number],
                found["pixels"],
                found["xyz"],
            )
        )
    plain = alignment_statistics(
        prior.points,
        views,
        lambda number: _maps(fold, cameras.stems[number]),
        prior.mirror,
        shrinkage=np.inf,
    )
    return replace(prior, alignment=plain)
