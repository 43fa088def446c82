"""Photos with known poses: the prior is found in them, and matches lead to the same place."""

import dataclasses

import numpy as np
import pytest
from scipy.ndimage import binary_dilation
from synthetic_photos import GRID, SIZE, Category, Photo, make_category, take_photo

from semalign3d.alignment.aligner import Aligner
from semalign3d.alignment.alignment import Alignment
from semalign3d.alignment.matching.matcher import Matcher
from semalign3d.alignment.settings import AlignmentSettings, MatchingSettings
from semalign3d.files.records import read_record, write_record
from semalign3d.files.store import create
from semalign3d.geometry.cameras import project
from semalign3d.geometry.grid import cell_to_pixel

FAST = AlignmentSettings(directions=80, scales=6, starts=12)


@pytest.fixture(scope="module")
def category() -> Category:
    return make_category()


@pytest.fixture(scope="module")
def photos() -> list[Photo]:
    return [take_photo(np.random.default_rng([2, number])) for number in range(5)]


@pytest.fixture(scope="module")
def aligner(category: Category) -> Aligner:
    return Aligner(category.points, category.relations, category.statistics, FAST)


@pytest.fixture(scope="module")
def alignments(aligner: Aligner, photos: list[Photo]) -> list[Alignment]:
    return [aligner(photo.descriptors, SIZE) for photo in photos]


def turn_between(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(first.T @ second) - 1) / 2, -1, 1))))


def test_poses_and_surfaces_are_found(
    category: Category, photos: list[Photo], alignments: list[Alignment]
) -> None:
    for photo, found in zip(photos, alignments, strict=True):
        assert turn_between(found.rotation, photo.rotation) < 16.0
        seen = photo.seen(category.surface)
        truth = project(photo.to_camera(category.surface), SIZE, photo.p)
        error = np.linalg.norm(found.dense_px - truth, axis=1)[seen]
        assert np.median(error) < max(SIZE) / GRID
        assert np.mean(found.dense_visibility[seen]) > np.mean(found.dense_visibility[~seen]) + 0.15


def test_matches_lead_to_the_same_place(
    category: Category, photos: list[Photo], alignments: list[Alignment]
) -> None:
    matcher = Matcher(category.points, category.statistics, MatchingSettings())
    errors, nearest = [], []
    for number, other in ((0, 2), (1, 3), (2, 4), (3, 0), (4, 1)):
        source, target = photos[number], photos[other]
        both = target.seen(source.surface)
        queries = cell_to_pixel(source.cells[both], SIZE, GRID)
        truth = project(target.to_camera(source.surface[both]), SIZE, target.p)
        found = matcher(
            alignments[number],
            source.descriptors,
            alignments[other],
            target.descriptors,
            queries,
        )
        assert ((found.confidence > 0.0) & (found.confidence <= 1.0)).all()
        errors.append(np.linalg.norm(found.points - truth, axis=1))
        nearest.append(np.linalg.norm(_nearest(source, target, both) - truth, axis=1))
    cell = max(SIZE) / GRID
    found, baseline = (np.concatenate(e) < 2.0 * cell for e in (errors, nearest))
    assert found.mean() > 0.93
    assert found.mean() > baseline.mean()


def _nearest(source: Photo, target: Photo, both: np.ndarray) -> np.ndarray:
    """Pixels of the cells with the largest cosine."""
    u, v = source.cells[both].T
    queries = source.descriptors[v, u]
    maps = target.descriptors / np.linalg.norm(target.descriptors, axis=-1, keepdims=True)
    v, u = np.divmod((queries @ maps.reshape(GRID * GRID, -1).T).argmax(axis=1), GRID)
    return cell_to_pixel(np.stack([u, v], axis=1), SIZE, GRID)


def test_a_match_does_not_depend_on_the_other_queries(
    category: Category, photos: list[Photo], alignments: list[Alignment]
) -> None:
    matcher = Matcher(category.points, category.statistics, MatchingSettings())
    pair = (alignments[0], photos[0].descriptors, alignments[1], photos[1].descriptors)
    queries = cell_to_pixel(photos[0].cells, SIZE, GRID)
    together = matcher(*pair, queries)
    alone = matcher(*pair, queries[7:8])
    np.testing.assert_allclose(alone.points[0], together.points[7], atol=1e-4)
    none = matcher(*pair, queries[:0])
    assert none.points.shape == (0, 2)
    assert none.confidence.shape == (0,)


def test_matches_stay_inside_a_photo_that_shows_only_a_part(
    category: Category, photos: list[Photo], alignments: list[Alignment]
) -> None:
    matcher = Matcher(category.points, category.statistics, MatchingSettings())
    away = dataclasses.replace(
        alignments[1], dense_px=alignments[1].dense_px + np.array([150.0, -300.0])
    )
    queries = cell_to_pixel(photos[0].cells, SIZE, GRID)
    found = matcher(alignments[0], photos[0].descriptors, away, photos[1].descriptors, queries)
    assert ((found.points >= -0.5) & (found.points <= np.array(SIZE) - 0.5)).all()
    assert ((found.confidence > 0.0) & (found.confidence <= 1.0)).all()


