"""Settings of bundle refinement (METHOD.md section 7)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BundleSettings:
    """Standard deviations of measurements and priors.

    Attributes
    ----------
    reprojection_sigma : of a keypoint's place in the image, relative to the object's size there.
    depth_sigma : of a keypoint's depth, relative to the object's size.
    degrees : of freedom of the Student t distribution of both, small ones for many outliers.
    offset_spread : of the logarithm of the depth offset, of an image and of the images' centre.
    focal_length, focal_spread : expected focal length in units of the longest side, and the
        standard deviation of its logarithm, likewise.
    max_iterations : of L-BFGS.
    max_uncertainty : keypoints of a larger standard deviation, relative to the object's size, are
        not used.
    """

    reprojection_sigma: float = 0.03
    depth_sigma: float = 0.1
    degrees: float = 4.0
    offset_spread: float = 1.0
    focal_length: float = 1.2
    focal_spread: float = 0.5
    max_iterations: int = 5000
    max_uncertainty: float = 0.1
