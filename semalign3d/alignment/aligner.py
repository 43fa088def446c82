"""Alignment of photos with a prior, one after the other (METHOD.md section 10, 1 to 7)."""

import logging
from dataclasses import asdict

import numpy as np

from semalign3d.alignment.alignment import Alignment, AlignmentEnergy
from semalign3d.alignment.photo.likelihood import point_likelihood
from semalign3d.alignment.photo.photo import Photo, read_photo
from semalign3d.alignment.photo.region import object_region, region_extent
from semalign3d.alignment.poses.free import FreeResult, WeightedShape, refine_free
from semalign3d.alignment.poses.occlusion import hidden_points, point_spacing
from semalign3d.alignment.poses.photo_energy import (
    Camera,
    PhotoEnergy,
    PointTerm,
    ReconstructionTerm,
    Term,
)
from semalign3d.alignment.poses.pose import Poses
from semalign3d.alignment.poses.reconstruction import reconstruction
from semalign3d.alignment.poses.rigid import distinct_poses, pose_energy, refine_rigid
from semalign3d.alignment.poses.search import search_grid, search_poses
from semalign3d.alignment.poses.visibility import ViewPrior, Visibility
from semalign3d.alignment.settings import AlignmentSettings
from semalign3d.alignment.statistics.collect import AlignmentStatistics
from semalign3d.alignment.statistics.views import PriorPoints
from semalign3d.files.digest import values_digest
from semalign3d.geometry.arguments import require_finite, require_shape
from semalign3d.geometry.cameras import Size, project
from semalign3d.geometry.frames import Similarity, similarity_procrustes
from semalign3d.geometry.grid import image_centre_cell
from semalign3d.shape.relations.fitting import Relations
from semalign3d.shape.sparse.energy import ShapeEnergy

logger = logging.getLogger(__name__)

