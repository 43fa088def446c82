"""One case: photos, made worse, to a prior, to its errors."""

from __future__ import annotations

import json
import logging
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from demo import files
from demo.dataset import imitated_depth, imitated_mask
from semalign3d.datasets.mirror_tables import SPAIR, mirror_permutation
from semalign3d.errors import InputError
from semalign3d.files.digest import values_digest
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.pipeline.code import code_digest
from semalign3d.seeds import generator
from semalign3d.shape.cameras.estimation import AnnotatedView
from studies.robustness.cases import Conditions
from studies.robustness.chain import Settings, make_prior
from studies.robustness.degrade import mask_of_overlap, overlap, spoil_keypoints
from studies.robustness.photos import Album, open_album
from studies.shared.prior_score import score_prior

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What came of a category under some conditions; errors are shares of the box's diagonal.

    Attributes
    ----------
    category, seed : of the demo's dataset
    sparse, dense : see `studies.shared.prior_score.PriorScore`; None without a prior
    start : sparse error before refinement
    mirrored : whether the prior has the wrong handedness
    unused : reasons of the keypoints that were left out, by number
    refused : the error of the input with which the pipeline ended, else empty
    crashed : any other error, else empty
    mask_iou : mean overlap of the masks with the true ones
    seconds : processor time of the geometry
    """

    category: str
    seed: int
    sparse: float | None = None
    dense: float | None = None
    start: float | None = None
    mirrored: bool = False
    unused: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    crashed: str = ""
    mask_iou: float | None = None
    seconds: float = 0.0


Task = tuple[str, int, Conditions, Settings, Path]
"""The arguments of `cached_result`."""


def results(tasks: Sequence[Task], processes: int = 1) -> Iterator[Result]:
    """The tasks' results in order; the numbers don't depend on the processes."""
    if processes <= 1:
        yield from map(_result_of, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        yield from pool.map(_result_of, tasks)


def _result_of(task: Task) -> Result:
    with threadpool_limits(1):
        return cached_result(*task)


def cached_result(
    category: str, seed: int, conditions: Conditions, settings: Settings, cache: Path
) -> Result:
    """The result of a case: from the cache, if the same code made it from the same settings."""
    digest = values_digest(
        code=code_digest(__name__), conditions=conditions.values(), settings=settings
    )
    path = cache / "results" / f"{category}-{seed}-{digest[:16]}.json"
    if path.is_file():
        return Result(**json.loads(path.read_text()))
    result = run(category, seed, conditions, settings, cache / "photos")
    files.write_json(path, asdict(result))
    return result


def run(
    category: str, seed: int, conditions: Conditions, settings: Settings, photos: Path
) -> Result:
    """Make the prior of a case and compare it with the truth.

    Any error becomes part of the result: the table counts them.
    """
    album = open_album(category, seed, conditions, photos)
    mirror = mirror_permutation(SPAIR[category])
    views, iou = poor_views(category, seed, conditions, album, mirror)
    found: dict[str, Any] = {"mask_iou": iou}
    start = time.process_time()
    try:
        made = make_prior(category, views, mirror, settings, seed)
    except InputError as error:
        found["refused"] = str(error)
    except Exception as error:
        logger.exception("%s, seed %d, %s", category, seed, conditions)
        found["crashed"] = f"{type(error).__name__}: {error}"
    else:
        score = score_prior(made.prior, album.truth)
        reasons = enumerate(made.prior.sparse.reasons)
        found |= {
            "sparse": score.sparse,
            "dense": score.dense,
            "start": keypoint_error(made.start.xyz, album.truth["keypoints"]),
            "mirrored": bool(score.mirrored < score.sparse - 1e-9),
            "unused": {str(number): reason for number, reason in reasons if reason},
        }
    return Result(category, seed, seconds=time.process_time() - start, **found)


def poor_views(
    category: str, seed: int, conditions: Conditions, album: Album, mirror: np.ndarray
) -> tuple[list[AnnotatedView], float]:
    """The album's photos with masks, depth and annotations as the conditions say, and mean IoU."""
    keypoints = np.stack([photo.keypoints for photo in album.photos])
    if conditions.bad_keypoints:
        keypoints, _ = spoil_keypoints(
            keypoints,
            np.stack([photo.box for photo in album.photos]),
            np.stack([photo.mask.shape[::-1] for photo in album.photos]),
            mirror,
            conditions.bad_keypoints,
            generator(seed, "robustness-keypoints", category),
        )
    views, overlaps = [], []
    for stem, photo, annotated in zip(album.stems, album.photos, keypoints, strict=True):
        rng = generator(seed, "demo-maps", category, stem)
        depth = imitated_depth(photo.depth, photo.mask, rng, conditions.depth_noise)
        mask = imitated_mask(photo.mask, rng)
        if conditions.mask_iou is not None:
            chance = generator(seed, "robustness-mask", category, stem)
            mask = mask_of_overlap(photo.mask, conditions.mask_iou, chance)
        overlaps.append(overlap(photo.mask, mask))
        height, width = mask.shape
        views.append(AnnotatedView(stem, (width, height), annotated, mask, depth))
    return views, float(np.mean(overlaps))


def keypoint_error(xyz: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square distance of keypoints (K, 3) after similarity, as share of the diagonal."""
    used = np.isfinite(xyz).all(axis=1)
    placed = similarity_procrustes(xyz[used], truth[used]).apply(xyz[used])
    distance = np.linalg.norm(placed - truth[used], axis=1)
    return float(np.sqrt(np.mean(distance**2)) / np.linalg.norm(np.ptp(truth, axis=0)))
