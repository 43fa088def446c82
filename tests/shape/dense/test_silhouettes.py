"""Points that photos show to lie beside the object: a ball, of a known outline."""

from dataclasses import replace

import numpy as np
import pytest
from torch_devices import DEVICES

from semalign3d.arrays import to_device
from semalign3d.geometry.cameras import project
from semalign3d.shape.dense.silhouettes import Silhouette, outside_silhouettes
from studies.shared.synthetic_views import mirror_table, random_rotation, symmetric_shape

RADIUS = 0.3
DISTANCE = 6.0
MIRROR = mirror_table(9, 4)
KEYPOINTS = 0.5 * symmetric_shape(MIRROR, np.random.default_rng(3))
"""All of them inside the ball."""
FLIP = np.array([-1.0, 1.0, 1.0])


def outline(centre, radius, side, p):
    """(side, side) bool: pixels whose ray meets a ball."""
    rays = (np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1) - side / 2) / side * p
    rays = np.concatenate([rays, np.ones((side, side, 1))], axis=-1)
    cosine = rays @ centre / np.linalg.norm(rays, axis=-1) / np.linalg.norm(centre)
    return cosine > np.sqrt(1.0 - (radius / np.linalg.norm(centre)) ** 2)


def view(rng, side=400, shown=slice(None), keypoints=KEYPOINTS):
    """A turned, scaled and shifted ball round the keypoints' frame: silhouette, turn, scale, at."""
    turn, scale = random_rotation(rng), rng.uniform(0.5, 2.0)
    at = np.array([*rng.uniform(-0.3, 0.3, size=2), DISTANCE * scale])
    seen = np.full_like(keypoints, np.nan)
    seen[shown] = (scale * keypoints @ turn.T + at)[shown]
    p = 0.25
    mask = outline(at, scale * RADIUS, side, p)
    return Silhouette(mask, seen, p, np.array([side / 2, side / 2])), turn, scale, at


def views(count, seed=0, **options):
    rng = np.random.default_rng(seed)
    return [view(rng, **options) for _ in range(count)]


def points(count=600, seed=1):
    """Points in and around the ball."""
    rng = np.random.default_rng(seed)
    ahead = rng.normal(size=(count, 3))
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    return ahead * RADIUS * rng.uniform(0.2, 1.3, size=(count, 1))


def outside_ball(some, turn, scale, at, gap=0.0):
    """Whether the rays through points pass the ball, with a gap in units of the points."""
    carried = scale * some @ turn.T + at
    beside = np.linalg.norm(np.cross(carried, at), axis=1) / np.linalg.norm(carried, axis=1)
    return beside > scale * (RADIUS + gap)


def test_rays_past_the_ball_are_counted():
    given, some = views(12), points()
    found = outside_silhouettes(some, [v[0] for v in given], KEYPOINTS, None, margin=0.02)
    clear, touched = (
        np.array([outside_ball(some, *v[1:], gap=gap) for v in given]) for gap in (0.025, 0.015)
    )
    weights = 1.0 - 3.0 * touched.mean(axis=1)
    assert (weights > 0.2).all()
    lowest, highest = ((weights @ off) / weights.sum() for off in (clear, touched))
    assert (found >= lowest - 0.02).all()
    assert (found <= highest + 0.02).all()
    assert np.abs(lowest - highest).mean() < 0.05
    assert not found[np.linalg.norm(some, axis=1) < RADIUS].any()
    assert found.max() > 0.3


def test_unseen_keypoints_and_coarser_masks_hardly_change_it():
    some = points()
    full = [v[0] for v in views(8)]
    part = [v[0] for v in views(8, shown=[0, 2, 4, 5, 8])]
    fine = [v[0] for v in views(8, side=2500)]
    wanted = outside_silhouettes(some, full, KEYPOINTS, None)
    assert np.allclose(outside_silhouettes(some, part, KEYPOINTS, None), wanted)
    assert np.abs(outside_silhouettes(some, fine, KEYPOINTS, None) - wanted).mean() < 0.01


def test_a_mirror_image_shows_the_mirrored_point():
    some = points()
    both = np.concatenate([some, some * FLIP])
    silhouettes = [v[0] for v in views(8)]
    # A ball is its own mirror image: cut one side of it off, the same in all photos of the object.
    cut = [replace(s, mask=s.mask & (np.arange(400) < 205)) for s in silhouettes]
    plain = outside_silhouettes(both, cut, KEYPOINTS, None)
    mirrored = outside_silhouettes(both, cut, KEYPOINTS, MIRROR)
    swapped = np.roll(plain, len(some))
    assert np.allclose(mirrored, (plain + swapped) / 2.0)
    assert np.abs(plain - swapped).max() > 0.1


