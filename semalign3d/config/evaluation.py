"""Evaluation on test pairs."""

from typing import Annotated

from pydantic import AfterValidator, Field

from .section import Count, Positive, Section


def distinct(alphas: list[float]) -> list[float]:
    """Refuse repeated values, and none."""
    if not alphas or len(set(alphas)) < len(alphas):
        raise ValueError("expected at least one value, and each at most once")
    return alphas


class Evaluation(Section):
    """Matches of the test pairs (METHOD.md 11)."""

    alphas: Annotated[list[Positive], AfterValidator(distinct)] = Field(
        [0.1, 0.05, 0.01],
        description="A match is right within alpha times the longer side of the object's box.",
    )
    resamples: Count = Field(
        2000, description="Bootstrap resamples of the images, for the 95 % intervals."
    )
    shown_pairs: Count = Field(6, description="Pairs in the sheet of matches.")
