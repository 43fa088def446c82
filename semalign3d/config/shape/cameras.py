"""Cameras and object points."""

from pydantic import Field

from ..section import Count, Section


class Cameras(Section):
    """Focal lengths and back-projection (METHOD.md 3 to 5)."""

    erosion_size: Count = Field(
        2,
        description="Side in pixels of the square that erodes the mask before keypoints are moved "
        "onto it and points are sampled inside it.",
    )
    erosion_iterations: int = Field(2, ge=0, description="How often the mask is eroded.")


class Points(Section):
    """Object points of the training photos (METHOD.md 8)."""

    per_image: Count = Field(
        2000, description="Object pixels sampled and back-projected in each photo."
    )
