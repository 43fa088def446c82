"""Where depth comes from: Depth Anything, VGGT, or the user's files."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ...datasets.records import ImageRecord
from ...files.digest import file_digest
from ...files.images import read_image
from ..hub import PretrainedModel
from .depth_anything import (
    DepthAnything,
    DepthMap,
    depth_file,
    depth_model,
    intrinsics_file,
    read_depth_file,
    read_intrinsics_file,
)
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

    def depth(self, record: ImageRecord) -> DepthMap:
        """An image's depth, and what comes with it."""
        ...


class DepthAnythingImages:
    """Photos through Depth Anything."""

    def __init__(self, model: str, device: Device) -> None:
        self.recipe = depth_model(model).identity()
        self.model, self.device = model, device
        self.network: DepthAnything | None = None

    def made_from(self, record: ImageRecord) -> list[object]:
        return [file_digest(record.path)]

    def depth(self, record: ImageRecord) -> DepthMap:
        if self.network is None:
            self.network = DepthAnything(self.model, self.device())
        return DepthMap(self.network.predict(read_image(record.path), name=record.stem))


class VggtImages:
    """The surroundings of objects through VGGT."""

    def __init__(self, model: str, device: Device) -> None:
        self.recipe = vggt_model(model).identity()
        self.model, self.device = model, device
        self.network: Vggt | None = None

    def made_from(self, record: ImageRecord) -> list[object]:
        return [file_digest(record.path), record.box]

    def depth(self, record: ImageRecord) -> DepthMap:
        if self.network is None:
            self.network = Vggt(self.model, self.device())
        return self.network.predict(read_image(record.path), record.box, name=record.stem)


class DepthFiles:
    """The user's `<root>/<category>/<stem>_depth.npy`, and `<stem>_intrinsics.npy` beside it.

    Parameters
    ----------
    root : of the files.
    metric : whether they hold the inverse of depth up to a factor, without offset.
    """

    def __init__(self, root: str | Path, *, metric: bool = False) -> None:
        self.recipe = "files of metric depth" if metric else "files"
        self.root = root
        self.offset = 0.0 if metric else np.nan

    def made_from(self, record: ImageRecord) -> list[object]:
        return [file_digest(path) for path in depth_files(self.root, record.category, record.stem)]

    def depth(self, record: ImageRecord) -> DepthMap:
        place = (self.root, record.category, record.stem, (record.width, record.height))
        return DepthMap(
            read_depth_file(*place), intrinsics=read_intrinsics_file(*place), offset=self.offset
        )


def depth_files(root: str | Path, category: str, stem: str) -> list[Path]:
    """The user's files of an image: its depth, and its intrinsics if there are any."""
    intrinsics = intrinsics_file(root, category, stem)
    return [depth_file(root, category, stem), *([intrinsics] if intrinsics.exists() else [])]


def network_model(kind: str, model: str) -> PretrainedModel:
    """The network that `depth.source` and `depth.model` name."""
    return vggt_model(model) if kind == "vggt" else depth_model(model)


def open_depth(kind: str, source: str, device: Device, *, metric: bool = False) -> DepthSource:
    """The source that `depth.source` names: `depth_anything`, `vggt` or `files`.

    Parameters
    ----------
    source : the model, or the root of the files.
    metric : of `files`, see `DepthFiles`; networks know what they give.
    """
    if kind == "files":
        return DepthFiles(source, metric=metric)
    return VggtImages(source, device) if kind == "vggt" else DepthAnythingImages(source, device)
