"""Matching cases: how the test photos are made worse, and the scores of all methods there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import pandas as pd

from demo import networks, plan
from semalign3d.alignment.settings import AlignmentSettings, MatchingSettings
from semalign3d.device import pick_device
from semalign3d.evaluation.methods import AlignedPhoto, Methods
from semalign3d.evaluation.tables import category_table, match_rows
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.maps.descriptors.geoaware import DescriptorEncoder
from semalign3d.prior import Prior
from semalign3d.seeds import generator
from studies.matching.photos import (
    Change,
    TruePhoto,
    covered,
    cropped,
    noisy,
    photo_descriptors,
    true_photo,
    whole,
)
from studies.matching.queries import SURFACE_POINTS, keypoint_pair, surface_pair

CHECKPOINT = Path(networks.__file__).parent / "post_processor.pth"
ALPHAS = (0.1, 0.05, 0.01)
WRONG_POSE = 30.0
"""Degrees from which a pose counts as wrong."""


@dataclass(frozen=True)
class Case:
    """How the test photos differ from the dataset's.

    Attributes
    ----------
    name : in the tables.
    change : made to the photos.
    noise : added to the descriptors, in units of their length.
    """

    name: str
    change: Change = whole
    noise: float = 0.0


CASES = (
    Case("as they are"),
    *(Case(f"noise {strength:g}", noise=strength) for strength in (0.5, 1.0, 1.5)),
    Case("a third cropped", cropped),
    Case("30 % covered", covered),
)


@dataclass(frozen=True)
class Setup:
    """What is scored on which photos.

    Attributes
    ----------
    prior : of a category of the demo.
    photos : the split's photos with their descriptors (G, G, C).
    mean_keypoints : (K, 3) truth of the prior's keypoints.
    seed : of queries and bootstrap.
    """

    prior: Prior
    photos: Sequence[tuple[TruePhoto, np.ndarray]]
    mean_keypoints: np.ndarray
    seed: int


def make_setup(
    prior: Prior, truth: Path, split: str, case: Case, counts: plan.Counts, seed: int
) -> Setup:
    """The photos of a split in a case.

    Parameters
    ----------
    prior : of the demo.
    truth : the category's truth file.
    split : val or test.
    case : what is done to the photos.
    counts : images of the demo's splits.
    seed : of the demo.
    """
    encoder = DescriptorEncoder(CHECKPOINT, pick_device("cpu"))
    photos = []
    for stem in plan.splits(prior.category, counts)[split]:
        rng = generator(seed, "demo-matching", case.name, prior.category, stem)
        photo = case.change(true_photo(prior.category, stem, seed), rng)
        descriptors = photo_descriptors(photo, seed, encoder)
        if case.noise:
            descriptors = noisy(descriptors, case.noise, rng)
        photos.append((photo, descriptors))
    with np.load(truth) as arrays:
        return Setup(prior, photos, arrays["keypoints"], seed)


@dataclass(frozen=True)
class Scores:
    """Scores of a setup.

    Attributes
    ----------
    keypoints, surface : PCK of keypoint and of surface queries, see `category_table`.
    pose_errors : (N,) degrees between the aligned pose and the truth.
    """

    keypoints: pd.DataFrame
    surface: pd.DataFrame
    pose_errors: np.ndarray

    @property
    def wrong_poses(self) -> int:
        """How many poses are further off than `WRONG_POSE`."""
        return int(np.count_nonzero(self.pose_errors > WRONG_POSE))

    def pck(
        self, method: str, alpha: float, queries: str = "keypoints", average: str = "point"
    ) -> float:
        """PCK in per cent, per point or per image (mean over the pairs)."""
        table = getattr(self, queries)
        chosen = table[
            (table["subset"] == "all")
            & (table["average"] == average)
            & (table["method"] == method)
            & (table["alpha"] == alpha)
        ]
        return float(100.0 * chosen["pck"].iloc[0])


def align_photos(setup: Setup, settings: AlignmentSettings | None = None) -> list[AlignedPhoto]:
    """Place the prior in all photos; `settings` as by default if None."""
    align = setup.prior.aligner(settings)
    return [AlignedPhoto(found, align(found, photo.size)) for photo, found in setup.photos]


def score(
    setup: Setup,
    placed: Sequence[AlignedPhoto],
    settings: MatchingSettings | None = None,
    surface_points: int = SURFACE_POINTS,
    resamples: int = 1000,
) -> Scores:
    """Match all ordered pairs of the photos, and compare with the truth.

    Parameters
    ----------
    setup : prior and photos.
    placed : the photos with the prior in them, see `align_photos`.
    settings : of the matching, as by default if None.
    surface_points : surface queries a pair.
    resamples : of the bootstrap.
    """
    methods = Methods(setup.prior.matcher(settings))
    photos = [photo for photo, _ in setup.photos]
    rows: dict[str, list[pd.DataFrame]] = {"keypoints": [], "surface": []}
    for (a, source), (b, target) in permutations(zip(photos, placed, strict=True), 2):
        rng = generator(setup.seed, "demo-queries", a.stem, b.stem)
        surface = surface_pair(a, b, surface_points, rng)
        for name, pair in (("keypoints", keypoint_pair(a, b)), ("surface", surface)):
            if len(pair.ids):
                found, _ = methods(source, target, pair.source_keypoints)
                rows[name].append(match_rows(pair, found))
    tables = {
        name: category_table(setup.prior.category, pd.concat(parts), ALPHAS, resamples, setup.seed)
        for name, parts in rows.items()
    }
    errors = [
        pose_error(setup, photo, aligned.alignment.rotation)
        for photo, aligned in zip(photos, placed, strict=True)
    ]
    return Scores(tables["keypoints"], tables["surface"], np.array(errors))


def pose_error(setup: Setup, photo: TruePhoto, rotation: np.ndarray) -> float:
    """Degrees between an alignment's rotation (3, 3) and the truth."""
    used = setup.prior.sparse.used
    frames = similarity_procrustes(setup.prior.sparse.xyz[used], setup.mean_keypoints[used])
    turn = rotation @ (photo.rotation @ frames.rotation).T
    return float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1.0) / 2.0, -1.0, 1.0))))
