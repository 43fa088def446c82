"""Points of a prior, and where training views see them (METHOD.md section 10, 2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from semalign3d.geometry.cameras import check_mirror, mirror_keypoints, mirror_pixels, mirror_points
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.geometry.plane import Plane
from semalign3d.geometry.subsets import farthest_points
from semalign3d.limits import MIN_KEYPOINTS
from semalign3d.shape.dense.warp import Anchoring, corners_of


@dataclass(frozen=True)
class Following:
    """How n points follow k keypoints, and gradients go back.

    Attributes
    ----------
    weights : (n, k) of the keypoints; of keypoints in a plane (n, k + 1), the normal's last.
    plane : of keypoints in a plane, None for others.
    """

    weights: np.ndarray
    plane: Plane | None = None

    def corners(self, keypoints: np.ndarray) -> np.ndarray:
        """What the weights belong to: keypoints (..., k, 3) and, in a plane, its normal."""
        return corners_of(keypoints, self.plane)

    def to_keypoints(self, keypoints: np.ndarray, by_corners: np.ndarray) -> np.ndarray:
        """Gradients (..., k, 3) by the keypoints, from those by the corners."""
        if self.plane is None:
            return by_corners
        return by_corners[..., :-1, :] + self.plane.slopes(keypoints, by_corners[..., -1, :])


@dataclass(frozen=True)
class PriorPoints:
    """Keypoints of a prior and the n points that follow them.

    Attributes
    ----------
    keypoints : (K, 3) in the prior's frame; NaN where not used.
    keypoint : (n,) int64, the id of the keypoint that a point is; -1 for surface points.
    weights : (n, K) with which points follow keypoints; each row adds up to 1, 0 where not used.
        Of keypoints in a plane (n, K + 1): the last is the weight of the plane's normal.
    plane : of keypoints in a plane, None for others.
    """

    keypoints: np.ndarray
    keypoint: np.ndarray
    weights: np.ndarray
    plane: Plane | None = None

    @property
    def used(self) -> np.ndarray:
        """(K,) bool: keypoints that have a place."""
        return np.isfinite(self.keypoints).all(axis=1)

    def rows_of_keypoints(self) -> np.ndarray:
        """(k,) numbers of the points that are the used keypoints, in the order of ids."""
        rows = np.flatnonzero(self.keypoint >= 0)
        return rows[np.argsort(self.keypoint[rows], kind="stable")]

    def spread_out(self, count: int) -> np.ndarray:
        """Numbers of `count` surface points, each the furthest from those before it."""
        rows = np.flatnonzero(self.keypoint < 0)
        places = self.follow(self.keypoints)[rows]
        return np.sort(rows[farthest_points(places, count, places[:0])])

    def follow(self, keypoints: np.ndarray) -> np.ndarray:
        """Places (..., n, 3) of the points for keypoints (..., K, 3); unused ones may be NaN."""
        return self.weights @ corners_of(np.where(self.used[:, None], keypoints, 0.0), self.plane)

    def following_used(self) -> Following:
        """How the points follow the used keypoints alone."""
        used = self.used
        if self.plane is None:
            return Following(self.weights[:, used])
        return Following(self.weights[:, np.append(used, True)], self.plane.of(used))


def prior_points(keypoints: np.ndarray, keypoint: np.ndarray, places: Anchoring) -> PriorPoints:
    """Keypoints (K, 3), NaN where not used, and n points: which they are (n,), where they lie."""
    weights = np.zeros((len(keypoint), len(keypoints) + (places.plane is not None)))
    shares = places.weights[..., None] * places.barycentric
    np.add.at(weights, (np.arange(len(weights))[:, None, None], places.tetrahedra), shares)
    return PriorPoints(keypoints, keypoint, weights, places.plane)


@dataclass(frozen=True)
class TrainingView:
    """What a training image, or its mirror image, tells about where the object's points are.

    Attributes
    ----------
    size : (W, H) pixels.
    p : inverse focal length, f in units of the longest side.
    keypoints_px : (K, 2) pixels, NaN where not seen.
    keypoints_xyz : (K, 3) camera coordinates, NaN where not seen.
    pixels : (m, 2) sampled pixels of the object.
    xyz : (m, 3) their camera coordinates.
    """

    size: tuple[int, int]
    p: float
    keypoints_px: np.ndarray
    keypoints_xyz: np.ndarray
    pixels: np.ndarray
    xyz: np.ndarray


@dataclass(frozen=True)
class Placement:
    """The prior in a training view.

    Attributes
    ----------
    keypoints : (K, 3) camera coordinates: the view's own where seen, the prior's otherwise.
    scale : length of the prior's unit in camera coordinates.
    direction : (3,) unit vector from the object to the camera, in the prior's frame.
    rotation : (3, 3) from the prior's frame to the camera's.
    extent : the prior's unit in the image, in units of the longest side.
    """

    keypoints: np.ndarray
    scale: float
    direction: np.ndarray
    rotation: np.ndarray
    extent: float


def mirrored_view(view: TrainingView, mirror: np.ndarray) -> TrainingView:
    """The same of the mirror image, in which keypoint i is seen as mirror[i]."""
    table = check_mirror(mirror)
    return replace(
        view,
        keypoints_px=mirror_pixels(view.keypoints_px, view.size[0])[table],
        keypoints_xyz=mirror_keypoints(view.keypoints_xyz, table),
        pixels=mirror_pixels(view.pixels, view.size[0]),
        xyz=mirror_points(view.xyz),
    )


def place_view(points: PriorPoints, view: TrainingView) -> Placement | None:
    """The prior in a view, by the keypoints that it shows; None if it shows fewer than 4."""
    seen = np.isfinite(view.keypoints_xyz).all(axis=1) & points.used
    if seen.sum() < MIN_KEYPOINTS or len(view.xyz) == 0:
        return None
    pose = similarity_procrustes(points.keypoints[seen], view.keypoints_xyz[seen])
    keypoints = np.where(seen[:, None], view.keypoints_xyz, pose.apply(points.keypoints))
    away = -pose.rotation.T @ pose.translation
    return Placement(
        keypoints,
        pose.scale,
        away / np.linalg.norm(away),
        pose.rotation,
        pose.scale / (float(pose.translation[2]) * view.p),
    )
