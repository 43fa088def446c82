"""What can be placed, by visibilities alone, is what the sparse stage places."""

import numpy as np
import pytest

from semalign3d.geometry.cameras import with_mirror_images
from semalign3d.shape.relations.fitting import fit_relations
from semalign3d.shape.sparse.embedding import edge_lengths, well_connected
from semalign3d.shape.sparse.ties import placeable
from studies.shared.synthetic_views import generators, mirror_table, symmetric_shape

IMAGES, KEYPOINTS = 12, 9


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("share", [0.3, 0.4, 0.5, 0.7])
def test_the_sparse_stage_finds_the_same(share: float, mirrored: bool) -> None:
    """With relations that are all kept for their values."""
    rng = np.random.default_rng(0)
    shape = symmetric_shape(mirror_table(KEYPOINTS, 3), rng)
    mirror = mirror_table(KEYPOINTS, 3) if mirrored else None
    visible = rng.uniform(size=(IMAGES, KEYPOINTS)) < share
    seen = np.where(visible[..., None], shape, np.nan)
    views = with_mirror_images(seen + rng.normal(0, 0.01, seen.shape), mirror)
    images = np.repeat(np.arange(IMAGES), views.shape[1])
    views = views.reshape(-1, KEYPOINTS, 3)
    relations = fit_relations(views, images, generators(len(views)), min_images=4)
    expected = well_connected(edge_lengths(relations))
    np.testing.assert_array_equal(placeable(visible, 4, mirror), expected)


def test_keypoints_that_are_never_seen_together() -> None:
    assert not placeable(np.eye(6, dtype=bool), 1, None).any()
    assert not placeable(np.zeros((5, 6), dtype=bool), 1, np.arange(6)).any()
