"""Steps of the alignment off in turn, on photos that the choice may be made on.

python -m studies.real ablate FOLDER... [--parts 5]

Validation photos where the configuration names some, else training photos, left out in turn: the
pipeline makes a prior without each part. Test photos play no part. A wrong pose counts as missed if
the energy of the true one, refined in the same way, is lower than that of the pose that was found.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from semalign3d.alignment.alignment import Alignment
from semalign3d.alignment.photo.region import box_mask
from semalign3d.alignment.settings import AlignmentSettings
from semalign3d.errors import InputError
from semalign3d.evaluation.pck import box_side, relative_errors
from semalign3d.prior import Prior
from studies.real.heldout import HeldOut, held_out
from studies.real.page import WRONG, as_markdown
from studies.real.pipeline import ALPHAS, open_fold, placement_error
from studies.real.truth import true_pose

Guide = Callable[[HeldOut, str], np.ndarray | None]


def _none(photos: HeldOut, stem: str) -> None:
    return None


def _mask(photos: HeldOut, stem: str) -> np.ndarray:
    return photos.masks[stem]


def _box(photos: HeldOut, stem: str) -> np.ndarray:
    photo = photos.photos[stem]
    return box_mask(photo.box, (photo.width, photo.height))


@dataclass(frozen=True)
class Variant:
    """What is different in an alignment."""

    name: str
    settings: AlignmentSettings = field(default_factory=AlignmentSettings)
    whitened: bool = True
    guide: Guide = _none

    def prior(self, photos: HeldOut) -> Prior:
        """The prior that it takes."""
        return photos.prior if self.whitened else photos.plain


VARIANTS = (
    Variant("as by default"),
    Variant("descriptors not whitened", whitened=False),
    Variant("all rotations alike", AlignmentSettings(view_weight=0.0)),
    Variant("neither", AlignmentSettings(view_weight=0.0), whitened=False),
    Variant("no reconstruction of the object", AlignmentSettings(reconstruction_weight=0.0)),
    Variant("no free refinement", AlignmentSettings(free_steps=0)),
    Variant("four times the shape energy", AlignmentSettings(shape_weight=640.0)),
    Variant("guided by the mask", guide=_mask),
    Variant("guided by the box", guide=_box),
)


@dataclass(frozen=True)
class Outcome:
    """What a variant made of the photos of one part.

    Attributes
    ----------
    errors : of all queries of all pairs, in units of the box's longer side.
    placed : (N,) median error of each photo's keypoints, in these units.
    missed : (N,) bool, wrong poses of a higher energy than the true one's.
    """

    errors: np.ndarray
    placed: np.ndarray
    missed: np.ndarray


def outcome(photos: HeldOut, variant: Variant) -> Outcome:
    """Align all photos and match all pairs."""
    prior = variant.prior(photos)
    align, match = prior.aligner(variant.settings), prior.matcher()
    alignments: dict[str, Alignment] = {}
    placed, missed = [], []
    for stem, photo in photos.photos.items():
        given = photos.descriptors[stem], (photo.width, photo.height), variant.guide(photos, stem)
        alignments[stem] = align(*given)
        placed.append(placement_error(alignments[stem], photo))
        wrong = placed[-1] > WRONG
        missed.append(wrong and _lower(align(*given, true_pose(prior, photo)), alignments[stem]))
    errors = []
    for pair in photos.pairs:
        found = match(
            alignments[pair.source],
            photos.descriptors[pair.source],
            alignments[pair.target],
            photos.descriptors[pair.target],
            pair.source_keypoints,
        )
        side = np.full(len(pair.ids), box_side(pair.target_box))
        errors.append(relative_errors(found.points, pair.target_keypoints, side))
    return Outcome(np.concatenate(errors), np.array(placed), np.array(missed))


def _lower(first: Alignment, second: Alignment) -> bool:
    return first.energy.total < second.energy.total


def rows(found: Mapping[str, Sequence[Outcome]]) -> list[dict[str, object]]:
    """A row a variant."""
    table: list[dict[str, object]] = []
    for name, parts in found.items():
        errors = np.concatenate([part.errors for part in parts])
        placed = np.concatenate([part.placed for part in parts])
        missed = sum(int(part.missed.sum()) for part in parts)
        wrong = int((placed > WRONG).sum())
        table.append(
            {
                "variant": name,
                "PCK@0.1 / 0.05": " / ".join(f"{100 * np.mean(errors <= a):.1f}" for a in ALPHAS),
                "median error": f"{np.median(placed):.3f}",
                "wrong poses": f"{wrong} of {len(placed)}",
                "of these missed": missed,
            }
        )
    return table


@threadpool_limits.wrap(limits=1)
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; arguments are those of the command line if None."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, help="each with a config.yaml")
    parser.add_argument("--parts", type=int, default=5, help="of training photos left out in turn")
    parser.add_argument("--cores", type=int, default=1)
    given = parser.parse_args(arguments)
    found: dict[str, list[Outcome]] = {variant.name: [] for variant in VARIANTS}
    try:
        for folder in given.folders:
            for photos in held_out(open_fold(folder), given.parts, given.cores):
                for variant in VARIANTS:
                    found[variant.name].append(outcome(photos, variant))
    except InputError as error:
        parser.exit(1, f"{error}\n")
    print(as_markdown(rows(found)))
