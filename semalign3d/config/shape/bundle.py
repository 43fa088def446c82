"""Bundle refinement."""

from pydantic import Field

from ...shape.bundle.settings import BundleSettings
from ..section import Positive, Section


class Bundle(Section):
    """Refinement of shape, poses, focal lengths and depth together (METHOD.md 7)."""

    enabled: bool = Field(
        True, description="false: later stages take the sparse prior and the first cameras."
    )
    reprojection_sigma: Positive = Field(
        BundleSettings.reprojection_sigma,
        description="Standard deviation of a keypoint in the photo from the prior's, in units of "
        "the object's size there: annotation error, and instances that differ from the mean.",
    )
    depth_sigma: Positive = Field(
        BundleSettings.depth_sigma,
        description="The same of its depth, in units of the object's size.",
    )
    max_uncertainty: Positive = Field(
        BundleSettings.max_uncertainty,
        description="Keypoints of a larger standard deviation, in units of the object's size, are "
        "left out.",
    )
    suspicious: Positive = Field(
        5.0,
        description="Annotations further from the prior than this many typical deviations are "
        "listed.",
    )
