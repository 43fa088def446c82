"""The checks report everything bad at once, and pass over what is harmless."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from layouts import write_photo
from PIL import ExifTags, Image

from semalign3d.checks import check_category
from semalign3d.datasets import Remark, open_dataset
from semalign3d.datasets.spair.dataset import SpairDataset
from semalign3d.maps.descriptors.inspection import GeoAwareFiles, MapFiles

SIZES = {"s3": (8, 6), "s4": (9, 3), "s5": (10, 2), "dino": (7, 6)}
STEMS = {"trn": "abcdefgh", "val": "ij", "test": "kl"}
PLACES = [(10, 20), (40, 22), (44, 60), (12, 55), (70, 40)]
"""Of five keypoints."""


def keypoints(stem):
    """Places of an image's own."""
    rng = np.random.default_rng(list(stem.encode()))
    places = np.array(PLACES) + rng.uniform(-12, 12, (len(PLACES), 2)).round()
    return {str(number): place.clip(2).tolist() for number, place in enumerate(places)}


def annotate(root, stem, **values):
    annotation = {
        "filename": f"{stem}.jpg",
        "image_width": 100,
        "image_height": 80,
        "category": "chair",
        "bndbox": [1, 2, 90, 70],
        "kps": keypoints(stem),
    }
    path = root / "ImageAnnotation" / "chair" / f"{stem}.json"
    path.write_text(json.dumps(annotation | values))


def save_features(root, stem, end, **sizes):
    tensors = {name: torch.ones(1, c, n, n) for name, (c, n) in (SIZES | sizes).items()}
    torch.save(tensors.pop("dino"), root / "features" / "chair" / f"{stem}_dino{end}.pt")
    torch.save(tensors, root / "features" / "chair" / f"{stem}_sd{end}.pt")


def list_images(root, split, stems):
    pairs = [f"{i:06d}-{stem}-{stem}:chair" for i, stem in enumerate(stems)]
    (root / "Layout" / "large" / f"{split}.txt").write_text("\n".join(pairs))


@pytest.fixture
def root(tmp_path):
    rng = np.random.default_rng(0)
    for folder in ("JPEGImages/chair", "ImageAnnotation/chair", "features/chair", "Layout/large"):
        (tmp_path / folder).mkdir(parents=True)
    for split, stems in STEMS.items():
        list_images(tmp_path, split, stems)
        for stem in stems:
            annotate(tmp_path, stem)
            write_photo(tmp_path / "JPEGImages" / "chair" / f"{stem}.jpg", (100, 80), rng)
            for end in ("", "_flip"):
                save_features(tmp_path, stem, end)
    return tmp_path


def check(root, category="chair", splits=("trn", "val", "test"), **options):
    dataset = open_dataset("spair-71k", root)
    features = GeoAwareFiles(root / "features", category)
    return check_category(dataset, category, splits, features, **options)


def problems(report):
    return [text for finding in report.of("error") for text in finding.items]


def test_a_sound_category(root):
    report = check(root)
    assert report.findings == ()
    assert report.images == {"trn": 8, "val": 2, "test": 2}
    assert report.feature_files == 48
    assert report.feature_shapes["dino"] == (7, 6, 6)
    assert report.line() == (
        "chair: 8 trn, 2 val, 2 test images; 48 feature files (s3 8 x 6 x 6, s4 9 x 3 x 3, "
        "s5 10 x 2 x 2, dino 7 x 6 x 6); all sound"
    )
    back = json.loads(report.to_json())
    assert back["category"] == "chair"
    assert back["findings"] == []
    assert back["feature_shapes"]["s5"] == [10, 2, 2]
    assert back["keypoints"] == {str(i): 8 if i < 5 else 0 for i in range(14)}


def save_turned(root, stem, orientation, size):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = root / "JPEGImages" / "chair" / f"{stem}.jpg"
    Image.open(path).resize(size).save(path, exif=exif)


def test_images_that_viewers_turn(root):
    """Stored upright and annotated turned: read turned. Where both fit, a remark says so."""
    save_turned(root, "a", 6, (80, 100))
    save_turned(root, "b", 3, (100, 80))
    save_turned(root, "c", 1, (100, 80))
    report = check(root)
    assert problems(report) == []
    [warning] = report.of("warning")
    assert "b.jpg: its EXIF data turn it in viewers" in warning.items[0]
    assert "dataset.exif: turned" in warning.items[0]


def test_images_of_a_size_that_fits_neither_way(root):
    save_turned(root, "a", 6, (70, 90))
    [problem] = problems(check(root))
    assert "90 pixels, but its annotation says 100 x 80; its EXIF data turn it" in problem


