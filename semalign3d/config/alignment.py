"""Alignment and matching; defaults chosen on validation images."""

from typing import Literal

from pydantic import Field

from ..alignment.settings import AlignmentSettings, MatchingSettings
from .section import Count, NotNegative, Positive, Section


class Alignment(Section):
    """The prior placed in photos (METHOD.md 10, 1 to 7)."""

    guide: Literal["none", "mask", "box"] = Field(
        "none",
        description="What says where the object lies in a photo that is aligned. none: nothing but "
        "the photo. mask: the photo's mask file, with masks.source files. box: its annotated box.",
    )
    smallest: Positive = Field(
        AlignmentSettings.smallest,
        description="Smallest object searched for, as a factor on the smallest in training photos.",
    )
    largest: Positive = Field(
        AlignmentSettings.largest,
        description="Largest object searched for, as a factor on the largest in training photos.",
    )
    directions: Count = Field(
        AlignmentSettings.directions,
        description="View directions of the search, over the whole sphere.",
    )
    starts: Count = Field(
        AlignmentSettings.starts, description="Best rotations of the search that are refined."
    )
    candidates: Count = Field(
        AlignmentSettings.candidates,
        description="Distinct poses whose keypoints are then refined one by one.",
    )
    free_steps: int = Field(
        AlignmentSettings.free_steps,
        ge=0,
        description="Steps of that refinement; 0 keeps the shape rigid.",
    )
    shape_weight: NotNegative = Field(
        AlignmentSettings.shape_weight, description="Weight of the prior's energy in it."
    )
    reconstruction_weight: NotNegative = Field(
        AlignmentSettings.reconstruction_weight,
        description="Weight of how well the photo's object-like cells are explained.",
    )
    view_weight: NotNegative = Field(
        AlignmentSettings.view_weight,
        description="Weight of how common the view direction is in training photos.",
    )
    focal_spread: Positive = Field(
        AlignmentSettings.focal_spread,
        description="Standard deviation of the log focal length about the training median.",
    )


class Matching(Section):
    """Query points of one photo found in another (METHOD.md 10, 8)."""

    sigma: Positive = Field(
        MatchingSettings.sigma,
        description="Grid cells by which a match may leave the place that geometry gives.",
    )
    pair: NotNegative = Field(
        MatchingSettings.pair,
        description="Weight of the cosine between the descriptors of query and match.",
    )
    window: NotNegative = Field(
        MatchingSettings.window,
        description="Grid cells around the best place that are averaged; 0 for none.",
    )
