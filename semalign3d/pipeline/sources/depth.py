"""Where depth comes from: Depth Anything, VGGT, or files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...maps.depth.sources import depth_files
from ...maps.depth.vggt import DEFAULT_MODEL as VGGT_MODEL
from .paths import SourcePaths

if TYPE_CHECKING:
    from ...config.maps.depth import Depth

DEPTH_ANYTHING_MODEL = "depth-anything/Depth-Anything-V2-Large-hf"


class DepthSource:
    """The source of depth that the configuration chooses.

    Attributes
    ----------
    kind : depth_anything, vggt or files.
    by_network : whether a network makes it.
    path : hub id or folder of the network, or the folder of the files.
    warnings : of keys that play no part.
    """

    def __init__(self, section: Depth, paths: SourcePaths, demo_root: str, networks: Path) -> None:
        self._paths = paths
        self.kind = section.source
        self.by_network = section.source != "files"
        if self.by_network:
            self.warnings = paths.unused("depth", "root", "metric")
            local = str(networks / "depth") if paths.is_demo else DEPTH_ANYTHING_MODEL
            self.path = section.model or (VGGT_MODEL if section.source == "vggt" else local)
        else:
            self.warnings = paths.unused("depth", "model")
            self.path = paths.find(
                "depth.root",
                f"{demo_root}/depth",
                "depth.source is files, so give the folder that holds "
                "<category>/<stem>_depth.npy (or set depth.source to depth_anything).",
            )

    def inputs(self, category: str, stems: list[str]) -> list[str]:
        """The depth and intrinsics files, or the network's where it lies in a local folder.

        Raises
        ------
        WorkflowError : the folder is not set or missing.
        """
        self._paths.require("depth.root")
        if not self.by_network:
            return [str(f) for stem in stems for f in depth_files(self.path, category, stem)]
        return sorted(map(str, Path(self.path).glob("*.safetensors")))
