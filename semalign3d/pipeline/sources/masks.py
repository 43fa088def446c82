"""Where masks come from: SAM, or files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from snakemake.exceptions import WorkflowError

from ...maps.masks.sam import mask_file
from .paths import SourcePaths

if TYPE_CHECKING:
    from ...config.maps.masks import Masks

CHECKPOINTS = "https://github.com/facebookresearch/segment-anything#model-checkpoints"


class MaskSource:
    """The source of masks that the configuration chooses.

    Attributes
    ----------
    by_sam : whether SAM makes them.
    model_type : of SAM; empty for files.
    path : SAM's checkpoint, or the folder of the files.
    warnings : of keys that play no part.
    """

    def __init__(self, section: Masks, paths: SourcePaths, demo_root: str, networks: Path) -> None:
        self._paths = paths
        self._demo_root = f"{demo_root}/masks"
        self.by_sam = section.source == "sam"
        default = "vit_demo" if paths.is_demo else "vit_h"
        self.model_type = (section.model_type or default) if self.by_sam else ""
        self._key = "masks.checkpoint" if self.by_sam else "masks.root"
        if self.by_sam:
            self.warnings = paths.unused("masks", "root")
            self.path = paths.find(
                self._key,
                str(networks / "sam_demo.pth"),
                f"run the target fetch_models, or download the {self.model_type} checkpoint from "
                f"{CHECKPOINTS} and give its path (or set masks.source to files).",
            )
        else:
            self.warnings = paths.unused("masks", "model_type", "checkpoint")
            self.path = paths.find(
                self._key,
                self._demo_root,
                "masks.source is files, so give the folder that holds "
                "<category>/<stem>_masks.npy or <category>/<stem>.png (or SPair-71k's "
                "Segmentation).",
            )

    def inputs(self, category: str, stems: list[str]) -> list[str]:
        """SAM's checkpoint, or the images' mask files; the demo's also before they are made.

        Raises
        ------
        WorkflowError : the path is not set or missing, or masks are missing (lists all).
        """
        self._paths.require(self._key)
        if self.by_sam:
            return [self.path]
        if self._paths.is_demo and self.path == self._demo_root:
            return [f"{self.path}/{category}/{stem}.png" for stem in stems]
        files = [mask_file(self.path, category, stem) for stem in stems]
        missing = [_missing(path) for path in files if not path.is_file()]
        if missing:
            raise WorkflowError(f"masks.root: {len(missing)} masks are missing:", *missing)
        return [str(path) for path in files]

    def guides(self, category: str, stems: list[str]) -> list[str]:
        """The mask files of images that are to be aligned, where masks guide the alignment.

        Raises
        ------
        WorkflowError : masks come from SAM; see also `inputs`.
        """
        if self.by_sam:
            raise WorkflowError(
                "alignment.guide is mask, but masks.source is sam: SAM finds the object by its "
                "annotated keypoints, which a photo to be aligned does not have. Set masks.source "
                "to files, or alignment.guide to box or none."
            )
        return self.inputs(category, stems)

    def checkpoint(self) -> str:
        """Where SAM's checkpoint is or belongs; empty for files."""
        if self.by_sam and not self.path:
            self._paths.require(self._key)
        return self.path if self.by_sam else ""


def _missing(path: Path) -> str:
    if path.suffix != ".npy":
        return f"{path} does not exist"
    picture = path.with_name(path.name.replace("_masks.npy", ".png"))
    return f"neither {path} nor {picture} exists"
