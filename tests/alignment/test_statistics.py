"""Statistics over training images against the plain formulas in float64."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_photos import GRID, SIZE, sphere_prior, take_photo, training_view

from semalign3d.alignment.photo import descriptors as cells
from semalign3d.alignment.statistics.collect import AlignmentStatistics, alignment_statistics
from semalign3d.alignment.statistics.moments import CosineMoments, cosine_moments
from semalign3d.alignment.statistics.views import TrainingView
from semalign3d.geometry.grid import cell_to_pixel


def unit(rng: np.random.Generator, *shape: int) -> np.ndarray:
    vectors = rng.normal(size=shape) + 0.3
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 8, 12, 300])
def test_moments_of_few_and_of_many_cells_are_those_of_the_cosines(count: int) -> None:
    """20 points of length 8: from 10 cells on, the cells' own moments are the cheaper way."""
    rng = np.random.default_rng(count)
    points, others = unit(rng, 20, 8), unit(rng, count, 8)
    cosines = points.astype(np.float64) @ others.T.astype(np.float64)
    expected = np.stack([cosines.mean(axis=1), (cosines**2).mean(axis=1)])
    assert np.allclose(cosine_moments(points, others), expected, rtol=0.0, atol=1e-6)


class TestLeaveOneOut:
    """Random points and cells of 6 images: point 28 is seen once, point 29 never."""

    POINTS, IMAGES, CHANNELS = 30, 6, 16

    def made(self) -> tuple[list[list[np.ndarray]], list[list[np.ndarray]], list[list[np.ndarray]]]:
        """Points that the two sides of each image see, their descriptors, and cells on and off."""
        rng = np.random.default_rng(3)
        ids = [[rng.choice(28, 12, replace=False) for _ in range(2)] for _ in range(self.IMAGES)]
        ids[0][0][0] = 28
        own = [[unit(rng, 12, self.CHANNELS) for _ in range(2)] for _ in range(self.IMAGES)]
        of_image = [[unit(rng, n, self.CHANNELS) for n in (9, 70)] for _ in range(self.IMAGES)]
        return ids, own, of_image

    def test_moments_are_those_of_cosines_with_the_other_images(self) -> None:
        ids, own, of_image = self.made()
        sums = np.zeros((self.IMAGES, self.POINTS, self.CHANNELS))
        for image, sides in enumerate(ids):
            for seen, values in zip(sides, own[image], strict=True):
                sums[image, seen] += values
        moments = CosineMoments(sums.sum(axis=0))
        on: list[list[float]] = [[] for _ in range(self.POINTS)]
        off, deviations = [], []
        for image, sides in enumerate(ids):
            moments.add(sides, own[image], of_image[image])
            others = np.delete(sums, image, axis=0).sum(axis=0)
            others /= np.where(others.any(axis=1), np.linalg.norm(others, axis=1), 1.0)[:, None]
            for seen, values in zip(sides, own[image], strict=True):
                for point, value in zip(seen, values, strict=True):
                    on[point] += [float(others[point] @ value)] * bool(others[point].any())
            parts = [others @ part.T for part in of_image[image]]
            off.append(np.mean([[p.mean(axis=1), (p**2).mean(axis=1)] for p in parts], axis=0))
            deviations.append(np.concatenate(parts, axis=1).std(axis=1))
        mean, square = np.mean(off, axis=0)
        expected = {
            "on_mean": [np.mean(values) if values else np.nan for values in on],
            "on_variance": [np.var(values) if values else np.nan for values in on],
            "off_mean": mean,
            "off_variance": square - mean**2,
            "map_deviation": np.mean(deviations, axis=0),
        }
        found = moments.result()
        assert np.isnan(found["on_mean"][[28, 29]]).all()
        for name, values in expected.items():
            assert found[name].dtype == np.float64
            assert np.allclose(found[name], values, rtol=0.0, atol=1e-6, equal_nan=True), name


PHOTOS = [take_photo(np.random.default_rng([4, number])) for number in range(4)]


def statistics(views: list[TrainingView]) -> AlignmentStatistics:
    maps = [photo.descriptors[None].astype(np.float16) for photo in PHOTOS]
    return alignment_statistics(sphere_prior()[0], views, maps.__getitem__, None)


def test_how_many_cells_are_taken_at_a_time_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    views = [training_view(photo) for photo in PHOTOS]
    whole = statistics(views)
    monkeypatch.setattr(cells, "_ROWS", 7)
    blocks = statistics(views)
    for name in AlignmentStatistics.__dataclass_fields__:
        found, expected = getattr(blocks, name), getattr(whole, name)
        if name == "frame":
            photo = PHOTOS[0].descriptors
            assert np.allclose(found(photo), expected(photo), rtol=0.0, atol=1e-5)
            continue
        tolerance = 1e-3 if name == "descriptors" else 1e-6  # float16, float32
        assert np.allclose(found, expected, rtol=0.0, atol=tolerance, equal_nan=True), name


def test_whitened_descriptors_vary_alike_along_all_directions() -> None:
    """Channels of which most repeat one: the rare ones count as much after it."""
    rng = np.random.default_rng(8)
    hidden = rng.normal(size=(4000, 4)) * [5.0, 1.0, 1.0, 1.0]
    raw = hidden @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    mean, square = cells.unit_moments(raw)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    assert np.allclose(mean, (raw / lengths).mean(axis=0), atol=1e-6)
    axes = cells.whitening_axes(square - np.outer(mean, mean), 0.1)
    before = np.linalg.eigvalsh(np.cov((raw / lengths).T))
    after = np.linalg.eigvalsh(np.cov((raw / lengths @ axes).T))
    assert before[-1] > 4.0 * before[0]
    assert after[-1] < 2.5 * after[0]
    plain = cells.whitening_axes(square - np.outer(mean, mean), np.inf)
    assert np.allclose(plain @ plain.T, np.eye(4), atol=1e-5)
    frame = cells.DescriptorFrame(mean.astype(np.float32), axes)
    assert np.allclose(np.linalg.norm(frame(raw), axis=-1), 1.0, atol=1e-5)
    assert np.allclose(frame(7.0 * raw), frame(raw), atol=1e-4)


def test_an_object_may_fill_its_image() -> None:
    """Such an image tells nothing of the background; the others do."""
    views = [training_view(photo) for photo in PHOTOS]
    everywhere = np.stack(np.meshgrid(np.arange(GRID), np.arange(GRID)), axis=-1).reshape(-1, 2)
    pixels = cell_to_pixel(everywhere, SIZE, GRID)
    views[0] = replace(
        views[0],
        pixels=np.concatenate([views[0].pixels, pixels]),
        xyz=np.concatenate([views[0].xyz, np.full((len(pixels), 3), 1e3)]),
    )
    found = statistics(views)
    assert np.isfinite(found.frame.axes).all()
    for name in ("off_mean", "off_variance", "map_deviation"):
        assert np.isfinite(getattr(found, name)).all(), name
    assert (found.off_variance[found.counts > 0] > 0.0).all()
