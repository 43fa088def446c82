"""Matching cases of the demo: photos are worse by what is said, and queries have true matches."""

import numpy as np
import pandas as pd
import pytest

from demo import dataset
from demo.annotations import mask_box
from semalign3d.device import pick_device
from semalign3d.evaluation.tables import category_table, match_rows
from semalign3d.maps.descriptors.geoaware import DescriptorEncoder
from studies.matching.cases import CHECKPOINT, Scores
from studies.matching.commands import averages
from studies.matching.compare import means
from studies.matching.cost import CHANNELS, widened
from studies.matching.photos import (
    TruePhoto,
    covered,
    cropped,
    noisy,
    photo_descriptors,
    true_photo,
)
from studies.matching.queries import SAME_PLACE, keypoint_pair, surface_pair
from studies.matching.variants import ABLATIONS, DEFAULT, GRID, around


@pytest.fixture(scope="module")
def photos() -> tuple[TruePhoto, TruePhoto]:
    return true_photo("chair", "chair_800", 0), true_photo("chair", "chair_801", 0)


def test_a_crop_takes_a_third_of_the_box(photos: tuple[TruePhoto, TruePhoto]) -> None:
    """Each side in turn: what is left of the box, and what keypoints show there."""
    photo = photos[0]
    x1, y1, x2, y2 = mask_box(photo.mask)
    shares = set()
    for seed in range(12):
        less = cropped(photo, np.random.default_rng(seed))
        gone = (
            (photo.size[0] - less.size[0]) / photo.size[0],
            (photo.size[1] - less.size[1]) / photo.size[1],
        )
        shares.add((gone[0] > 0, gone[1] > 0))
        left = mask_box(less.mask)
        kept = max((x2 - x1) - (left[2] - left[0]), 0) / (x2 - x1)
        kept_y = max((y2 - y1) - (left[3] - left[1]), 0) / (y2 - y1)
        assert max(kept, kept_y) >= 1 / 3 - 0.02
        rows = np.isfinite(less.keypoints).all(axis=1)
        x, y = less.keypoints[rows].astype(int).T
        place = less.template[y, x]
        x, y = photo.keypoints[rows].astype(int).T
        np.testing.assert_array_equal(place, photo.template[y, x])
    assert shares == {(True, False), (False, True)}


def test_a_cover_hides_thirty_percent(photos: tuple[TruePhoto, TruePhoto]) -> None:
    photo = photos[0]
    for seed in range(4):
        hidden = covered(photo, np.random.default_rng(seed))
        assert 1 - hidden.mask.sum() / photo.mask.sum() == pytest.approx(0.3, abs=0.03)
        lost = np.isfinite(photo.keypoints[:, 0]) & np.isnan(hidden.keypoints[:, 0])
        x, y = photo.keypoints[lost].astype(int).T
        assert not hidden.mask[y, x].any()


def test_noise_has_the_length_that_is_said() -> None:
    """Independent noise of length s leaves a cosine of 1 / sqrt(1 + s^2) in many dimensions."""
    rng = np.random.default_rng(0)
    clean = rng.normal(size=(20, 20, 512)).astype(np.float32)
    clean /= np.linalg.norm(clean, axis=-1, keepdims=True)
    for strength in (0.5, 1.5):
        found = noisy(clean, strength, rng)
        np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1.0, rtol=1e-5)
        cosine = np.mean((found * clean).sum(axis=-1))
        assert cosine == pytest.approx(1 / np.sqrt(1 + strength**2), abs=0.01)


def test_whole_photos_have_the_descriptors_of_the_dataset(
    photos: tuple[TruePhoto, TruePhoto],
) -> None:
    import torch

    encoder = DescriptorEncoder(CHECKPOINT, pick_device("cpu"))
    maps = dataset.image_features("chair", "chair_800", 0, photos[0].template)[""]
    expected = encoder.encode({k: torch.from_numpy(v)[None] for k, v in maps.items()})
    np.testing.assert_array_equal(photo_descriptors(photos[0], 0, encoder), expected)


