"""Dense fusion."""

from pydantic import Field

from ..section import Count, Positive, Section


class Dense(Section):
    """The dense prior (METHOD.md 8)."""

    fused: Count = Field(
        60000, description="Most object points of all photos and mirror images together."
    )
    points: Count = Field(1000, description="Points of the dense prior, besides the keypoints.")
    outliers: Positive = Field(
        3.0,
        description="Points this many times as sparse as their neighbours and the median point are "
        "dropped; a third of it where photos show them outside the object.",
    )
    smoothing: Positive = Field(
        0.03,
        description="Radius of the smoothing of the surface, in units of the keypoints' "
        "bounding-box diagonal.",
    )