def test_photos_over_the_limit_on_their_size(root):
    dataset = open_dataset("spair-71k", root, max_megapixels=0.001)
    found = problems(check_category(dataset, "chair", (), None))
    assert len(found) > 1
    assert all("dataset.max_megapixels" in text for text in found)


def test_orphaned_files_are_no_problem(root):
    (root / "JPEGImages" / "chair" / "other.jpg").write_text("nonsense")
    (root / "features" / "chair" / "other_dino.pt").write_text("nonsense")
    assert check(root).findings == ()


def test_features_of_other_splits_are_not_needed(root):
    for path in (root / "features" / "chair").glob("[i-l]_*"):
        path.unlink()
    assert check(root, splits=("trn",)).findings == ()
    assert len(problems(check(root))) == 16


def test_a_missing_folder_of_features_is_one_problem(root):
    (root / "features" / "chair").rename(root / "features" / "stool")
    [problem] = problems(check(root))
    assert problem.endswith("features/chair: no such folder; it should hold the feature files")


def test_features_may_be_gone_where_descriptors_are_there(root):
    for name in ("a_dino.pt", "b_sd_flip.pt", "b_sd.pt"):
        (root / "features" / "chair" / name).unlink()
    (root / "features" / "chair" / "c_dino.pt").write_text("nonsense")
    report = check(root, done=lambda stem: stem in "ac")
    assert report.done == 1
    assert len(problems(report)) == 3
    for name in ("b_sd.pt: no such file", "b_sd_flip.pt: no such file", "c_dino.pt: "):
        assert any(name in text for text in problems(report))
    (root / "features" / "chair").rename(root / "features" / "stool")
    everything = check(root, done=lambda stem: True)
    assert everything.findings == ()
    assert "0 feature files; 12 images done before; all sound" in everything.line()
    assert len(problems(check(root, done=lambda stem: stem != "b"))) == 1


def test_an_encoder_needs_no_feature_files(root):
    report = check_category(open_dataset("spair-71k", root), "chair", ("trn", "val"), None)
    assert report.findings == ()
    assert report.feature_files == 0


def test_maps_of_any_encoder(root):
    maps = np.ones((5, 6, 6), dtype=np.float16)
    for stem in "abcdefghijkl":
        for end in ("", "_flip"):
            np.save(root / "features" / "chair" / f"{stem}{end}.npy", maps)
    dataset = open_dataset("spair-71k", root)

    def found():
        features = MapFiles(root / "features", "chair")
        return problems(check_category(dataset, "chair", ("trn", "val", "test"), features))

    assert found() == []
    np.save(root / "features" / "chair" / "a.npy", maps[:, :5, :5])
    np.save(root / "features" / "chair" / "b_flip.npy", maps[:4])
    np.save(root / "features" / "chair" / "d.npy", maps * np.nan)
    (root / "features" / "chair" / "c.npy").unlink()
    texts = found()
    assert len(texts) == 4
    for text in ("a.npy: map has a grid of 5 x 5", "b_flip.npy: map has 4 channels", "d.npy: 180"):
        assert any(text in problem for problem in texts), text
    assert any("c.npy: no such file" in problem for problem in texts)


def test_a_category_that_does_not_exist(root):
    report = check(root, category="sofa")
    [problem] = problems(report)
    assert "no category 'sofa'" in problem
    assert "there are: chair" in problem
    assert "1 error" in report.line()


def test_a_split_that_does_not_exist_or_has_no_images(root):
    assert any("no split 'train'" in text for text in problems(check(root, splits=("train",))))
    (root / "Layout" / "large" / "trn.txt").write_text("")
    assert any("no training images" in text for text in problems(check(root)))


class Bomb:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def damage(root, what):
    images = root / "JPEGImages" / "chair"
    features = root / "features" / "chair"
    if what == "missing image":
        (images / "a.jpg").unlink()
    elif what == "truncated image":
        (images / "a.jpg").write_bytes((images / "a.jpg").read_bytes()[:400])
    elif what == "image of another size":
        Image.open(images / "a.jpg").resize((80, 100)).save(images / "a.jpg")
    elif what == "missing annotation":
        (root / "ImageAnnotation" / "chair" / "a.json").unlink()
    elif what == "annotation that climbs out":
        annotate(root, "a", filename="../../a.jpg")
    elif what == "missing flip file":
        (features / "a_sd_flip.pt").unlink()
    elif what == "pickle of code":
        torch.save(Bomb(root / "mark"), features / "a_dino.pt")
    elif what == "wrong shape":
        torch.save(torch.ones(7, 6, 6), features / "a_dino.pt")
    elif what == "other channels":
        save_features(root, "a", "_flip", s4=(11, 3))
    elif what == "other grid":
        save_features(root, "a", "_flip", dino=(7, 5))
    elif what == "NaN":
        torch.save(torch.full((1, 7, 6, 6), np.nan), features / "a_dino.pt")