def test_a_photo_whose_mask_misses_much_does_not_count():
    some = points()
    silhouettes = [v[0] for v in views(8)]
    wanted = outside_silhouettes(some, silhouettes[1:], KEYPOINTS, None)
    rows = np.flatnonzero(silhouettes[0].mask.any(axis=1))
    covered = silhouettes[0].mask & (np.arange(400)[:, None] > np.median(rows) + 20)
    poor = [replace(silhouettes[0], mask=covered), *silhouettes[1:]]
    assert np.allclose(outside_silhouettes(some, poor, KEYPOINTS, None), wanted)


def test_a_photo_whose_mask_misses_its_keypoints_does_not_count():
    some = points()
    silhouettes = [v[0] for v in views(8)]
    wanted = outside_silhouettes(some, silhouettes[1:], KEYPOINTS, None)
    keypoints = silhouettes[0].keypoints.copy()
    shown = project(keypoints, (400, 400), silhouettes[0].p).astype(int)
    pierced = silhouettes[0].mask.copy()
    for x, y in shown[:3]:
        pierced[y - 12 : y + 13, x - 12 : x + 13] = False
    assert pierced.mean() > 0.8 * silhouettes[0].mask.mean()
    poor = [replace(silhouettes[0], mask=pierced), *silhouettes[1:]]
    assert np.allclose(outside_silhouettes(some, poor, KEYPOINTS, None), wanted)


def test_nothing_is_known_outside_the_image_and_behind_the_camera():
    silhouette, turn, scale, at = views(1)[0]
    pixels = project(scale * points() @ turn.T + at, (400, 400), silhouette.p)
    column = int(np.median(pixels[:, 0]))
    left = replace(silhouette, mask=silhouette.mask[:, :column])
    shown = pixels[:, 0] < column - 1
    whole = outside_silhouettes(points(), [silhouette], KEYPOINTS, None)
    found = outside_silhouettes(points(), [left], KEYPOINTS, None)
    assert np.array_equal(found[shown], whole[shown])
    assert not found[pixels[:, 0] > column].any()
    assert whole[pixels[:, 0] > column].any()
    behind = (np.array([[0.0, 0.0, -1.0]]) - at) @ turn / scale
    assert not outside_silhouettes(np.repeat(behind, 3, 0), [silhouette], KEYPOINTS, None).any()


def test_keypoints_in_a_plane_carry_points_beside_it():
    flat = KEYPOINTS * [1.0, 1.0, 0.0]
    some = points()
    given = views(8, keypoints=flat)
    found = outside_silhouettes(some, [v[0] for v in given], flat, None)
    solid = outside_silhouettes(some, [v[0] for v in views(8)], KEYPOINTS, None)
    assert np.allclose(found, solid)


def test_two_keypoints_in_one_place_are_as_good_as_one():
    twice = KEYPOINTS[[*range(9), 0]]
    found, wanted = (
        outside_silhouettes(points(), [v[0] for v in views(8, keypoints=k)], k, None)
        for k in (twice, KEYPOINTS)
    )
    assert np.allclose(found, wanted)


def test_without_a_photo_that_counts_all_are_in_doubt():
    some = points(20)
    silhouette = views(1)[0][0]
    empty = replace(silhouette, mask=np.zeros_like(silhouette.mask))
    few = replace(silhouette, keypoints=np.where(np.arange(9)[:, None] < 3, KEYPOINTS, np.nan))
    line = KEYPOINTS[:1] + np.linspace(0, 1, 9)[:, None] * (KEYPOINTS[1] - KEYPOINTS[0])
    for given, keypoints in (([], KEYPOINTS), ([empty, few], KEYPOINTS), ([silhouette], line)):
        assert (outside_silhouettes(some, given, keypoints, None) == 1.0).all()
    assert len(outside_silhouettes(some[:0], [silhouette], KEYPOINTS, None)) == 0


def test_bad_arguments_are_named():
    silhouette = views(1)[0][0]
    with pytest.raises(ValueError, match="margin"):
        outside_silhouettes(points(), [silhouette], KEYPOINTS, None, margin=np.nan)
    with pytest.raises(ValueError, match=r"silhouettes\.keypoints"):
        outside_silhouettes(points(), [silhouette], KEYPOINTS[:8], None)


@pytest.mark.parametrize("device", DEVICES)
def test_tensors_give_the_same(device):
    silhouettes = [v[0] for v in views(4)]
    wanted = outside_silhouettes(points(), silhouettes, KEYPOINTS, MIRROR)
    tensor = to_device(points(), device)
    found = outside_silhouettes(tensor, silhouettes, KEYPOINTS, MIRROR)
    assert found.device == tensor.device
    assert np.allclose(found.cpu().numpy(), wanted, atol=1e-12)
