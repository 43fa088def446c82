"""Broken input of AP-10K, PF-Pascal and COCO-keypoint files: named, all of it at once.

SPair-71k's is in test_spair.py.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import WRITERS, make_content
from scipy.io import savemat

from semalign3d.datasets import Dataset, load_records
from semalign3d.datasets.names import is_plain_path
from semalign3d.errors import InputError

CONTENT = make_content()
COCO, OFFICIAL = "cat.json", "annotations/ap10k-train-split1.json"
PAIRED = "ImageAnnotation/Felidae/cat/a1.json"
MAT, LIST = "Annotations/cat/a1.mat", "val_pairs_pf_pascal.csv"


def edit(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """A damage that changes what a JSON file holds."""

    def damage(path: Path) -> None:
        values = json.loads(path.read_text())
        change(values)
        path.write_text(json.dumps(values))

    return damage


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def text(content: str) -> Callable[[Path], None]:
    return lambda path: path.write_text(content)


def mat(**arrays: Any) -> Callable[[Path], None]:
    return lambda path: savemat(path, arrays)


def first(values: dict[str, Any], key: str) -> dict[str, Any]:
    return values[key][0]


ROW = "JPEGImages/d4.jpg,JPEGImages/e5.jpg,8,"
HEAD = "source_image,target_image,class,XA,YA,XB,YB\n"
NAN, INF = float("nan"), float("inf")

STRUCTURE = {
    "missing": (Path.unlink, "no such file"),
    "truncated": (truncate, "not a whole JSON file"),
    "no object": (text("[]"), "expected a JSON object, found list"),
    "no images": (edit(lambda v: v.pop("images")), "missing images"),
    "images no list": (edit(lambda v: v.update(images={})), "images: expected a list, found dict"),
    "image no object": (edit(lambda v: v["images"].append(3)), r"images\[\d\]: expected an object"),
    "no id": (edit(lambda v: first(v, "images").pop("id")), r"images\[0\]: missing id"),
    "id a list": (
        edit(lambda v: first(v, "images").update(id=[])),
        r"images\[0\]: id: expected a whole number or a text, found \[\]",
    ),
    "id twice": (edit(lambda v: first(v, "images").update(id=1)), "the id 1 is given twice"),
    "climbing": (
        edit(lambda v: first(v, "images").update(file_name="../../etc/none.jpg")),
        r"images\[0\]: file_name '\.\./\.\./etc/none\.jpg': it lies outside the folder",
    ),
    "absolute": (
        edit(lambda v: first(v, "images").update(file_name="/etc/hostname")),
        r"images\[0\]: file_name '/etc/hostname': it lies outside the folder of photos",
    ),
    "same stem": (
        edit(lambda v: first(v, "images").update(file_name="other/b 2.jpg")),
        r"'b 2\.jpg': of this and 'other/b 2\.jpg' only b 2\.jpg is in the folder",
    ),
    "unknown image": (
        edit(lambda v: first(v, "annotations").update(image_id=99)),
        r"annotations\[0\]: image_id: no image has the id 99",
    ),
    "unknown category": (
        edit(lambda v: first(v, "annotations").update(category_id=99)),
        r"annotations\[0\]: category_id: no category has the id 99",
    ),
    "category with a slash": (
        edit(lambda v: first(v, "categories").update(name="../cat")),
        r"category '\.\./cat' can't be used: the character '/' can't be in it",
    ),
    "category twice": (
        edit(lambda v: v["categories"].append({"id": 9, "name": "cat", "keypoints": ["ear"]})),
        "category 'cat' is given twice, with different keypoints",
    ),
    "keypoint names": (
        edit(lambda v: first(v, "categories").update(keypoints=[1, [2]])),
        r"category 'cat' has no name as keypoints\[1\], but \[2\]",
    ),
    "keypoint twice": (
        edit(lambda v: first(v, "categories").update(keypoints=["ear"] * 15)),
        "two keypoints of the same name: ear",
    ),
}
OBJECT = {
    "keypoint count": ({"keypoints": [1, 2, 2]}, r"keypoints: expected 1\d triples x, y, v"),
    "keypoints without v": ({"keypoints": [1, 2] * 17}, r"triples x, y, v, found 3\d numbers \(x"),
    "NaN": ({"keypoints": [NAN, 2, 2] * 17}, "keypoint 0: expected finite x, y"),
    "infinite": ({"keypoints": [1, INF, 2] * 17}, "keypoint 0: expected finite x, y"),
    "visibility": ({"keypoints": [1, 2, 3] * 17}, "keypoint 0: expected .* v of 0, 1 or 2"),
    "texts": ({"keypoints": ["1", 2, 2] * 17}, "keypoint 0: expected finite x, y"),
    "box shape": ({"bbox": [1, 2, 3]}, "bbox: expected numbers"),
    "box NaN": ({"bbox": [1, 2, NAN, 4]}, "bbox: expected numbers"),
    "box inside out": ({"bbox": [1, 2, -3, 4]}, "bbox: expected numbers .*positive size"),
}


def make(base: Path, name: str) -> Dataset:
    return WRITERS[name](base, CONTENT)


def read_all(dataset: Dataset) -> None:
    for category in dataset.categories():
        load_records(dataset, category, dataset.splits(category))
        list(dataset.pairs(category, "val"))


@pytest.mark.parametrize("what", STRUCTURE)
@pytest.mark.parametrize(("name", "file"), [("coco", COCO), ("ap-10k", OFFICIAL)])
def test_files_that_cannot_be_sorted(tmp_path: Path, name: str, file: str, what: str) -> None:
    dataset = make(tmp_path, name)
    damage, message = STRUCTURE[what]
    damage(tmp_path / file)
    with pytest.raises(InputError, match=message) as caught:
        read_all(dataset)
    assert Path(file).name in str(caught.value)


@pytest.mark.parametrize("what", OBJECT)
@pytest.mark.parametrize(
    ("name", "file"), [("coco", COCO), ("ap-10k", OFFICIAL), ("ap-10k pairs", PAIRED)]
)
def test_objects_that_are_wrong(tmp_path: Path, name: str, file: str, what: str) -> None:
    dataset = make(tmp_path, name)
    values, message = OBJECT[what]
    count = 15 if name == "coco" else 17
    numbers = values.get("keypoints", ())
    if len(numbers) > 3:
        values = {"keypoints": numbers[: count * len(numbers) // 17]}
    edit(lambda v: (v["annotations"][0] if "annotations" in v else v).update(values))(
        tmp_path / file
    )
    with pytest.raises(InputError, match=message) as caught:
        read_all(dataset)
    assert Path(file).name in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "no such file"),
        (truncate, "not a whole JSON file"),
        (edit(lambda v: v.pop("keypoints")), "missing keypoints"),
        (edit(lambda v: v.update(keypoints=None)), "expected 17 triples x, y, v, found None"),
        (edit(lambda v: v.update(width=0)), "width: expected a positive integer, found 0"),
        (edit(lambda v: v.update(height=None)), "height: expected a positive integer"),
    ],
)
def test_annotations_of_the_benchmark(tmp_path: Path, damage: Any, message: str) -> None:
    dataset = make(tmp_path, "ap-10k pairs")
    damage(tmp_path / PAIRED)
    with pytest.raises(InputError, match=message) as caught:
        read_all(dataset)
    assert "a1.json" in str(caught.value)


def test_pairs_of_the_benchmark_that_name_other_files(tmp_path: Path) -> None:
    dataset = make(tmp_path, "ap-10k pairs")
    [path] = (tmp_path / "PairAnnotation" / "val").glob("*-d4-e5:cat.json")
    for value in ("../../etc/d4.json", "data/ImageAnnotation/Felidae/cat/e5.json", 3):
        edit(lambda v, value=value: v.update(src_json_path=value))(path)
        with pytest.raises(InputError, match=r"src_json_path: expected \.\.\./ImageAnnotation/Fel"):
            list(dataset.pairs("cat", "val"))
    (tmp_path / "ImageAnnotation" / "Felidae").rename(tmp_path / "ImageAnnotation" / "x")
    (tmp_path / "ImageAnnotation" / "x" / "cat").rename(tmp_path / "ImageAnnotation" / "x" / "dog")
    with pytest.raises(InputError, match=r"ImageAnnotation/<family>/cat: no such folder"):
        make_again(tmp_path).categories()


def make_again(root: Path) -> Dataset:
    from semalign3d.datasets import open_dataset

    return open_dataset("ap-10k", root)


def test_all_missing_files_of_ap10k_come_together(tmp_path: Path) -> None:
    dataset = make_again(tmp_path)
    with pytest.raises(InputError) as caught:
        dataset.categories()
    assert len(caught.value.problems) == 3
    assert "folder of AP-10K" in caught.value.hint


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "no such file"),
        (truncate, "not a whole MATLAB file"),
        (text("nonsense" * 100), "not a whole MATLAB file"),
        (text(""), "not a whole MATLAB file"),
        (mat(points=np.zeros((16, 2))), "expected an array named kps"),
        (mat(kps=np.zeros((16, 3))), "kps: expected K x 2 numbers, found 16 x 3"),
        (mat(kps=np.array(["a", "b"])), "kps: expected K x 2 numbers"),
        (mat(kps=np.zeros((15, 2))), "kps: expected 16 keypoints, found 15"),
        (mat(kps=np.full((16, 2), [NAN, 3])), "keypoints 0, 1, .*: expected finite x, y or NaN"),
        (mat(kps=np.full((16, 2), [1, INF])), "keypoints 0, 1, .*: expected finite x, y or NaN"),
    ],
)
def test_keypoints_of_pf_pascal(tmp_path: Path, damage: Any, message: str) -> None:
    dataset = make(tmp_path, "pf-pascal")
    damage(tmp_path / MAT)
    with pytest.raises(InputError, match=message) as caught:
        read_all(dataset)
    assert "a1.mat" in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "no such file"),
        (lambda path: path.write_bytes(b"\xff\xfe\x00"), "cannot be read as a table"),
        (text(""), "no pairs"),
        (text("a,b\n1,2\n"), "no column source_image, target_image, class"),
        (text(HEAD + ROW.replace("8", "21") + "1,1,1,1"), "row 1: class: expected 1 to 20"),
        (text(HEAD + ROW.replace("8", "cat") + "1,1,1,1"), "row 1: class: expected 1 to 20"),
        (text(HEAD + ROW.replace("JPEGImages/d4", "../d4") + "1,1,1,1"), "a path inside"),
        (text(HEAD + ROW + "1;2,1,1,1"), "row 1: expected as many finite coordinates"),
        (text(HEAD + ROW + "nan,1,1,1"), "row 1: expected as many finite coordinates"),
        (text(HEAD + ROW + "one,1,1,1"), "row 1: could not convert"),
    ],
)
def test_lists_of_pf_pascal(tmp_path: Path, damage: Any, message: str) -> None:
    dataset = make(tmp_path, "pf-pascal")
    damage(tmp_path / LIST)
    with pytest.raises(InputError, match=message) as caught:
        dataset.categories()
    assert LIST in str(caught.value)


def test_images_of_pf_pascal_that_are_missing(tmp_path: Path) -> None:
    dataset = make(tmp_path, "pf-pascal")
    (tmp_path / "JPEGImages" / "a1.jpg").unlink()
    (tmp_path / "JPEGImages" / "d4.jpg").write_text("nonsense")
    with pytest.raises(InputError) as caught:
        load_records(dataset, "cat", ("trn", "val"))
    missing, undecodable = caught.value.problems
    assert "a1.jpg: no such image" in missing
    assert "d4.jpg: cannot be decoded" in undecodable


def test_many_wrong_entries_do_not_flood_the_terminal(tmp_path: Path) -> None:
    dataset = make(tmp_path, "coco")
    wrong = {"category_id": 7, "keypoints": [1, 2, 2]}
    edit(lambda v: v["annotations"].extend({"image_id": 99 + i, **wrong} for i in range(500)))(
        tmp_path / COCO
    )
    with pytest.raises(InputError, match="and 480 more"):
        dataset.categories()


@given(st.text(max_size=20))
def test_any_path_is_inside_or_refused(name: str) -> None:
    if is_plain_path(name):
        root = Path("root").resolve()
        assert root in (root / name).resolve().parents
