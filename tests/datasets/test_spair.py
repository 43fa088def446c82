"""SPair-71k's layout: real samples, mirror tables, lists of pairs, and everything bad."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semalign3d.datasets import load_records, open_dataset
from semalign3d.datasets.mirror_tables import SPAIR, listed_ids, mirror_permutation
from semalign3d.datasets.spair.layout import parse_pair_name
from semalign3d.errors import InputError

SAMPLE = Path(__file__).parents[1] / "data" / "spair-sample"
CATEGORIES = [
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "train",
    "tvmonitor",
]
IMAGE = {
    "filename": "a.jpg",
    "image_width": 100,
    "image_height": 80,
    "category": "chair",
    "bndbox": [10, 10, 90, 70],
    "kps": {"0": [20, 30], "1": [40, 30], "2": [20.5, 60], "3": [40, 60], "4": None},
}
PAIR = {
    "src_kps": [[1, 2], [3, 4]],
    "trg_kps": [[5, 6], [7, 8]],
    "kps_ids": ["0", "3"],
    "trg_bndbox": [1, 2, 30, 40],
    "viewpoint_variation": 1,
    "scale_variation": 0,
    "truncation": 2,
    "occlusion": 0,
}


@pytest.fixture
def sample():
    return open_dataset("spair-71k", SAMPLE)


@pytest.fixture
def own(tmp_path):
    """A dataset of two chairs, a and b; `own(name=value)` changes a's annotation."""
    names = {"trn": "000001-a-b:chair", "val": "000002-c-d:chair", "test": "000003-e-f:chair"}
    (tmp_path / "Layout" / "large").mkdir(parents=True)
    for split, name in names.items():
        (tmp_path / "Layout" / "large" / f"{split}.txt").write_text(name + "\n")
        (tmp_path / "PairAnnotation" / split).mkdir(parents=True)
        (tmp_path / "PairAnnotation" / split / f"{name}.json").write_text(json.dumps(PAIR))
    folder = tmp_path / "ImageAnnotation" / "chair"
    folder.mkdir(parents=True)

    def change(stem="a", **values):
        annotation = IMAGE | {"filename": f"{stem}.jpg"} | values
        (folder / f"{stem}.json").write_text(json.dumps(annotation))
        return open_dataset("spair-71k", tmp_path)

    for stem in "abcdef":
        change(stem)
    return change


def test_there_is_a_table_for_every_category():
    assert sorted(SPAIR) == CATEGORIES


@pytest.mark.parametrize("category", CATEGORIES)
def test_mirroring_twice_is_the_identity(category):
    mirror = mirror_permutation(SPAIR[category])
    assert mirror.dtype == np.int64
    assert mirror[mirror].tolist() == list(range(len(mirror)))
    listed = set(listed_ids(SPAIR[category]))
    assert max(listed) == len(mirror) - 1 < 30
    assert {int(mirror[i]) for i in listed} == listed


@pytest.mark.parametrize(
    ("category", "count", "pairs"),
    [("chair", 14, 7), ("aeroplane", 25, 9), ("car", 30, 13), ("tvmonitor", 16, 6), ("cow", 21, 9)],
)
def test_number_of_keypoints_and_mirror_pairs(category, count, pairs):
    mirror = mirror_permutation(SPAIR[category])
    assert len(mirror) == count
    assert (mirror != np.arange(count)).sum() == 2 * pairs


def test_tables_that_list_an_id_twice_are_refused():
    with pytest.raises(ValueError, match="each id once"):
        mirror_permutation((0, (0, 1)))


def test_real_image_annotations(sample):
    assert sample.categories() == ("aeroplane",)
    record = sample.record("aeroplane", "2008_000585", "val")
    assert (record.width, record.height) == (500, 375)
    assert record.box == (1, 5, 499, 375)
    assert record.keypoints.shape == (25, 2)
    assert record.keypoints[4].tolist() == [162, 308]
    assert record.visible.sum() == 13
    assert record.notes == ()
    assert record.path == SAMPLE / "JPEGImages" / "aeroplane" / "2008_000585.jpg"
    for path in SAMPLE.glob("ImageAnnotation/*/*.json"):
        found = sample.record(path.parent.name, path.stem, "val")
        truth = json.loads(path.read_text())["kps"]
        assert found.visible.sum() == sum(value is not None for value in truth.values())


def test_real_pairs(sample):
    pairs = list(sample.pairs("aeroplane", "val"))
    assert [pair.name[:6] for pair in pairs] == ["000001", "000036"]
    pair = pairs[0]
    assert (pair.source, pair.target) == ("2008_001546", "2008_004704")
    assert pair.ids.tolist() == [0, 1, 2, 3, 4, 5, 7, 17, 22]
    assert pair.target_box == (3, 1, 500, 322)
    assert tuple(pair.flags) == (1, 0, 2, 0)
    for stem, keypoints in [
        (pair.source, pair.source_keypoints),
        (pair.target, pair.target_keypoints),
    ]:
        record = sample.record("aeroplane", stem, "val")
        assert np.abs(record.keypoints[pair.ids] - keypoints).max() <= 1


