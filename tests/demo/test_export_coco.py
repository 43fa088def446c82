"""The exported demo category: the same records as the demo's own, and its mirror table by names."""

from pathlib import Path

import numpy as np
import pytest

from demo.export_coco import NAMES, export
from semalign3d.datasets import open_dataset
from semalign3d.datasets.coco.mirror_names import sides_from_names
from semalign3d.datasets.mirror_tables import SPAIR, mirror_permutation

SAMPLE = Path(__file__).parents[1] / "data" / "spair-sample"


@pytest.mark.parametrize("category", NAMES)
def test_names_tell_the_mirror_table(category: str) -> None:
    expected = mirror_permutation(SPAIR[category])
    np.testing.assert_array_equal(sides_from_names(NAMES[category]).table, expected)


def test_real_annotations_survive(tmp_path: Path) -> None:
    root = tmp_path / "spair"
    (root / "JPEGImages" / "aeroplane").mkdir(parents=True)
    for name in ("ImageAnnotation", "PairAnnotation"):
        (root / name).symlink_to(SAMPLE / name)
    dataset = open_dataset("demo", root)
    stems = dataset.splits("aeroplane")["val"]
    for stem in stems:
        dataset.image_path("aeroplane", stem).write_bytes(b"photo of " + stem.encode())
    assert export(dataset, "aeroplane", "my plane", tmp_path / "own") == len(stems)
    options = {"annotations": tmp_path / "own" / "annotations.json"}
    own = open_dataset("coco", tmp_path / "own" / "photos", **options)
    assert own.categories() == ("my plane",)
    for number, stem in enumerate(stems, 1):
        before = dataset.record("aeroplane", stem, "val")
        after = own.record("my plane", f"my plane {number:03d}", "trn")
        np.testing.assert_array_equal(after.keypoints, before.keypoints)
        assert (after.width, after.height, after.box) == (before.width, before.height, before.box)
        assert after.path.read_bytes() == before.path.read_bytes()
        assert after.notes == ()
