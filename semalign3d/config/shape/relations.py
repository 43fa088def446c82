"""Relations between keypoints."""

from pydantic import Field

from ..section import Count, Section


class Relations(Section):
    """Beta distributions of angles and length ratios (METHOD.md 6)."""

    min_images: Count = Field(4, description="Photos that must see a relation, or it is dropped.")
