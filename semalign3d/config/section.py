"""What all sections of the configuration share."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section: unknown keys are refused, values keep the type that YAML gives them."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Path = Annotated[str, Field(min_length=1)] | None
"""A path, hub id or name; null where it follows from other settings."""
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