def test_an_alignment_is_the_same_again_and_for_descriptors_of_any_length(
    aligner: Aligner, photos: list[Photo], alignments: list[Alignment]
) -> None:
    again = aligner(photos[0].descriptors, SIZE)
    for field in dataclasses.fields(Alignment):
        np.testing.assert_equal(getattr(again, field.name), getattr(alignments[0], field.name))
    longer = aligner(3.0 * photos[0].descriptors, SIZE)
    np.testing.assert_allclose(longer.keypoints_xyz, again.keypoints_xyz, atol=1e-3)


@pytest.mark.parametrize("number", [0, 2, 4])
def test_a_mask_guides_where_the_photo_alone_misleads(
    number: int, category: Category, photos: list[Photo], aligner: Aligner
) -> None:
    """Another object of the category beside the one that is meant, and partly before it."""
    photo, other = photos[number], take_photo(np.random.default_rng([2, number + 50]))
    aside = GRID // 3 if photo.cells[:, 0].max() < GRID // 2 else -(GRID // 3)
    moved = other.cells + np.array([aside, 0])
    fits = (moved[:, 0] >= 0) & (moved[:, 0] < GRID)
    (u, v), (from_u, from_v) = moved[fits].T, other.cells[fits].T
    both = photo.descriptors.copy()
    both[v, u] = other.descriptors[from_v, from_u]
    x, y = cell_to_pixel(photo.cells, SIZE, GRID).round().astype(int).T
    mask = np.zeros(SIZE[::-1], dtype=bool)
    mask[y.clip(0, SIZE[1] - 1), x.clip(0, SIZE[0] - 1)] = True
    mask = binary_dilation(mask, np.ones((7, 7), dtype=bool))
    seen = photo.seen(category.surface)
    truth = project(photo.to_camera(category.surface), SIZE, photo.p)[seen]
    alone, guided = (
        np.median(np.linalg.norm(aligner(both, SIZE, guide).dense_px[seen] - truth, axis=1))
        for guide in (None, mask)
    )
    assert guided < max(SIZE) / GRID < alone


def test_a_scrap_of_a_mask_is_not_used(
    aligner: Aligner,
    photos: list[Photo],
    alignments: list[Alignment],
    caplog: pytest.LogCaptureFixture,
) -> None:
    scrap = np.zeros(SIZE[::-1], dtype=bool)
    for mask in (scrap, scrap.copy()):
        mask[3:9, 5:9] = mask is not scrap
        found = aligner(photos[0].descriptors, SIZE, mask)
        np.testing.assert_array_equal(found.keypoints_px, alignments[0].keypoints_px)
        assert "a mask is not used" in caplog.text
        caplog.clear()


def test_a_mask_of_another_size_is_refused(aligner: Aligner, photos: list[Photo]) -> None:
    with pytest.raises(ValueError, match=r"mask: expected shape \(160, 200\)"):
        aligner(photos[0].descriptors, SIZE, np.ones((10, 10), dtype=bool))


def test_an_alignment_is_read_as_it_was_written(alignments: list[Alignment], tmp_path) -> None:
    with create(tmp_path / "photo.h5") as file:
        write_record(file, alignments[0])
    found = read_record(tmp_path / "photo.h5", Alignment)
    for field in dataclasses.fields(Alignment):
        np.testing.assert_equal(getattr(found, field.name), getattr(alignments[0], field.name))
    assert found.confidence == alignments[0].confidence >= 0.5


@pytest.mark.parametrize(
    "change",
    [
        {"standardise": False},
        {"rigid_steps": 0},
        {"free_steps": 0},
        {"reconstruction_weight": 0.0},
        {"shape_weight": 0.0},
        {"view_weight": 0.0},
        {"candidates": 1},
    ],
)
def test_each_step_can_be_left_out(category: Category, photos: list[Photo], change: dict) -> None:
    settings = dataclasses.replace(FAST, **change)
    aligner = Aligner(category.points, category.relations, category.statistics, settings)
    found = aligner(photos[0].descriptors, SIZE)
    assert np.isfinite(found.keypoints_xyz).all()
    assert len(found.digest) == 64


def test_descriptors_that_do_not_fit_are_refused(aligner: Aligner, photos: list[Photo]) -> None:
    with pytest.raises(ValueError, match=r"descriptors: expected shape \(30, 30, 48\)"):
        aligner(photos[0].descriptors[..., :5], SIZE)
    broken = photos[0].descriptors.copy()
    broken[3, 4, 5] = np.nan
    with pytest.raises(ValueError, match="descriptors: expected finite values, found 1"):
        aligner(broken, SIZE)
