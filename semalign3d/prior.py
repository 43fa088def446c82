"""The prior of a category: what the pipeline makes and users load (METHOD.md 9)."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from semalign3d.alignment.statistics.collect import AlignmentStatistics
from semalign3d.alignment.statistics.views import PriorPoints, prior_points
from semalign3d.files import store
from semalign3d.files.records import read_record, write_record
from semalign3d.shape.bundle.refinement import Bundle
from semalign3d.shape.dense.prior import DensePrior
from semalign3d.shape.relations.fitting import Relations
from semalign3d.shape.sparse.attention import Attention
from semalign3d.shape.sparse.prior import KeypointShape

if TYPE_CHECKING:
    from semalign3d.alignment.aligner import Aligner
    from semalign3d.alignment.alignment import AlignedImage
    from semalign3d.alignment.matching.matcher import Matcher, Matches
    from semalign3d.alignment.settings import AlignmentSettings, MatchingSettings

FORMAT_VERSION = 4
PACKAGES = ("semalign3d", "numpy", "scipy", "torch", "transformers", "segment-anything")


@dataclass(frozen=True)
class SparsePrior:
    """Keypoints in the canonical frame; rows of unused keypoints are NaN.

    Attributes
    ----------
    xyz : (K, 3) float64, unit bounding-box diagonal.
    used : (K,) bool.
    reasons : K texts, why a keypoint is not used.
    uncertainty : (K, 3) standard deviations along x, y and z; NaN without bundle refinement.
    descriptors : (K, C) float32, mean descriptors of length one.
    attention_mean, attention_std : (K,) of the cosine of a view's descriptor with the mean one.
    """

    xyz: np.ndarray
    used: np.ndarray
    reasons: tuple[str, ...]
    uncertainty: np.ndarray
    descriptors: np.ndarray
    attention_mean: np.ndarray
    attention_std: np.ndarray


@dataclass(frozen=True)
class ImageTable:
    """The category's images.

    Attributes
    ----------
    stems, splits : names.
    focal_lengths : (N,) in units of the longest side; NaN for images that fed no camera.
    """

    stems: tuple[str, ...]
    splits: tuple[str, ...]
    focal_lengths: np.ndarray


@dataclass(frozen=True)
class Prior:
    """A category's prior, as the prior file holds it.

    Attributes
    ----------
    category, dataset : names.
    mirror : (K,) int64, the id that a keypoint becomes when an image is mirrored; None where it
        is not known, and no mirror images were used.
    sparse, relations, dense, images : the parts; only kept relations.
    settings : the sections of the configuration that it came from.
    seed : of its random numbers.
    alignment : what alignment needs to know of the training images, for the dense points; None
        where there were no descriptors.
    keypoint_names : K names by id; empty where the dataset gives none.
    """

    category: str
    dataset: str
    mirror: np.ndarray | None
    sparse: SparsePrior
    relations: Relations
    dense: DensePrior
    images: ImageTable
    settings: dict[str, Any]
    seed: int
    alignment: AlignmentStatistics | None = None
    keypoint_names: tuple[str, ...] = ()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the prior file, whole or not at all."""
        with store.create(path) as file:
            store.write_attributes(
                file,
                format_version=FORMAT_VERSION,
                category=self.category,
                dataset=self.dataset,
                settings=json.dumps(self.settings, sort_keys=True),
                software=json.dumps({name: version(name) for name in PACKAGES}),
                seed=self.seed,
            )
            if self.mirror is not None:
                store.write(file, "mirror", self.mirror)
            if self.keypoint_names:
                store.write(file, "keypoint_names", np.array(self.keypoint_names, dtype=str))
            for name in ("sparse", "relations", "dense", "images", "alignment"):
                if getattr(self, name) is not None:
                    write_record(file.create_group(name), getattr(self, name))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Prior:
        """Read a prior file.

        Raises
        ------
        FileNotFoundError : no such file.
        DamagedFileError : damaged, not a prior, or of a newer format version.
        """
        with store.open_checked(path) as file:
            attributes = store.attributes(file)
            mirror = store.read_dataset(file["mirror"]) if "mirror" in file else None
            names = store.read_dataset(file["keypoint_names"]) if "keypoint_names" in file else ()
            aligns = "alignment" in file
        found = attributes.get("format_version")
        if found != FORMAT_VERSION:
            raise store.DamagedFileError(
                path, f"expected a prior of format version {FORMAT_VERSION}, found {found}"
            )
        return cls(
            category=attributes["category"],
            dataset=attributes["dataset"],
            mirror=mirror,
            sparse=read_record(path, SparsePrior, "sparse"),
            relations=read_record(path, Relations, "relations"),
            dense=read_record(path, DensePrior, "dense"),
            images=read_record(path, ImageTable, "images"),
            settings=json.loads(attributes["settings"]),
            seed=int(attributes["seed"]),
            alignment=read_record(path, AlignmentStatistics, "alignment") if aligns else None,
            keypoint_names=tuple(map(str, names)),
        )

    @property
    def points(self) -> PriorPoints:
        """Keypoints, and the dense points that follow them."""
        return prior_points(self.sparse.xyz, self.dense.keypoint, self.dense.anchoring)

    @property
    def statistics(self) -> AlignmentStatistics:
        """What alignment needs; ValueError if the prior was made without descriptors."""
        if self.alignment is None:
            raise ValueError(f"the prior of {self.category} was made without descriptors")
        return self.alignment

    def aligner(self, settings: AlignmentSettings | None = None) -> Aligner:
        """Places the prior in photos; `settings` as by default if None."""
        from semalign3d.alignment.aligner import Aligner
        from semalign3d.alignment.settings import AlignmentSettings

        chosen = settings or AlignmentSettings()
        return Aligner(self.points, self.relations, self.statistics, chosen)

    def matcher(self, settings: MatchingSettings | None = None) -> Matcher:
        """Finds points of one photo in another one; `settings` as by default if None."""
        from semalign3d.alignment.matching.matcher import Matcher
        from semalign3d.alignment.settings import MatchingSettings

        return Matcher(self.points, self.statistics, settings or MatchingSettings())

    def align(
        self,
        descriptors: np.ndarray,
        image_size: tuple[int, int],
        mask: np.ndarray | None = None,
    ) -> AlignedImage:
        """Place the prior in a photo.

        Parameters
        ----------
        descriptors : (G, G, C) map of the photo, from the encoder that the prior was made with.
        image_size : (W, H) of the photo in pixels.
        mask : (H, W) bool, where the object is known to lie; None if it is not.
        """
        from semalign3d.alignment.alignment import aligned_image

        return aligned_image(self._aligner(descriptors, image_size, mask), descriptors)

    def match(self, source: AlignedImage, target: AlignedImage, points: np.ndarray) -> Matches:
        """Where points (m, 2) of one photo, pixels (x, y), are in another one."""
        return self._matcher(source, source.descriptors, target, target.descriptors, points)

    @functools.cached_property
    def _aligner(self) -> Aligner:
        return self.aligner()

    @functools.cached_property
    def _matcher(self) -> Matcher:
        return self.matcher()


def load_aligner(path: str | os.PathLike[str], settings: AlignmentSettings) -> Aligner:
    """The aligner of a prior file: with `functools.partial`, what other processes start from."""
    return Prior.load(path).aligner(settings)


def sparse_prior(shape: KeypointShape, attention: Attention) -> SparsePrior:
    """The sparse part of a prior."""
    return SparsePrior(
        xyz=shape.xyz,
        used=shape.used,
        reasons=shape.reasons,
        uncertainty=shape.uncertainty
        if isinstance(shape, Bundle)
        else np.full(shape.xyz.shape, np.nan),
        descriptors=attention.descriptors,
        attention_mean=attention.mean,
        attention_std=np.sqrt(attention.variance),
    )
