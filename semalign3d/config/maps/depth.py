"""Monocular depth."""

from typing import Literal

from pydantic import Field

from ..section import Path, Section


class Depth(Section):
    """Relative inverse depth of the training photos (METHOD.md 3)."""

    source: Literal["depth_anything", "vggt", "files"] = Field(
        "depth_anything",
        description="depth_anything: through transformers. vggt: Meta's package. files: your own.",
    )
    model: Path = Field(
        None,
        description="Hub id or local folder. Null: depth-anything/Depth-Anything-V2-Large-hf (the "
        "demo's own for the demo), facebook/VGGT-1B.",
    )
    root: Path = Field(
        None,
        description="files: folder of <category>/<stem>_depth.npy (relative inverse depth, H x W) "
        "and, if known, <stem>_intrinsics.npy (3 x 3 camera matrix in pixels; no focal length is "
        "searched then).",
    )
    metric: bool | None = Field(
        None,
        description="files: true if they hold 1 / depth in any unit, so that no offset is "
        "searched. Null or false if the inverse depth has an unknown offset.",
    )
