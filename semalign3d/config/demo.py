"""The built-in demo."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .section import Section

Category = Literal["chair", "aeroplane", "bottle"]


def distinct(categories: list[Category]) -> list[Category]:
    """Refuse repeated categories, and none."""
    if not categories or len(set(categories)) < len(categories):
        raise ValueError("expected at least one category, and each at most once")
    return categories


class DemoImages(Section):
    """Images of each category."""

    trn: int = Field(24, ge=4, le=700, description="Training images.")
    val: int = Field(6, ge=2, le=100, description="Validation images.")
    test: int = Field(10, ge=2, le=200, description="Test images.")


class Demo(Section):
    """The built-in demo; only read where dataset.name is demo."""

    categories: Annotated[list[Category], AfterValidator(distinct)] = Field(
        ["chair", "aeroplane"],
        description="Of chair, aeroplane and bottle. Use bottle with config/demo-files.yaml: the "
        "demo's depth network was not trained on bottles.",
    )
    images: DemoImages = DemoImages()