def test_remarks_of_the_dataset_are_findings(root, monkeypatch):
    remarks = (Remark("warning", "one of two is guessed"), Remark("note", "3 are skipped"))
    monkeypatch.setattr(SpairDataset, "remarks", lambda self, category: remarks)
    report = check(root)
    assert [found.lines() for found in report.findings] == [
        ["one of two is guessed"],
        ["3 are skipped"],
    ]
    assert report.line().endswith("; 1 warning, 1 note")


DAMAGES = {
    "missing image": "a.jpg: no such image",
    "truncated image": "a.jpg: cannot be decoded",
    "image of another size": "80 x 100 pixels, but its annotation says 100 x 80",
    "missing annotation": "a.json: no such file",
    "annotation that climbs out": "filename: expected a plain file name",
    "missing flip file": "a_sd_flip.pt: no such file",
    "pickle of code": "a_dino.pt: refused",
    "wrong shape": "a_dino.pt: dino: expected shape",
    "other channels": "a_sd_flip.pt: s4 has 11 channels, the other files have 9",
    "other grid": "a_dino_flip.pt: dino has a grid of 5 x 5, the other files have 6 x 6",
    "NaN": "a_dino.pt: dino: 252 of 252 values are not finite",
}


@pytest.mark.parametrize("what", DAMAGES)
def test_each_damage_is_the_only_problem(root, what):
    damage(root, what)
    report = check(root)
    [problem] = problems(report)
    assert DAMAGES[what] in problem
    assert not (root / "mark").exists()
    assert "1 error" in report.line()


def test_all_damages_are_reported_together(root):
    apart = ["missing image", "annotation that climbs out", "missing flip file", "NaN"]
    for what in apart:
        damage(root, what)
    texts = problems(check(root))
    assert len(texts) == len(apart)
    assert all(any(DAMAGES[what] in text for text in texts) for what in apart)


def test_channels_that_the_checkpoint_does_not_expect(root):
    channels = {name: c for name, (c, _) in SIZES.items()}
    assert check(root, channels=channels).findings == ()
    texts = problems(check(root, channels=channels | {"s5": 1280}))
    assert len(texts) == 24
    assert "s5 has 10 channels, the checkpoint expects 1280" in texts[0]


def test_exclusions_are_listed_and_not_fatal(root):
    annotate(root, "a", kps={"0": [1, 2], "1": [500, 2], "2": [3, 4], "3": [5, 6], "14": [1, 1]})
    annotate(root, "k", kps={"0": [1, 2]})
    report = check(root)
    assert not report.of("error")
    outside, few = report.of("warning")
    assert outside.lines()[0].startswith("1 of 12 photos: 1 of 55 labelled keypoints lie outside")
    assert few.text.startswith("7 training photos with 4 or more visible keypoints")
    notes = {finding.kind: finding for finding in report.of("note")}
    assert "keypoint 1 at (500, 2) left out: outside the image" in notes["annotation"].items[0]
    assert "no keypoint 14" in notes["annotation"].items[1]
    assert "a.jpg (3 visible keypoints)" in notes["few-visible-keypoints"].items[0]
    assert report.line().endswith("; 2 warnings, 3 notes")


MEASURE = """
import resource, sys
from pathlib import Path
from semalign3d.checks import check_category
from semalign3d.datasets import Remark, open_dataset
from semalign3d.datasets.spair.dataset import SpairDataset
from semalign3d.maps.descriptors.inspection import GeoAwareFiles

root = Path(sys.argv[1])
dataset = open_dataset("spair-71k", root)
for split in ("val", "trn"):
    report = check_category(dataset, "chair", (split,), GeoAwareFiles(root / "features", "chair"))
    assert not report.of("error"), report.findings
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_is_that_of_one_image(root):
    """Thirty training images with features of full size need no more memory than one."""
    full = {"s3": (640, 60), "s4": (1280, 30), "s5": (1280, 15), "dino": (768, 60)}
    stems = {"val": ["d", "d"], "trn": [f"m{i}" for i in range(30)]}
    folder = root / "features" / "chair"
    for end in ("", "_flip"):
        save_features(root, "d", end, **full)
    for split, names in stems.items():
        list_images(root, split, names)
    for stem in stems["trn"]:
        annotate(root, stem)
        os.link(root / "JPEGImages" / "chair" / "d.jpg", root / "JPEGImages/chair" / f"{stem}.jpg")
        for kind in ("dino", "dino_flip", "sd", "sd_flip"):
            os.link(folder / f"d_{kind}.pt", folder / f"{stem}_{kind}.pt")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(root)], capture_output=True, text=True, check=True
    )
    one, thirty = map(int, done.stdout.split())
    assert thirty < one + 100_000, "kB"
