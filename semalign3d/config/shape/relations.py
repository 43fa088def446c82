"""Relations between keypoints."""

from pydantic import Field

from ..section import Count, Section


class Relations(Section):
    """Beta distributions of angles and length ratios (METHOD.md 6)."""

    min_images: Count = Field(4, description="Photos that must see a relation, or it is dropped.")
    budget: Count = Field(
        8192,
        description="Edge pairs, and triangles, that are fitted at most, evenly chosen. 14 "
        "keypoints have 4,095 and 4,004, 25 have 44,850 and 50,600.",
    )
