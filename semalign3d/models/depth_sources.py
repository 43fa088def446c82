"""Where depth comes from: Depth Anything, VGGT, or the user's files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ..datasets.records import ImageRecord
from ..digest import file_digest
from ..images import read_image
from .depth import DepthAnything, depth_file, depth_model, read_depth_file
from .hub import PretrainedModel
from .vggt import Vggt, vggt_model

if TYPE_CHECKING:
    import torch

Device = Callable[[], "torch.device"]


class DepthSource(Protocol):
    """Depth of the images of one category.

    Attributes
    ----------
    recipe : what makes depth of images or files, for stamps.
    """

    recipe: str

    def made_from(self, record: ImageRecord) -> list[object]:
        """Digests and numbers behind an image's depth."""
        ...

    def arrays(self, record: ImageRecord) -> dict[str, np.ndarray]:
        """`depth` (H, W), relative inverse depth; VGGT also `confidence` and `intrinsics`."""
        ...


class DepthAnythingImages:
    """Photos through Depth Anything."""

    def __init__(self, model: str, device: Device) -> None:
        self.recipe = depth_model(model).identity()
        self.model, self.device = model, device
        self.network: DepthAnything | None = None

    def made_from(self, record: ImageRecord) -> list[object]:
        return [file_digest(record.path)]

    def arrays(self, record: ImageRecord) -> dict[str, np.ndarray]:
        if self.network is None:
            self.network = DepthAnything(self.model, self.device())
        return {"depth": self.network.predict(read_image(record.path), name=record.stem)}


class VggtImages:
    """The surroundings of objects through VGGT."""

    def __init__(self, model: str, device: Device) -> None:
        self.recipe = vggt_model(model).identity()
        self.model, self.device = model, device
        self.network: Vggt | None = None

    def made_from(self, record: ImageRecord) -> list[object]:
        return [file_digest(record.path), record.box]

    def arrays(self, record: ImageRecord) -> dict[str, np.ndarray]:
        if self.network is None:
            self.network = Vggt(self.model, self.device())
        view = self.network.predict(read_image(record.path), record.box, name=record.stem)
        return {
            "depth": view.inverse_depth,
            "confidence": view.confidence,
            "intrinsics": view.intrinsics,
        }


class DepthFiles:
    """The user's `<root>/<category>/<stem>_depth.npy`."""

    recipe = "files"

    def __init__(self, root: str | Path) -> None:
        self.root = root

    def made_from(self, record: ImageRecord) -> list[object]:
        return [file_digest(depth_file(self.root, record.category, record.stem))]

    def arrays(self, record: ImageRecord) -> dict[str, np.ndarray]:
        size = (record.width, record.height)
        return {"depth": read_depth_file(self.root, record.category, record.stem, size)}


def network_model(kind: str, model: str) -> PretrainedModel:
    """The network that `depth.source` and `depth.model` name."""
    return vggt_model(model) if kind == "vggt" else depth_model(model)


def open_depth(kind: str, source: str, device: Device) -> DepthSource:
    """The source that `depth.source` names: `depth_anything`, `vggt` or `files`.

    Parameters
    ----------
    source : the model, or the root of the files.
    """
    if kind == "files":
        return DepthFiles(source)
    return VggtImages(source, device) if kind == "vggt" else DepthAnythingImages(source, device)
