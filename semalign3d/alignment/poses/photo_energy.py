"""The energy of poses and shapes before a photo, with gradients (METHOD.md section 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from semalign3d.alignment.photo.fields import Fields
from semalign3d.alignment.poses.pose import Poses, project_turned
from semalign3d.alignment.poses.reconstruction import Reconstruction
from semalign3d.alignment.statistics.views import Following

Level = TypeVar("Level")


@dataclass(frozen=True)
class Camera:
    """What is known of the photo's camera and grid.

    Attributes
    ----------
    origin : (2,) cell (u, v) of the image's centre.
    grid : cells a side.
    focal_length : expected, in units of the longest side.
    focal_spread : standard deviation of its log.
    """

    origin: np.ndarray
    grid: int
    focal_length: float
    focal_spread: float

    def cells(self, places: np.ndarray) -> np.ndarray:
        """Cells (..., 2) of places (..., 2) in units of the longest side from the centre."""
        return places * self.grid + self.origin

    def focal_energy(self, log_focal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Energies (H,) of log focal lengths (H,), and their slopes."""
        error = (log_focal - np.log(self.focal_length)) / self.focal_spread
        return 0.5 * error**2, error / self.focal_spread


class Term(Protocol):
    """An energy of where m points are in the photo.

    Attributes
    ----------
    rows : (m,) numbers of the points among those of the prior.
    weight : of the energy.
    """

    @property
    def rows(self) -> np.ndarray: ...

    @property
    def weight(self) -> float: ...

    def evaluate(
        self, cells: np.ndarray, seen: np.ndarray, share: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Energies (H,) and slopes (H, m, 2) for places (H, m, 2) in cells.

        Parameters
        ----------
        cells : where the points are.
        seen : (H, m) probabilities that they are seen.
        share : of the descent that is done, from 0 to 1.
        """
        ...


@dataclass(frozen=True)
class PointTerm:
    """-log(1 - pi + pi LR), summed over points: whether the photo fits where the points are.

    Attributes
    ----------
    rows, weight : see `Term`.
    fields : likelihood ratios LR of the m points, from the most to the least blurred; each serves
        an equal share of the descent.
    """

    rows: np.ndarray
    weight: float
    fields: Sequence[Fields]

    def evaluate(
        self, cells: np.ndarray, seen: np.ndarray, share: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Term`."""
        ratio, slope = _level(self.fields, share).read(cells)
        mixed = 1.0 - seen + seen * ratio
        return -np.log(mixed).sum(axis=1), slope * (-seen / mixed)[..., None]


@dataclass(frozen=True)
class ReconstructionTerm:
    """How well the points explain the photo's object-like cells.

    Attributes
    ----------
    rows, weight : see `Term`.
    photo : the cells.
    sigmas : how far points explain cells, from the widest to the narrowest.
    """

    rows: np.ndarray
    weight: float
    photo: Reconstruction
    sigmas: Sequence[float]

    def evaluate(
        self, cells: np.ndarray, seen: np.ndarray, share: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """See `Term`."""
        return self.photo.energy(cells, seen, _level(self.sigmas, share))


def _level(levels: Sequence[Level], share: float) -> Level:
    return levels[min(int(share * len(levels)), len(levels) - 1)]


@dataclass(frozen=True)
class PhotoSlopes:
    """Energies of H poses and their gradients.

    Attributes
    ----------
    terms : (T, H) weighted energies, one row for each term.
    turned : (H, k, 3) gradients by the turned keypoints.
    centre : (H, 2) by the centre.
    log_extent, log_focal : (H,) by these.
    """

    terms: np.ndarray
    turned: np.ndarray
    centre: np.ndarray
    log_extent: np.ndarray
    log_focal: np.ndarray


@dataclass(frozen=True)
class PhotoEnergy:
    """The sum of the terms.

    Attributes
    ----------
    camera : the photo's.
    terms : what is summed.
    follow : how the prior's n points follow its k used keypoints.
    """

    camera: Camera
    terms: Sequence[Term]
    follow: Following

    def __call__(
        self, turned: np.ndarray, poses: Poses, seen: np.ndarray, share: float
    ) -> PhotoSlopes:
        """Energies and gradients.

        All points follow the corners (keypoints, and the normal of flat ones) linearly, and so do
        the gradients by size and focal length of theirs.

        Parameters
        ----------
        turned : (H, k, 3) used keypoints in the camera's directions, before they are moved.
        poses : the H poses; their rotations play no part.
        seen : (H, n) probabilities that the prior's points are seen.
        share : of the descent that is done, from 0 to 1.
        """
        corners = self.follow.corners(turned)
        energies, by_corners, by_centre = [], np.zeros_like(corners), np.zeros((len(turned), 2))
        for term in self.terms:
            follow = self.follow.weights[term.rows]
            projection = project_turned(follow @ corners, poses)
            cells = self.camera.cells(projection.places)
            energy, slopes = term.evaluate(cells, seen[:, term.rows], share)
            slopes = term.weight * self.camera.grid * slopes
            energies.append(term.weight * energy)
            by_corners += follow.T @ projection.back_to_points(slopes)
            by_centre += projection.back_to_centre(slopes)
        return PhotoSlopes(
            np.array(energies),
            self.follow.to_keypoints(turned, by_corners),
            by_centre,
            np.sum(by_corners * corners, axis=(1, 2)),
            self.camera.focal_energy(poses.log_focal)[1]
            - np.sum(by_corners[..., 2] * corners[..., 2], axis=1),
        )