def test_splits_are_sorted_and_come_from_the_pairs(own, tmp_path):
    (tmp_path / "Layout" / "large" / "trn.txt").write_text(
        "000009-z-a:chair\n000001-m-a:chair\n\n000002-x-y:bus\n"
    )
    dataset = own()
    assert dataset.categories() == ("bus", "chair")
    assert dataset.splits("chair") == {
        "trn": ("a", "m", "z"),
        "val": ("c", "d"),
        "test": ("e", "f"),
    }
    assert dataset.splits("bus") == {"trn": ("x", "y"), "val": (), "test": ()}


def test_small_layout_then_pair_files_stand_in(own, tmp_path):
    splits = own().splits("chair")
    (tmp_path / "Layout" / "large").rename(tmp_path / "Layout" / "small")
    assert own().splits("chair") == splits
    shutil.rmtree(tmp_path / "Layout")
    assert own().splits("chair") == splits
    shutil.rmtree(tmp_path / "PairAnnotation")
    with pytest.raises(InputError, match=r"Layout/large/.*Layout/small/.*PairAnnotation/"):
        own().categories()


def test_missing_root_and_unknown_names(own, tmp_path):
    with pytest.raises(InputError, match=r"nowhere does not exist"):
        open_dataset("spair-71k", tmp_path / "nowhere").categories()
    with pytest.raises(InputError, match=r"unknown dataset 'spair'.*spair-71k"):
        open_dataset("spair", tmp_path)
    with pytest.raises(InputError, match=r"no category 'sofa'.*there are: chair"):
        own().splits("sofa")
    with pytest.raises(InputError, match=r"no category 'sofa'"):
        list(own().pairs("sofa", "trn"))
    with pytest.raises(InputError, match=r"no split 'train'.*trn"):
        list(own().pairs("chair", "train"))
    with pytest.raises(InputError, match=r"no keypoint mirror table for category 'sofa'.*chair"):
        own().mirror("sofa")


def test_an_image_in_two_splits_is_refused(own, tmp_path):
    (tmp_path / "Layout" / "large" / "test.txt").write_text("000003-a-f:chair\n")
    with pytest.raises(InputError, match=r"chair/a is in more than one split: trn, test"):
        own().splits("chair")


@pytest.mark.parametrize(
    "name",
    [
        "nonsense",
        "000001-a:chair",
        "000001-a-b-c:chair",
        "000001-a-b",
        "000001-a-b:../chair",
        "000001-../a-b:chair",
        "000001-..-b:chair",
        "000001-a/b-c:chair",
        "000001-a\\b-c:chair",
        "000001--b:chair",
        "000001-a-b:",
    ],
)
def test_pair_names_that_are_refused(own, tmp_path, name):
    (tmp_path / "Layout" / "large" / "val.txt").write_text(f"000002-c-d:chair\n{name}\n")
    with pytest.raises(InputError, match="val: pair"):
        own().categories()


def test_many_bad_names_do_not_flood_the_terminal(own, tmp_path):
    (tmp_path / "Layout" / "large" / "val.txt").write_text("\n".join(f"bad{i}" for i in range(500)))
    with pytest.raises(InputError, match="and 480 more") as caught:
        own().categories()
    assert len(str(caught.value).splitlines()) < 30


def test_a_list_that_is_no_text(own, tmp_path):
    (tmp_path / "Layout" / "large" / "val.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"cannot read .*val\.txt"):
        own().categories()


@given(st.text(max_size=30))
def test_any_text_is_a_pair_name_or_refused(text):
    for name in (text, f"000001-{text}:chair", f"000001-a-b:{text}"):
        try:
            pair = parse_pair_name(name)
        except InputError:
            continue
        for part in (pair.source, pair.target, pair.category):
            assert Path("root", part).resolve().parent == Path("root").resolve()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"filename": "../../etc/a.jpg"}, "filename: expected a plain file name"),
        ({"filename": "/etc/a.jpg"}, "filename: expected a plain file name"),
        ({"filename": "..\\a.jpg"}, "filename: expected a plain file name"),
        ({"filename": ".."}, "filename: expected a plain file name"),
        ({"filename": ""}, "filename: expected a plain file name"),
        ({"filename": 3}, "filename: expected a plain file name"),
        ({"filename": "b.jpg"}, r"filename: expected a\.jpg.*found 'b\.jpg'"),
        ({"category": "sofa"}, "category: expected 'chair', found 'sofa'"),
        ({"image_width": 0}, "image_width: expected a positive integer, found 0"),
        ({"image_width": "wide"}, "image_width: expected a positive integer"),
        ({"image_height": 80.5}, "image_height: expected a positive integer"),
        ({"image_height": True}, "image_height: expected a positive integer"),
        ({"bndbox": [1, 2, 3]}, "bndbox: expected numbers"),
        ({"bndbox": [10, 2, 3, 4]}, "bndbox: expected numbers"),
        ({"bndbox": [1, 2, float("inf"), 4]}, "bndbox: expected numbers"),
        ({"bndbox": None}, "bndbox: expected numbers"),
        ({"kps": [[1, 2]]}, "kps: expected an object"),
        ({"kps": {"nose": [1, 2]}}, "kps: expected a keypoint id, found 'nose'"),
        ({"kps": {"0": [1]}}, "keypoint 0: expected finite"),
        ({"kps": {"0": [1, float("nan")]}}, "keypoint 0: expected finite"),
        ({"kps": {"0": [float("-inf"), 1]}}, "keypoint 0: expected finite"),
        ({"kps": {"0": ["1", 2]}}, "keypoint 0: expected finite"),
        ({"kps": {"0": [True, 2]}}, "keypoint 0: expected finite"),
        ({"kps": {"0": [10**400, 2]}}, "keypoint 0: expected finite"),
        ({"kps": {"0": [1, 2], "00": [3, 4]}}, "keypoint 0: given twice"),
    ],
)
def test_bad_annotations(own, values, message):
    with pytest.raises(InputError, match=message) as caught:
        own(**values).record("chair", "a", "trn")
    assert "a.json" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"{", b'{"filename": "a.jpg"', b"\xff", b"[" * 100_000])
