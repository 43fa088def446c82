"""The dataset: photos and annotations."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from ..limits import MAX_MEGAPIXELS
from .section import Path, Positive, Section

Split = Literal["trn", "val", "test"]
Share = Annotated[float, Field(ge=0, lt=1)]
Keypoint = Annotated[str, Field(min_length=1)] | Annotated[int, Field(ge=0)]
MirrorEntry = Keypoint | Annotated[list[Keypoint], Field(min_length=2, max_length=2)]


def with_training(splits: list[Split]) -> list[Split]:
    """Refuse repeated splits, and a list without training images."""
    if "trn" not in splits or len(set(splits)) < len(splits):
        raise ValueError("expected trn, and each split at most once")
    return splits


def distinct(names: list[str]) -> list[str]:
    """Refuse empty and repeated names."""
    if not all(names) or len(set(names)) < len(names):
        raise ValueError("expected file names, each once")
    return names


Chosen = Share | Annotated[list[str], AfterValidator(distinct)] | None


class Dataset(Section):
    """The photos and their annotations."""

    name: Literal["demo", "spair-71k", "ap-10k", "pf-pascal", "coco"] = Field(
        "demo", description="The layout. demo: the pipeline makes the photos itself."
    )
    root: Path = Field(
        None,
        description="Folder of the dataset; for coco, of the photos. Null for demo: results/demo.",
    )
    splits: Annotated[list[Split], AfterValidator(with_training)] = Field(
        ["trn", "val", "test"],
        description="Splits whose features are checked. [trn] is enough for a prior.",
    )
    annotations: Path = Field(
        None,
        description="coco: the COCO-keypoint JSON file, as CVAT, Label Studio and COCO Annotator "
        "export it.",
    )
    val: Chosen = Field(
        None,
        description="coco: validation images. A share, drawn with runtime.seed, or a list of file "
        "names. Null: 0.1.",
    )
    test: Chosen = Field(None, description="coco: test images, in the same form. Null: 0.2.")
    mirror: Literal["none"] | list[MirrorEntry] | None = Field(
        None,
        description="coco: keypoints that swap in a mirror image, by name (a text) or id (a number "
        "from 0), such as [[left_ear, right_ear], [3, 4]]; one alone stays; [] if none swap. Null: "
        "taken from names with left and right. none: the object is not symmetric, so mirror "
        "images are not used.",
    )
    hidden: bool | None = Field(
        None,
        description="coco, ap-10k: use keypoints labelled as hidden (v = 1). Null: true for "
        "ap-10k, as in its benchmark; false for coco.",
    )
    exif: Literal["auto", "stored", "turned"] = Field(
        "auto",
        description="How photos were labelled that their EXIF data turn in viewers. auto: as the "
        "annotated size says; where it fits both ways, as stored, with a warning.",
    )
    max_megapixels: Positive = Field(
        MAX_MEGAPIXELS, description="Larger photos are refused: memory grows with them."
    )
    partition: Literal[1, 2, 3] | None = Field(
        None, description="ap-10k: the official partition. Null: 1."
    )
