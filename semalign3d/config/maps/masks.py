"""Object masks."""

from typing import Literal

from pydantic import Field

from ..section import Path, Section


class Masks(Section):
    """Object masks of the training photos (METHOD.md 2)."""

    source: Literal["sam", "files"] = Field(
        "sam", description="sam: segment-anything, prompted by the keypoints. files: your own."
    )
    model_type: Literal["vit_h", "vit_l", "vit_b", "vit_demo"] | None = Field(
        None, description="Of SAM. Null: vit_h; vit_demo for the demo."
    )
    checkpoint: Path = Field(
        None, description="SAM's checkpoint of that type. Null: the demo's own, demo only."
    )
    root: Path = Field(
        None,
        description="files: folder of <category>/<stem>_masks.npy (3 x H x W, whole object last) "
        "or <category>/<stem>.png. A folder named Segmentation holds SPair-71k's class maps.",
    )
    candidate: Literal["whole", "best", "agree"] = Field(
        "whole",
        description="Which of SAM's candidates is the object. whole: the third. best: the highest "
        "score. agree: covers most keypoints and fits the annotated box best.",
    )