_SEARCH_SIGMA = 1.5
_RIGID_SIGMAS = (2.5, 1.8, 1.2)
_FREE_SIGMAS = (0.8, 0.5)
"""Blur of the likelihoods in cells: coarse where poses are far off, fine at the end."""
_RIGID_REACH = (3.0, 2.5, 2.0)
_FREE_REACH = (1.5, 1.0)
"""How far points explain cells, in cells."""
_CELLS = 300
_EXPLAINING_POINTS = 150
"""Cells that are to be explained, and points that may: enough for the shape's outline."""
_SCRAP = 0.5
"""A mask that spans less than this share of the smallest object searched for is a scrap."""
_SILHOUETTE = 0.1
"""Weight of a surface point that lies off a known region: there are many more than keypoints."""
_SEARCHED_PER_START = 3
_THROUGH = 0.05
"""Share of a hidden point's visibility that is left: the shape in front may have gaps."""
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
        self._views = ViewPrior(statistics.rotations, settings.view_weight)
        energy = ShapeEnergy(relations, points.used)
        self._shape = WeightedShape(energy, points.used, settings.shape_weight)
        self._follow = points.following_used()
        self._shown = points.keypoints[points.used]
        self._keypoint_rows = points.rows_of_keypoints()
        self._spacing = point_spacing(points.follow(points.keypoints))
        self._explaining_rows = points.spread_out(_EXPLAINING_POINTS)
        extents = np.geomspace(
            settings.smallest * statistics.extents.min(),
            settings.largest * statistics.extents.max(),
            settings.scales,
        )
        self._search = search_grid(
            settings.directions, settings.rolls, extents, statistics.focal_length
        )
        self._unusual = self._views(self._search.rotations)

    def __call__(
        self,
        descriptors: np.ndarray,
        size: Size,
        mask: np.ndarray | None = None,
        starts: Poses | None = None,
    ) -> Alignment:
        """Place the prior in a photo.

        Parameters
        ----------
        descriptors : (G, G, C) map of the photo, of any positive lengths.
        size : (W, H) of the photo in pixels.
        mask : (H, W) bool, where the object is known to lie (see `box_mask`); None if it is not.
        starts : poses to start from in place of those that the search finds.

        Raises
        ------
        ValueError : another number of channels than the prior's, values that are not finite, or a
            mask of another size than the photo.
        """
        grid, settings = len(descriptors), self._settings
        frame = self._statistics.frame
        require_shape("descriptors", descriptors, (grid, grid, len(frame.mean)))
        require_finite("descriptors", descriptors)
        photo = read_photo(
            descriptors,
            size,
            frame,
            self._likelihood,
            standardise=settings.standardise,
            outside=settings.outside,
            region=self._region(mask, size, grid),
        )
        camera = Camera(
            image_centre_cell(size, grid),
            grid,
            self._statistics.focal_length,
            settings.focal_spread,
        )
        energy = self._energy(photo, camera, _RIGID_SIGMAS, _RIGID_REACH)
        poses = self._rigid(starts or self._searched(photo, camera), energy)
        energy = self._energy(photo, camera, _FREE_SIGMAS, _FREE_REACH)
        seen = self._visibility(poses.directions())
        steps = settings.free_steps
        result = refine_free(poses, self._shown, energy, seen, self._shape, steps)
        return self._alignment(result, photo, size)

    def _region(self, mask: np.ndarray | None, size: Size, grid: int) -> np.ndarray:
        """Where the object is known to lie: anywhere without a mask, or with a scrap of one."""
        if mask is None:
            return np.ones((grid, grid))
        region = object_region(mask, size, grid)
        least = _SCRAP * float(self._search.extents.min())
        if region_extent(mask) >= least:
            return region
        logger.warning(
            "a mask is not used: it spans %.3f of the photo's longest side, and an object %.3f at "
            "the very least",
            region_extent(mask),
            least,
        )
        return np.ones((grid, grid))

    def _energy(
        self, photo: Photo, camera: Camera, sigmas: tuple[float, ...], reach: tuple[float, ...]
    ) -> PhotoEnergy:
        """The photo's energy, ever sharper in the course of a descent."""
        rows, weight = self._explaining_rows, self._settings.reconstruction_weight
        fields = photo.fields(self._keypoint_rows, sigmas)
        terms: list[Term] = [PointTerm(self._keypoint_rows, 1.0, fields)]
        if weight > 0.0:
            cells = reconstruction(photo, rows, _CELLS)
            terms.append(ReconstructionTerm(rows, weight, cells, reach))
        if photo.region.min() < 1.0:
            terms.append(PointTerm(rows, _SILHOUETTE, photo.silhouettes(len(rows), sigmas)))
        return PhotoEnergy(camera, terms, self._follow)

    def _searched(self, photo: Photo, camera: Camera) -> Poses:
        """Poses to start from."""
        (fields,) = photo.fields(self._keypoint_rows, (_SEARCH_SIGMA,))
        return search_poses(
            np.log(_HIDDEN + (1.0 - _HIDDEN) * fields.unframed()),
            float(np.log(_HIDDEN + (1.0 - _HIDDEN) * photo.outside)),
            self._shown,
            self._search,
            self._unusual,
            camera.origin,
            _SEARCHED_PER_START * self._settings.starts,
        )

    def _rigid(self, poses: Poses, energy: PhotoEnergy) -> Poses:
        """The best distinct poses after the rigid refinement."""
        settings = self._settings
        given = (self._shown, energy, self._visibility, self._views)
        start = pose_energy(poses, *given, share=0.0)
        poses = poses.take(np.argsort(start, kind="stable")[: settings.starts])
        refined, _ = refine_rigid(poses, *given, settings.rigid_steps)
        return refined.take(distinct_poses(refined, settings.candidates))

    def _alignment(self, result: FreeResult, photo: Photo, size: Size) -> Alignment:
        """The best of the refined poses."""
        view = self._views(result.poses.rotation)
        total = result.photo.sum(axis=0) + result.shape + result.focal + view
        order = np.argsort(total, kind="stable")
        best = order[0]
        p = float(np.exp(-result.poses.log_focal[best]))
        used = self._points.used
        keypoints = np.full((len(used), 3), np.nan)
        keypoints[used] = result.turned[best] + result.poses.translation()[best]
        pose = similarity_procrustes(self._shown, keypoints[used])
        dense = self._points.follow(keypoints)
        dense_px = project(dense, size, p)
        seen = self._seen(pose, dense, dense_px, p, size)
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
                float(result.photo[0, best]),
                float(result.photo[1:, best].sum()),
                float(result.shape[best]),
                float(result.focal[best]),
                float(view[best]),
            ),
            margin=float(total[order[1]] - total[best]) if len(order) > 1 else float("inf"),
            image_size=np.array(size, dtype=np.int64),
            digest=self._digest,
        )

    def _seen(
        self, pose: Similarity, xyz: np.ndarray, pixels: np.ndarray, p: float, size: Size
    ) -> np.ndarray:
        """Probabilities (n,) that the photo shows points at (n, 3), pixels (n, 2).

        Training views know of keypoints whether they are seen; of surface points they only know it
        nearly, and those behind others are hidden.
        """
        away = -pose.rotation.T @ pose.translation
        seen = self._visibility((away / np.linalg.norm(away))[None])[0]
        radius = self._spacing * pose.scale / (p * pose.translation[2]) * max(size)
        hidden = hidden_points(xyz, pixels, radius) & (self._points.keypoint < 0)
        return np.where(_in_image(pixels, size), np.where(hidden, _THROUGH * seen, seen), 0.0)


def _in_image(pixels: np.ndarray, size: Size) -> np.ndarray:
    """(n,) bool: pixels (n, 2) inside an image; NaN is outside."""
    return np.asarray(((pixels > -0.5) & (pixels < np.array(size) - 0.5)).all(axis=1))
