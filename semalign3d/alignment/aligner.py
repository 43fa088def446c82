"""Alignment of photos with a prior, one after the other (METHOD.md section 10, 1 to 7)."""

from dataclasses import asdict

import numpy as np

from semalign3d.alignment.alignment import Alignment, AlignmentEnergy
from semalign3d.alignment.free import FreeEvidence, FreeRefinement, FreeResult
from semalign3d.alignment.likelihood import point_likelihood
from semalign3d.alignment.photo import Photo, read_photo
from semalign3d.alignment.pose import Poses
from semalign3d.alignment.rigid import Camera, distinct_poses, refine_rigid
from semalign3d.alignment.search import search_grid, search_poses
from semalign3d.alignment.settings import AlignmentSettings
from semalign3d.alignment.statistics import AlignmentStatistics
from semalign3d.alignment.views import PriorPoints
from semalign3d.alignment.visibility import Visibility
from semalign3d.digest import values_digest
from semalign3d.geometry.cameras import Size, project
from semalign3d.geometry.frames import similarity_procrustes
from semalign3d.geometry.grid import image_centre_cell
from semalign3d.geometry.shapes import require_finite, require_shape
from semalign3d.prior.energy import ShapeEnergy
from semalign3d.prior.relations import Relations

_SEARCH_SIGMA = 1.5
_RIGID_SIGMAS = (2.5, 1.8, 1.2)
_FREE_SIGMAS = (0.8, 0.5)
"""Blur of the likelihoods in cells: coarse where poses are far off, fine at the end."""
_HIDDEN = 0.3
"""Share of a point's likelihood in the search that does not look at the photo: it may be hidden."""


class Aligner:
    """Places a prior in photos; holds what does not depend on the photo.

    Parameters
    ----------
    points : keypoints of the prior and the n points that follow them.
    relations : of the K keypoints.
    statistics : of the n points on training images.
    settings : see `AlignmentSettings`.
    """

    def __init__(
        self,
        points: PriorPoints,
        relations: Relations,
        statistics: AlignmentStatistics,
        settings: AlignmentSettings,
    ) -> None:
        self._points = points
        self._statistics = statistics
        self._settings = settings
        self._digest = values_digest(**asdict(settings))
        self._likelihood = point_likelihood(statistics, points.keypoint)
        self._visibility = Visibility(statistics.directions, statistics.visible)
        self._shape = ShapeEnergy(relations, points.used)
        self._shown = points.keypoints[points.used]
        self._keypoint_rows = points.rows_of_keypoints()
        self._surface_rows = points.spread_out(settings.dense_points)
        extents = np.geomspace(
            settings.smallest * statistics.extents.min(),
            settings.largest * statistics.extents.max(),
            settings.scales,
        )
        self._search = search_grid(
            settings.directions, settings.rolls, extents, statistics.focal_length
        )

    def __call__(self, descriptors: np.ndarray, size: Size) -> Alignment:
        """Place the prior in a photo.

        Parameters
        ----------
        descriptors : (G, G, C) map of the photo, of any positive lengths.
        size : (W, H) of the photo in pixels.

        Raises
        ------
        ValueError : another number of channels than the prior's, or values that are not finite.
        """
        grid, settings = len(descriptors), self._settings
        mean = self._statistics.mean_descriptor
        require_shape("descriptors", descriptors, (grid, grid, len(mean)))
        require_finite("descriptors", descriptors)
        photo = read_photo(
            descriptors,
            size,
            mean,
            self._likelihood,
            standardise=settings.standardise,
            outside=settings.outside,
        )
        camera = Camera(
            image_centre_cell(size, grid),
            grid,
            self._statistics.focal_length,
            settings.focal_spread,
        )
        poses = self._rigid(self._searched(photo, camera), photo, camera)
        return self._alignment(self._free(poses, photo, camera), photo, size)

    def _searched(self, photo: Photo, camera: Camera) -> Poses:
        """Poses to start from."""
        (fields,) = photo.fields(self._keypoint_rows, (_SEARCH_SIGMA,))
        return search_poses(
            np.log(_HIDDEN + (1.0 - _HIDDEN) * fields.unframed()),
            float(np.log(_HIDDEN + (1.0 - _HIDDEN) * photo.outside)),
            self._shown,
            self._search,
            camera.origin,
            self._settings.starts,
        )

    def _rigid(self, poses: Poses, photo: Photo, camera: Camera) -> Poses:
        """The best distinct poses after the rigid refinement."""
        refined, _ = refine_rigid(
            poses,
            self._shown,
            photo.fields(self._keypoint_rows, _RIGID_SIGMAS),
            camera,
            self._visibility.take(self._keypoint_rows),
            self._settings.rigid_steps,
        )
        return refined.take(distinct_poses(refined, self._settings.candidates))

    def _free(self, poses: Poses, photo: Photo, camera: Camera) -> FreeResult:
        """Deformed keypoints in each of the poses."""
        seen = self._visibility(poses.directions())

        def evidence(rows: np.ndarray, weight: float) -> FreeEvidence:
            follow = self._points.weights[rows][:, self._points.used]
            return FreeEvidence(photo.fields(rows, _FREE_SIGMAS), follow, seen[:, rows], weight)

        refinement = FreeRefinement(
            camera,
            evidence(self._keypoint_rows, 1.0),
            evidence(self._surface_rows, self._settings.dense_weight),
            self._shape,
            self._points.used,
            self._settings.shape_weight,
        )
        return refinement.run(poses, self._shown, self._settings.free_steps)

    def _alignment(self, result: FreeResult, photo: Photo, size: Size) -> Alignment:
        """The best of the refined poses."""
        total = result.keypoints + result.shape + result.focal
        order = np.argsort(total, kind="stable")
        best = order[0]
        p = float(np.exp(-result.poses.log_focal[best]))
        used = self._points.used
        keypoints = np.full((len(used), 3), np.nan)
        keypoints[used] = result.turned[best] + result.poses.translation()[best]
        pose = similarity_procrustes(self._shown, keypoints[used])
        dense = self._points.follow(keypoints)
        dense_px = project(dense, size, p)
        away = -pose.rotation.T @ pose.translation
        seen = self._visibility((away / np.linalg.norm(away))[None])[0]
        seen = np.where(_in_image(dense_px, size), seen, 0.0)
        visibility = np.zeros(len(used))
        visibility[used] = seen[self._keypoint_rows]
        return Alignment(
            rotation=pose.rotation,
            translation=pose.translation,
            scale=pose.scale,
            p=p,
            keypoints_xyz=keypoints,
            keypoints_px=project(keypoints, size, p),
            visibility=visibility,
            dense_xyz=dense,
            dense_px=dense_px,
            dense_visibility=seen,
            spread=photo.spread,
            energy=AlignmentEnergy(
                float(result.keypoints[best]),
                float(result.surface[best]),
                float(result.shape[best]),
                float(result.focal[best]),
            ),
            margin=float(total[order[1]] - total[best]) if len(order) > 1 else float("inf"),
            image_size=np.array(size, dtype=np.int64),
            digest=self._digest,
        )


def _in_image(pixels: np.ndarray, size: Size) -> np.ndarray:
    """(n,) bool: pixels (n, 2) inside an image; NaN is outside."""
    return np.asarray(((pixels > -0.5) & (pixels < np.array(size) - 0.5)).all(axis=1))
