"""Where depth comes from: Depth Anything, VGGT, or the user's files."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.records import ImageRecord
from ...files.digest import file_digest
from ..hub import PretrainedModel
from ..sources import Device, MapSource
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

DepthSource = MapSource[ImageRecord, DepthMap]
"""An image's depth, and what comes with it."""


class DepthAnythingImages(DepthSource):
    """Photos through Depth Anything."""

    def __init__(self, model: str, device: Device) -> None:
        self.recipe = depth_model(model).identity()
        self.model, self.device = model, device

    @cached_property
    def network(self) -> DepthAnything:
        return DepthAnything(self.model, self.device())

    def made_from(self, photo: ImageRecord) -> list[Any]:
        return photo.identity()

    def encode(self, photo: ImageRecord) -> DepthMap:
        return DepthMap(self.network.predict(photo.pixels(), name=photo.stem))


class VggtImages(DepthSource):
    """The surroundings of objects through VGGT."""

    def __init__(self, model: str, device: Device) -> None:
        self.recipe = vggt_model(model).identity()
        self.model, self.device = model, device

    @cached_property
    def network(self) -> Vggt:
        return Vggt(self.model, self.device())

    def made_from(self, photo: ImageRecord) -> list[Any]:
        return [*photo.identity(), photo.box]

    def encode(self, photo: ImageRecord) -> DepthMap:
        return self.network.predict(photo.pixels(), photo.box, name=photo.stem)


class DepthFiles(DepthSource):
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

    def made_from(self, photo: ImageRecord) -> list[Any]:
        return [file_digest(path) for path in depth_files(self.root, photo.category, photo.stem)]

    def encode(self, photo: ImageRecord) -> DepthMap:
        place = (self.root, photo.category, photo.stem, (photo.width, photo.height))
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
