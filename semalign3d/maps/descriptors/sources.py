"""Where descriptor maps come from: feature files, an encoder, or the user's maps."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ...errors import InputError
from ...files.digest import file_digest
from ...files.images import read_image
from . import files as descriptor_files
from . import geoaware as descriptors
from . import vit
from .geoaware import RAW

if TYPE_CHECKING:
    import torch

    from .geoaware import DescriptorEncoder
    from .vit import VitEncoder

Device = Callable[[], "torch.device"]
"""Names the device when a network is wanted, so that a job without work imports no torch."""


class DescriptorSource(Protocol):
    """Descriptor maps of the images of one category.

    Attributes
    ----------
    recipe : what makes maps of images or files, for stamps: digest of networks and settings.
    """

    recipe: str

    def made_from(self, stem: str) -> list[str]:
        """Digests of the files behind an image's maps; FileNotFoundError where one is missing."""
        ...

    def encode(self, stem: str) -> Sequence[np.ndarray]:
        """Maps (G, G, C) of the image and its mirror image, each cell of length 1."""
        ...


class GeoAwareFeatures:
    """Feature files of GeoAware-SC, through its post-processor network or `raw`."""

    def __init__(self, root: str, category: str, checkpoint: Path | None, device: Device) -> None:
        self.recipe = descriptors.identity(checkpoint)
        self.folder = Path(root) / category
        self.checkpoint, self.device = checkpoint, device
        self.encoder: DescriptorEncoder | None = None

    def made_from(self, stem: str) -> list[str]:
        return [file_digest(path) for path in descriptors.feature_files(self.folder, stem)]

    def encode(self, stem: str) -> Sequence[np.ndarray]:
        if self.encoder is None:
            self.encoder = descriptors.DescriptorEncoder(self.checkpoint, self.device())
        return [self._map(self.encoder, stem, mirrored) for mirrored in (False, True)]

    def _map(self, encoder: "DescriptorEncoder", stem: str, mirrored: bool) -> np.ndarray:
        """The map of one view; values that are not finite are looked for where it is not.

        The checks have looked at all values, but a file may have changed since.
        """
        features = descriptors.read_features(self.folder, stem, mirrored=mirrored, finite=False)
        try:
            return encoder.encode(features, f"features of {stem} in {self.folder}")
        except InputError:
            descriptors.read_features(self.folder, stem, mirrored=mirrored)
            raise


class VitImages:
    """Photos through DINOv2 or DINOv3."""

    def __init__(
        self,
        kind: str,
        model: str,
        grid: int,
        checkpoint: Path | None,
        image_path: Callable[[str], Path],
        device: Device,
    ) -> None:
        self.recipe = vit.identity(model, grid, checkpoint)
        self.settings = (kind, model, grid, checkpoint)
        self.image_path, self.device = image_path, device
        self.encoder: VitEncoder | None = None

    def made_from(self, stem: str) -> list[str]:
        return [file_digest(self.image_path(stem))]

    def encode(self, stem: str) -> Sequence[np.ndarray]:
        if self.encoder is None:
            self.encoder = vit.VitEncoder(*self.settings, self.device())
        return list(self.encoder.encode(read_image(self.image_path(stem)), name=stem))


class MapFiles:
    """The user's maps, `.npy` files or one HDF5 file."""

    recipe = "files"

    def __init__(self, root: str, category: str) -> None:
        self.root, self.category = root, category

    def made_from(self, stem: str) -> list[str]:
        return [descriptor_files.maps_digest(self.root, self.category, stem)]

    def encode(self, stem: str) -> Sequence[np.ndarray]:
        return list(descriptor_files.read_maps(self.root, self.category, stem))


def open_source(
    kind: str,
    *,
    category: str,
    root: str,
    checkpoint: str,
    model: str,
    grid: int,
    image_path: Callable[[str], Path],
    device: Device,
) -> DescriptorSource:
    """The source that `descriptors.source` names.

    Parameters
    ----------
    kind : `geoaware`, `dinov2`, `dinov3` or `files`.
    root : of the feature files or maps; not read for an encoder.
    checkpoint : post-processor network, or `raw` for none; not read for `files`.
    model, grid : of an encoder.
    image_path : the photo of a stem.

    Raises
    ------
    InputError : a checkpoint or model that is not there.
    """
    network = None if checkpoint == RAW else Path(checkpoint)
    if kind == "geoaware":
        return GeoAwareFeatures(root, category, network, device)
    if kind == "files":
        return MapFiles(root, category)
    return VitImages(kind, model, grid, network, image_path, device)
