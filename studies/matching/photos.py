"""The demo's photos with their truth, whole, cropped or covered, and their descriptors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch

from demo import dataset
from demo.annotations import mask_box
from demo.features import imitate
from demo.rendering.render import cast, keypoint_visibility, project
from semalign3d.maps.descriptors.geoaware import DescriptorEncoder
from semalign3d.seeds import generator

CROPPED = 1 / 3
"""Share of the object's box that cropping takes away, at one of its four sides."""
COVERED = 0.3
"""Share of the object's pixels that the grey box hides."""


@dataclass(frozen=True)
class TruePhoto:
    """A photo of the demo and what is true of it.

    Attributes
    ----------
    category, stem : names.
    template : (H, W, 3) where each pixel lies on the category's mean shape, NaN off the object.
    keypoints : (K, 2) pixels, NaN where not seen.
    rotation : (3, 3) from the demo's canonical frame to the camera's.
    """

    category: str
    stem: str
    template: np.ndarray
    keypoints: np.ndarray
    rotation: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        """(W, H) in pixels."""
        return self.template.shape[1], self.template.shape[0]

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool, the object's visible pixels."""
        return np.isfinite(self.template[..., 0])


Change = Callable[[TruePhoto, np.random.Generator], TruePhoto]


def true_photo(category: str, stem: str, seed: int) -> TruePhoto:
    """A photo of the demo dataset that was made with `seed`."""
    scene = dataset.make_scene(category, stem, seed)
    picture = cast(scene)
    seen = keypoint_visibility(scene, picture.canonical)
    pixels = np.rint(project(scene, scene.instance.keypoints))
    keypoints = np.where(seen[:, None], pixels, np.nan)
    return TruePhoto(category, stem, picture.template, keypoints, scene.camera.rotation)


def whole(photo: TruePhoto, rng: np.random.Generator) -> TruePhoto:
    """The photo as it is."""
    return photo


def cropped(photo: TruePhoto, rng: np.random.Generator) -> TruePhoto:
    """The photo without a third of the object: cut at a line through its box."""
    x1, y1, x2, y2 = mask_box(photo.mask)
    (width, height), side = photo.size, int(rng.integers(4))
    left, top, right, bottom = 0, 0, width, height
    if side == 0:
        left = round(x1 + CROPPED * (x2 - x1))
    elif side == 1:
        right = round(x2 - CROPPED * (x2 - x1))
    elif side == 2:
        top = round(y1 + CROPPED * (y2 - y1))
    else:
        bottom = round(y2 - CROPPED * (y2 - y1))
    moved = photo.keypoints - [left, top]
    last = np.array([right - left, bottom - top]) - 1
    inside = np.all((moved >= 0) & (moved <= last), axis=1)
    return replace(
        photo,
        template=photo.template[top:bottom, left:right],
        keypoints=np.where(inside[:, None], moved, np.nan),
    )


def covered(photo: TruePhoto, rng: np.random.Generator) -> TruePhoto:
    """The photo with a box of the background's kind before 30 % of the object's pixels."""
    rows, columns = np.nonzero(photo.mask)
    pixels = np.stack([columns, rows], axis=1).astype(float)
    box = mask_box(photo.mask)
    extent = np.array([box[2] - box[0], box[3] - box[1]], dtype=float)
    centre = pixels[int(rng.integers(len(pixels)))]
    reach = np.abs((pixels - centre) / extent).max(axis=1)
    half = np.quantile(reach, COVERED) * extent

    def hidden(points: np.ndarray) -> np.ndarray:
        return np.asarray(np.all(np.abs(points - centre) <= half, axis=-1))

    line = np.meshgrid(*(np.arange(n) for n in photo.size))
    template = np.where(hidden(np.stack(line, axis=-1))[..., None], np.nan, photo.template)
    keypoints = np.where(hidden(photo.keypoints)[:, None], np.nan, photo.keypoints)
    return replace(photo, template=template, keypoints=keypoints)


def photo_descriptors(photo: TruePhoto, seed: int, encoder: DescriptorEncoder) -> np.ndarray:
    """Descriptors (G, G, C) of a photo: the dataset's own for one that is whole."""
    rng = generator(seed, "demo-features", photo.category, photo.stem, "")
    maps = imitate(photo.template, dataset.DISTURBANCE[photo.category], rng)
    features = {name: torch.from_numpy(values)[None] for name, values in maps.items()}
    return encoder.encode(features, name=f"features of {photo.stem}")


def noisy(descriptors: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Descriptors (G, G, C) of length one plus noise of `strength` times that length, then again
    of length one."""
    deviation = strength / np.sqrt(descriptors.shape[-1])
    disturbed = descriptors + deviation * rng.standard_normal(descriptors.shape, dtype=np.float32)
    return np.asarray(disturbed / np.linalg.norm(disturbed, axis=-1, keepdims=True))
