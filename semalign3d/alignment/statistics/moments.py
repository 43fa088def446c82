"""Moments of descriptors and cosines over training images (METHOD.md section 10, 1 to 3)."""

from collections.abc import Sequence

import numpy as np

from semalign3d.shape.sparse.attention import normalised


class EqualParts:
    """Mean over images of what object and background give, in equal parts."""

    def __init__(self) -> None:
        self._sums = [np.zeros(()), np.zeros(())]
        self._images = [0, 0]

    def add(self, part: int, value: np.ndarray) -> None:
        """Add an image's mean over the object's cells (part 0), or over the others (part 1)."""
        self._sums[part] = self._sums[part] + value
        self._images[part] += 1

    def result(self) -> np.ndarray:
        """Mean of the parts' means over their images; of one alone if no image has the other."""
        parts = zip(self._sums, self._images, strict=True)
        return np.mean([total / images for total, images in parts if images], axis=0)


def cosine_moments(points: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Means (2, n) float64 of the cosines of points with cells, and of their squares.

    From all cosines or, where that takes fewer operations, from the moments of the cells: the
    mean of (p^T c)^2 over cells c is p^T S p with the mean S of c c^T. Rounding is float32's.

    Parameters
    ----------
    points, cells : (n, C), (m, C) float32, of length one or zero; at least one cell.
    """
    count, length = points.shape
    if len(cells) * (2 * count - length) < 2 * count * length:
        cosines = points @ cells.T
        sums = cosines.sum(axis=1), np.vecdot(cosines, cosines)
    else:
        sums = np.vecdot(points, cells.sum(axis=0)), np.vecdot(points @ (cells.T @ cells), points)
    return np.stack(sums).astype(np.float64) / len(cells)


class CosineMoments:
    """Moments of the cosines of cells with points' mean descriptors over the other images.

    Parameters
    ----------
    sums : (n, C) float64, sums of the points' centred descriptors over all images.
    """

    def __init__(self, sums: np.ndarray) -> None:
        self._sums = sums
        self._means = normalised(sums)
        self._on = np.zeros((3, len(sums)))
        self._off = EqualParts()
        self._deviation = np.zeros(len(sums))
        self._images = 0

    def add(
        self,
        ids: Sequence[np.ndarray],
        descriptors: Sequence[np.ndarray],
        cells: Sequence[np.ndarray],
    ) -> None:
        """Add an image: its own descriptors are left out of the means that it is compared with.

        Parameters
        ----------
        ids : (m,) points that are seen, each once; of the image, and of its mirror image.
        descriptors : (m, C) float32 where they are, centred; the same.
        cells : (a, C), (b, C) float32, centred, of all cells on and off the object.
        """
        others = self._without(ids, descriptors)
        for seen, own in zip(ids, descriptors, strict=True):
            cosine = np.vecdot(own, others[seen]).astype(np.float64)
            known = np.linalg.norm(others[seen], axis=1) > 0.5
            self._on[:, seen] += np.stack([known, cosine * known, cosine**2 * known])
        whole = np.zeros((2, len(others)))
        for part, of_part in enumerate(cells):
            if len(of_part):
                moments = cosine_moments(others, of_part)
                self._off.add(part, moments)
                whole += moments * (len(of_part) / sum(map(len, cells)))
        self._deviation += np.sqrt(np.maximum(whole[1] - whole[0] ** 2, 0.0))
        self._images += 1

    def _without(self, ids: Sequence[np.ndarray], descriptors: Sequence[np.ndarray]) -> np.ndarray:
        """Mean descriptors (n, C) float32 of the other images; zero where none sees the point."""
        seen = np.unique(np.concatenate(ids))
        rest = self._sums[seen]
        for side, own in zip(ids, descriptors, strict=True):
            rest[np.searchsorted(seen, side)] -= own
        others = self._means.copy()
        others[seen] = normalised(rest)
        return others

    def result(self) -> dict[str, np.ndarray]:
        """The fields of `AlignmentStatistics` about cosines."""
        count = np.where(self._on[0] > 1, self._on[0], np.nan)
        on_mean = self._on[1] / count
        off_mean, off_square = self._off.result()
        return {
            "on_mean": on_mean,
            "on_variance": np.maximum(self._on[2] / count - on_mean**2, 0.0),
            "off_mean": off_mean,
            "off_variance": np.maximum(off_square - off_mean**2, 0.0),
            "map_deviation": self._deviation / self._images,
        }