def test_surface_queries_and_their_matches_show_the_same_place(
    photos: tuple[TruePhoto, TruePhoto],
) -> None:
    source, target = photos
    pair = surface_pair(source, target, 50, np.random.default_rng(1))
    assert len(pair.ids) == 50
    assert len(np.unique(pair.source_keypoints, axis=0)) == 50
    x, y = pair.source_keypoints.astype(int).T
    u, v = pair.target_keypoints.astype(int).T
    gaps = np.linalg.norm(source.template[y, x] - target.template[v, u], axis=1)
    assert gaps.max() <= SAME_PLACE
    every = np.linalg.norm(target.template[None, :, :, :] - source.template[y[0], x[0]], axis=-1)
    assert gaps[0] == pytest.approx(np.nanmin(every))


def test_keypoint_queries_are_those_that_both_show(photos: tuple[TruePhoto, TruePhoto]) -> None:
    pair = keypoint_pair(*photos)
    both = np.isfinite(photos[0].keypoints[:, 0]) & np.isfinite(photos[1].keypoints[:, 0])
    np.testing.assert_array_equal(pair.ids, np.flatnonzero(both))
    np.testing.assert_array_equal(pair.target_keypoints, photos[1].keypoints[both])


def test_variants_differ_from_the_defaults_in_one_thing() -> None:
    for variant in (*ABLATIONS[1:], *around()[1:]):
        sections = (variant.alignment, variant.matching), (DEFAULT.alignment, DEFAULT.matching)
        changed = [
            name
            for mine, other in zip(*sections, strict=True)
            for name, value in vars(mine).items()
            if value != getattr(other, name)
        ]
        assert len(changed) == 1 or variant.name == "one pose from the search"
    names = [variant.name for variant in around()]
    assert len(set(names)) == len(names) == 1 + sum(len(values) - 1 for values in GRID.values())


def made_scores(photos: tuple[TruePhoto, TruePhoto], shift: float) -> Scores:
    """Of the pair both ways: 30 matches are right there, 10 are off by a share of the box back."""
    rows = []
    for (a, b), off in ((photos, 0.0), (photos[::-1], shift)):
        pair = surface_pair(a, b, 30 if off == 0.0 else 10, np.random.default_rng(1))
        x1, y1, x2, y2 = pair.target_box
        found = pair.target_keypoints + np.array([off * max(x2 - x1, y2 - y1), 0.0])
        rows.append(match_rows(pair, dict.fromkeys(("nearest", "soft_argmax", "aligned"), found)))
    table = category_table("chair", pd.concat(rows), (0.1, 0.05, 0.01), 1, seed=0)
    return Scores(table, table, np.array([3.0, 40.0]))


def test_averages_per_point_per_image_and_over_categories(
    photos: tuple[TruePhoto, TruePhoto],
) -> None:
    """30 of 40 points are right, in one of two pairs; all are in the other category."""
    half, every = made_scores(photos, 0.07), made_scores(photos, 0.0)
    found = {
        (row["queries"], row["average"], row["category"]): (
            row["aligned @0.1"],
            row["nearest @0.05"],
        )
        for row in averages({"chair": half, "stool": every})
    }
    assert found["surface", "per point", "chair"] == (100.0, 75.0)
    assert found["keypoints", "per image", "chair"] == (100.0, 50.0)
    assert found["keypoints", "per point", "mean of categories"] == (100.0, 87.5)
    assert found["surface", "per image", "mean of categories"] == (100.0, 75.0)
    row = means([half, every])
    assert row["keypoints @0.05"] == 87.5
    assert row["score"] == round((100 + 87.5) / 2, 1)
    assert row["wrong poses"] == 2


def test_widened_descriptors_have_the_same_cosines() -> None:
    narrow = np.random.default_rng(0).normal(size=(4, 4, 5)).astype(np.float32)
    wide = widened(narrow)
    assert wide.shape == (4, 4, CHANNELS)
    np.testing.assert_allclose(wide @ wide[0, 0], narrow @ narrow[0, 0], rtol=1e-5)
    full = np.zeros((2, CHANNELS), dtype=np.float32)
    assert widened(full).shape == full.shape