def test_annotations_that_are_not_whole(own, tmp_path, content):
    dataset = own()
    dataset.annotation_path("chair", "a").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.json: not a whole JSON file"):
        dataset.record("chair", "a", "trn")


def test_annotations_that_lack_something(own):
    dataset = own()
    path = dataset.annotation_path("chair", "a")
    path.write_text("[]")
    with pytest.raises(InputError, match="expected a JSON object, found list"):
        dataset.record("chair", "a", "trn")
    path.write_text('{"filename": "a.jpg"}')
    with pytest.raises(InputError, match="missing image_width, image_height, bndbox, kps"):
        dataset.record("chair", "a", "trn")
    path.unlink()
    with pytest.raises(InputError, match="no such file"):
        dataset.record("chair", "a", "trn")


def test_all_problems_of_all_images_come_together(own):
    own("a", filename="../a.jpg", image_width=-1)
    dataset = own("d", kps={"0": [None, 1]})
    with pytest.raises(InputError) as caught:
        load_records(dataset, "chair", ("trn", "val"))
    assert len(caught.value.problems) == 3
    records = load_records(dataset, "chair", ("test",))
    assert [(record.split, record.stem) for record in records] == [("test", "e"), ("test", "f")]


@pytest.mark.parametrize(
    ("position", "placed"),
    [
        ([99, 79], [99, 79]),
        ([100, 80], [99, 79]),
        ([-1, 40], [0, 40]),
        ([-0.5, 79.5], [0, 79]),
        ([100.5, 40], None),
        ([50, 1000], None),
        ([-2, 40], None),
    ],
)
def test_keypoints_at_and_beyond_the_border(own, position, placed):
    record = own(kps=IMAGE["kps"] | {"5": position}).record("chair", "a", "trn")
    if placed is None:
        assert np.isnan(record.keypoints[5]).all()
        [note] = record.notes
        assert "keypoint 5 at" in note
        assert f"({position[0]:g}, {position[1]:g})" in note
        assert "100 x 80" in note
        assert "a.json" in note
    else:
        assert record.keypoints[5].tolist() == placed
        assert record.notes == ()


def test_ids_outside_the_table_are_left_out_and_noted(own):
    record = own(kps=IMAGE["kps"] | {"14": [3, 3], "29": None}).record("chair", "a", "trn")
    assert record.keypoints.shape == (14, 2)
    assert len(record.notes) == 1
    assert "no keypoint 14" in record.notes[0]


def test_few_keypoints_are_kept(own):
    record = own(kps={"3": [4, 5]}).record("chair", "a", "trn")
    assert record.visible.sum() == 1
    assert own(kps={}).record("chair", "a", "trn").visible.sum() == 0


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"src_kps": [[1, 2]]}, "src_kps: expected 2 finite"),
        ({"trg_kps": [[1, 2], [3, None]]}, "trg_kps: expected 2 finite"),
        ({"kps_ids": ["0", "14"]}, "kps_ids: expected different ids"),
        ({"kps_ids": ["0", "0"]}, "kps_ids: expected different ids"),
        ({"kps_ids": None}, "kps_ids: expected different ids"),
        ({"kps_ids": [["0"], 1]}, "kps_ids: expected different ids"),
        ({"trg_bndbox": [1, 2, 3]}, "trg_bndbox: expected numbers"),
        ({"occlusion": "no"}, "occlusion: expected integers"),
    ],
)
def test_bad_pairs(own, tmp_path, values, message):
    path = tmp_path / "PairAnnotation" / "trn" / "000001-a-b:chair.json"
    path.write_text(json.dumps(PAIR | values))
    with pytest.raises(InputError, match=message):
        list(own().pairs("chair", "trn"))
