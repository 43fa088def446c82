"""No false alarm on annotations that are known to be right: the demo's, and real ones."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from semalign3d.checks import check_category
from semalign3d.checks.category import judge_images
from semalign3d.checks.factorisation import factorise
from semalign3d.checks.images import CheckedImage
from semalign3d.checks.sides import swapped_sides
from semalign3d.datasets import Dataset, ImageRecord, open_dataset

DATA = Path(__file__).parents[1] / "data"
REAL = os.environ.get("SEMALIGN3D_REAL", "")
"""A folder with faces/ and willow/{car,motorbike}/, each with photos/ and annotations.json."""
needs_real_photos = pytest.mark.skipif(
    not REAL, reason="SEMALIGN3D_REAL does not name a folder of real photos"
)
AMOUNT = {"no-prior", "few-photos", "keypoint-without-place", "no-test-photos"}
"""What is said of samples because they are small."""


def judge(dataset: Dataset, category: str, records: list[ImageRecord]) -> set[str]:
    """Kinds of the findings on annotations, without their photos."""
    images = [CheckedImage(r.path.name, r.stem, r.split, r.path, r, None) for r in records]
    found = judge_images(dataset, category, images, dataset.keypoint_names(category), 4)
    return {finding.kind for finding in found}


def every_record(dataset: Dataset, category: str) -> list[ImageRecord]:
    splits = dataset.splits(category)
    return [dataset.record(category, stem, split) for split in splits for stem in splits[split]]


@pytest.mark.parametrize("category", ["chair", "aeroplane"])
def test_the_demo(tmp_path: Path, category: str) -> None:
    for folder in ("ImageAnnotation", "JPEGImages"):
        (tmp_path / folder / category).mkdir(parents=True)
    (tmp_path / "Layout" / "large").mkdir(parents=True)
    images = json.loads((DATA / "demo-labels.json").read_text())[category]
    stems: dict[str, list[str]] = {}
    for image in images:
        stems.setdefault(image["split"], []).append(image["stem"])
        annotation = {
            "filename": f"{image['stem']}.jpg",
            "image_width": image["size"][0],
            "image_height": image["size"][1],
            "bndbox": image["box"],
            "kps": {str(number): place for number, place in enumerate(image["keypoints"])},
        }
        path = tmp_path / "ImageAnnotation" / category / f"{image['stem']}.json"
        path.write_text(json.dumps(annotation))
    list_pairs(tmp_path, category, stems)
    dataset = open_dataset("demo", tmp_path)
    records = every_record(dataset, category)
    assert len(records) == 40
    assert judge(dataset, category, records) == set()


def list_pairs(root: Path, category: str, stems: dict[str, list[str]]) -> None:
    """SPair-71k's lists, each image a pair with itself."""
    for split in ("trn", "val", "test"):
        names = [f"{n:06d}-{s}-{s}:{category}" for n, s in enumerate(stems.get(split, []))]
        (root / "Layout" / "large" / f"{split}.txt").write_text("\n".join(names))


@pytest.mark.parametrize("category", ["chair", "aeroplane"])
def test_the_sample_of_spair(tmp_path: Path, category: str) -> None:
    source = DATA / "spair-sample" / "ImageAnnotation" / category
    shutil.copytree(source, tmp_path / "ImageAnnotation" / category)
    (tmp_path / "Layout" / "large").mkdir(parents=True)
    list_pairs(tmp_path, category, {"trn": [path.stem for path in source.iterdir()]})
    dataset = open_dataset("spair-71k", tmp_path)
    assert judge(dataset, category, every_record(dataset, category)) <= AMOUNT


def test_the_sample_of_ap10k(tmp_path: Path) -> None:
    file = DATA / "ap10k-sample" / "annotations.json"
    dataset = open_dataset("coco", tmp_path, annotations=file, val=0, test=0)
    for category in dataset.categories():
        assert judge(dataset, category, every_record(dataset, category)) <= AMOUNT


@needs_real_photos
@pytest.mark.parametrize("folder", ["faces", "willow/car", "willow/motorbike"])
def test_real_photos(folder: str) -> None:
    """Photos and labels; all are from one side, which is worth a note."""
    place = Path(REAL) / folder
    dataset = open_dataset("coco", place / "photos", annotations=place / "annotations.json")
    for category in dataset.categories():
        report = check_category(dataset, category, ("trn",), None)
        assert sum(report.images.values()) >= 20
        assert {found.kind for found in report.findings} == {"one-side"}
        assert "all sound" in report.line()


@needs_real_photos
def test_a_swapped_face_is_found() -> None:
    place = Path(REAL) / "faces"
    dataset = open_dataset("coco", place / "photos", annotations=place / "annotations.json")
    [category] = dataset.categories()
    points = np.stack([record.keypoints for record in every_record(dataset, category)])
    table = dataset.mirror(category)
    assert table is not None
    assert not swapped_sides(factorise(points, table), table)[0].any()
    points[5] = points[5][table]
    assert np.flatnonzero(swapped_sides(factorise(points, table), table)[0]).tolist() == [5]
