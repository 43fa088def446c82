"""A prior from views in memory: the library calls of workflow/scripts, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from semalign3d.geometry.cameras import back_project
from semalign3d.geometry.keypoints import erode, sample_pixels
from semalign3d.prior import ImageTable, Prior, sparse_prior
from semalign3d.seeds import generator
from semalign3d.shape.bundle.refinement import refine, refined_cameras
from semalign3d.shape.bundle.settings import BundleSettings
from semalign3d.shape.cameras.estimation import (
    AnnotatedView,
    Cameras,
    estimate_cameras,
    training_views,
)
from semalign3d.shape.dense.fusion import ViewPoints, fuse_points, points_per_view
from semalign3d.shape.dense.prior import DensePrior, dense_prior
from semalign3d.shape.dense.silhouettes import silhouettes_of
from semalign3d.shape.relations.choice import choose_relations
from semalign3d.shape.relations.fitting import Relations, fit_relations
from semalign3d.shape.sparse.attention import Attention, keypoint_attention
from semalign3d.shape.sparse.prior import KeypointShape, SparseShape, fit_sparse
from semalign3d.shape.sparse.upright import stand_up

Settings = dict[str, dict[str, Any]]
"""The sections of the configuration."""


@dataclass(frozen=True)
class Geometry:
    """All of a prior but its surface.

    Attributes
    ----------
    mirror : (K,) mirror table.
    cameras : of the images, refined if the settings say so.
    relations : between the keypoints.
    start : the sparse shape before it was refined.
    shape : the keypoints of the prior.
    attention : of the keypoints; all descriptors are 1.
    points : sampled object points of each image.
    masks : (H, W) bool of each image.
    """

    mirror: np.ndarray
    cameras: Cameras
    relations: Relations
    start: SparseShape
    shape: KeypointShape
    attention: Attention
    points: tuple[ViewPoints, ...]
    masks: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Made:
    """A prior, and the sparse shape as it was before it was refined."""

    prior: Prior
    start: SparseShape


def make_prior(
    category: str, views: Sequence[AnnotatedView], mirror: np.ndarray, settings: Settings, seed: int
) -> Made:
    """The prior that the pipeline makes of the same views, but for descriptors.

    All descriptors are 1, with one channel: they play no part in the geometry.

    Parameters
    ----------
    category : name
    views : the training images, sorted by stem
    mirror : (K,) mirror table
    settings : sections of the configuration (config/config.yaml)
    seed : of all random numbers

    Raises
    ------
    InputError : the views cannot give a prior
    """
    made = make_geometry(category, views, mirror, settings, seed)
    cameras = made.cameras
    prior = Prior(
        category=category,
        dataset="demo",
        mirror=mirror,
        sparse=sparse_prior(made.shape, made.attention),
        relations=made.relations.kept(),
        dense=_dense(category, made, settings, seed),
        images=ImageTable(cameras.stems, ("trn",) * len(cameras.stems), 1.0 / cameras.p),
        settings=settings,
        seed=seed,
    )
    return Made(prior, made.start)


def make_geometry(
    category: str, views: Sequence[AnnotatedView], mirror: np.ndarray, settings: Settings, seed: int
) -> Geometry:
    """What `make_prior` makes before the surface, from the same."""
    options = settings["cameras"]
    cameras = estimate_cameras(
        views,
        mirror,
        erosion_size=options["erosion_size"],
        erosion_iterations=options["erosion_iterations"],
        rng=generator(seed, "cameras", category),
    )
    keypoints, images = training_views(cameras, mirror)
    relations = _relations(category, cameras, keypoints, images, settings, seed)
    shape = fit_sparse(relations, mirror)
    start = stand_up(shape, keypoints, mirror)
    placed, cameras = _refined(start, cameras, mirror, settings)
    attention = keypoint_attention(np.where(np.isfinite(keypoints[..., :1]), 1.0, np.nan))
    by_stem = {view.stem: view for view in views}
    points = tuple(
        _points(category, by_stem[stem], cameras, number, settings, seed)
        for number, stem in enumerate(cameras.stems)
    )
    masks = tuple(by_stem[stem].mask for stem in cameras.stems)
    return Geometry(mirror, cameras, relations, start, placed, attention, points, masks)


def _refined(
    start: SparseShape, cameras: Cameras, mirror: np.ndarray, settings: Settings
) -> tuple[KeypointShape, Cameras]:
    """Shape and cameras after bundle refinement, if it is switched on."""
    options = dict(settings["bundle"])
    if not options.pop("enabled"):
        return start, cameras
    options.pop("suspicious")
    bundle = refine(cameras, start, mirror, BundleSettings(**options))
    return bundle, refined_cameras(cameras, bundle)


def _dense(category: str, made: Geometry, settings: Settings, seed: int) -> DensePrior:
    """The surface, with descriptors that are all 1."""
    options = dict(settings["dense"])
    per_view = points_per_view(options.pop("fused"), len(made.points), made.mirror)
    return dense_prior(
        fuse_points(made.points, made.shape.xyz, made.mirror, per_view=per_view),
        lambda number: np.ones((2, len(made.points[number].xyz), 1)),
        made.shape.xyz,
        made.attention,
        generator(seed, "dense", category),
        silhouettes=silhouettes_of(made.cameras, made.masks),
        mirror=made.mirror,
        **options,
    )


def _relations(
    category: str,
    cameras: Cameras,
    keypoints: np.ndarray,
    images: np.ndarray,
    settings: Settings,
    seed: int,
) -> Relations:
    generators = [
        generator(seed, "relations", category, stem, side)
        for stem in cameras.stems
        for side in ("original", "mirrored")
    ]
    options = dict(settings["relations"])
    chosen = choose_relations(
        keypoints,
        images,
        generator(seed, "relations", category),
        budget=options.pop("budget"),
        min_images=options["min_images"],
    )
    return fit_relations(keypoints, images, generators, chosen, **options)


def _points(
    category: str,
    view: AnnotatedView,
    cameras: Cameras,
    number: int,
    settings: Settings,
    seed: int,
) -> ViewPoints:
    """Sampled object points of an image in camera space."""
    options = settings["cameras"]
    mask = erode(view.mask, options["erosion_size"], options["erosion_iterations"])
    rng = generator(seed, "points", category, view.stem)
    pixels = sample_pixels(mask, settings["points"]["per_image"], rng)
    z = cameras.depth(number, view.inverse_depth)[pixels[:, 1], pixels[:, 0]]
    xyz = back_project(pixels, z, view.size, float(cameras.p[number]), cameras.principal_px[number])
    return ViewPoints(xyz, cameras.keypoints_xyz[number])
