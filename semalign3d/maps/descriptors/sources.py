"""Where descriptor maps come from: feature files, an encoder, or the user's maps."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...datasets.records import ImageRecord
from ...files.digest import file_digest
from ..sources import Device, MapSource
from . import files as descriptor_files
from . import geoaware as descriptors
from . import vit
from .geoaware import RAW

if TYPE_CHECKING:
    from .geoaware import DescriptorEncoder
    from .vit import VitEncoder

DescriptorSource = MapSource[str, Sequence[np.ndarray]]
"""Of an image's stem: maps (G, G, C) of the image and its mirror image, each cell of length 1."""


class GeoAwareFeatures(DescriptorSource):
    """Feature files of GeoAware-SC, through its post-processor network or `raw`."""

    def __init__(self, root: str, category: str, checkpoint: Path | None, device: Device) -> None:
        self.recipe = descriptors.identity(checkpoint)
        self.folder = Path(root) / category
        self.checkpoint, self.device = checkpoint, device

    @cached_property
    def encoder(self) -> "DescriptorEncoder":
        return descriptors.DescriptorEncoder(self.checkpoint, self.device())

    def made_from(self, photo: str) -> list[str]:
        return [file_digest(path) for path in descriptors.feature_files(self.folder, photo)]

    def encode(self, photo: str) -> Sequence[np.ndarray]:
        name = f"features of {photo} in {self.folder}"
        views = (
            descriptors.read_features(self.folder, photo, mirrored=mirrored)
            for mirrored in (False, True)
        )
        return [self.encoder.encode(features, name) for features in views]


class VitImages(DescriptorSource):
    """Photos through DINOv2 or DINOv3."""

    def __init__(
        self,
        kind: str,
        model: str,
        grid: int,
        checkpoint: Path | None,
        photo: Callable[[str], ImageRecord],
        device: Device,
    ) -> None:
        self.recipe = vit.identity(model, grid, checkpoint)
        self.settings = (kind, model, grid, checkpoint)
        self.photo, self.device = photo, device

    @cached_property
    def encoder(self) -> "VitEncoder":
        return vit.VitEncoder(*self.settings, self.device())

    def made_from(self, photo: str) -> list[str]:
        return self.photo(photo).identity()

    def encode(self, photo: str) -> Sequence[np.ndarray]:
        return list(self.encoder.encode(self.photo(photo).pixels(), name=photo))


class MapFiles(DescriptorSource):
    """The user's maps, `.npy` files or one HDF5 file."""

    recipe = "files"

    def __init__(self, root: str, category: str) -> None:
        self.root, self.category = root, category

    def made_from(self, photo: str) -> list[str]:
        return [descriptor_files.maps_digest(self.root, self.category, photo)]

    def encode(self, photo: str) -> Sequence[np.ndarray]:
        return list(descriptor_files.read_maps(self.root, self.category, photo))


def open_source(
    kind: str,
    *,
    category: str,
    root: str,
    checkpoint: str,
    model: str,
    grid: int,
    photo: Callable[[str], ImageRecord],
    device: Device,
) -> DescriptorSource:
    """The source that `descriptors.source` names.

    Parameters
    ----------
    kind : `geoaware`, `dinov2`, `dinov3` or `files`.
    root : of the feature files or maps; not read for an encoder.
    checkpoint : post-processor network, or `raw` for none; not read for `files`.
    model, grid : of an encoder.
    photo : the record of a stem, which an encoder reads the photo by.

    Raises
    ------
    InputError : a checkpoint or model that is not there.
    """
    network = None if checkpoint == RAW else Path(checkpoint)
    if kind == "geoaware":
        return GeoAwareFeatures(root, category, network, device)
    if kind == "files":
        return MapFiles(root, category)
    return VitImages(kind, model, grid, network, photo, device)
