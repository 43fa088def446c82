"""COCO-keypoint files as labelling tools export them: read, skipped and named, or refused."""

import contextlib
import copy
import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import COUNT, make_content, write_coco

from semalign3d.datasets import Dataset, load_records, open_dataset
from semalign3d.datasets.coco.ids import Ids, read_id
from semalign3d.datasets.coco.photo_names import PhotoFinder
from semalign3d.errors import InputError

CONTENT = make_content()
ZEROS = [0] * (3 * COUNT)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_coco(tmp_path, CONTENT)
    return tmp_path


def edit(root: Path, change: Callable[[dict[str, Any]], Any]) -> Dataset:
    path = root / "cat.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))
    return open_dataset("coco", root / "photos", annotations=path, val=0, test=0)


def remarks(dataset: Dataset) -> str:
    found = dataset.remarks("cat")
    assert {remark.level for remark in found} <= {"note"}
    return "\n".join(remark.text for remark in found)


def problems(dataset: Dataset) -> tuple[str, ...]:
    with pytest.raises(InputError) as caught:
        dataset.splits("cat")
    return caught.value.problems


def stems(dataset: Dataset) -> tuple[str, ...]:
    return dataset.splits("cat")["trn"]


class TestIds:
    def test_whole_floats_and_texts_are_the_same_ids(self, root: Path) -> None:
        def change(values: dict[str, Any]) -> None:
            for number, annotation in enumerate(values["annotations"]):
                annotation["image_id"] = (float(number), str(number), f" {number}.0 ")[number % 3]
                annotation["category_id"] = (7.0, "7")[number % 2]
            for image in values["images"]:
                image |= {"width": float(image["width"]), "height": str(image["height"])}

        before = load_records(edit(root, lambda v: None), "cat", ["trn"])
        after = load_records(edit(root, change), "cat", ["trn"])
        assert len(after) == 7
        for old, new in zip(before, after, strict=True):
            assert (old.width, old.height, old.box) == (new.width, new.height, new.box)
            np.testing.assert_array_equal(old.keypoints, new.keypoints)

    def test_numbers_are_matched_only_where_one_is_meant(self) -> None:
        ids = Ids([1, "2", "007", "7", "a-1"])
        assert [ids.find(each) for each in (1, "1", 2, "a-1", "7", "007")] == [
            *(1, 1, "2", "a-1", "7", "007")
        ]
        assert [ids.find(each) for each in (7, 3, "b", None)] == [None] * 4
        assert [read_id(each) for each in (True, 1.5, None, [], "", float("nan"))] == [None] * 6

    @pytest.mark.parametrize("value", [1.5, None, True, [1], ""])
    def test_what_can_be_no_id_is_named(self, root: Path, value: Any) -> None:
        found = problems(edit(root, lambda v: v["annotations"][3].update(image_id=value)))
        assert len(found) == 1
        assert "annotations[3]: image_id: expected a whole number or a text" in found[0]


class TestEmptyObjects:
    @pytest.mark.parametrize(
        "values",
        [
            {"keypoints": [], "bbox": [0, 0, 0, 0]},
            {"keypoints": None},
            {"keypoints": ZEROS},
            {"keypoints": [[5, 5, 0]] * COUNT},
            {"keypoints": [], "segmentation": [[1, 1, 5, 5, 1, 5]], "bbox": [1, 1, 4, 4]},
        ],
    )
    def test_a_photo_with_nothing_else_is_left_out_and_named(
        self, root: Path, values: dict[str, Any]
    ) -> None:
        dataset = edit(root, lambda v: v["annotations"][1].update(values))
        assert "b 2" not in stems(dataset)
        assert len(load_records(dataset, "cat", ["trn"])) == 6
        assert "1 photo left out, since no keypoint of cat is labelled there: b 2.jpg" in remarks(
            dataset
        )

    def test_beside_a_good_one_it_is_noted(self, root: Path) -> None:
        empty = {"image_id": 1, "category_id": 7, "iscrowd": 1, "keypoints": []}
        dataset = edit(root, lambda v: v["annotations"].append(empty))
        assert len(stems(dataset)) == 7
        [note] = dataset.record("cat", "b 2", "trn").notes
        assert note.endswith("annotations[7] of b 2.jpg: skipped, it has no labelled keypoint")

    def test_photos_without_annotation_are_named(self, root: Path) -> None:
        new = {"id": 99, "file_name": "new.jpg", "width": 5, "height": 5}
        dataset = edit(root, lambda v: v["images"].append(new))
        assert "1 photo without annotation left out: new.jpg" in remarks(dataset)
        named = open_dataset("coco", root / "photos", annotations=root / "cat.json", test=["new"])
        assert named.splits("cat")["test"] == (), "unlabelled, but no unknown name"

    def test_an_empty_annotation_of_an_unknown_photo_is_no_problem(self, root: Path) -> None:
        lost = {"image_id": 99, "category_id": 7, "keypoints": []}
        assert len(stems(edit(root, lambda v: v["annotations"].append(lost)))) == 7

    def test_triples_in_lists_of_their_own(self, root: Path) -> None:
        def nest(values: dict[str, Any]) -> None:
            flat = values["annotations"][0]["keypoints"]
            values["annotations"][0]["keypoints"] = np.reshape(flat, (-1, 3)).tolist()

        before = edit(root, lambda v: None).record("cat", "a1", "trn")
        np.testing.assert_array_equal(
            edit(root, nest).record("cat", "a1", "trn").keypoints, before.keypoints
        )


def test_a_photo_without_size_has_that_of_its_file(root: Path) -> None:
    def change(values: dict[str, Any]) -> None:
        values["images"][0] = {"id": 0, "file_name": "a1.jpg"}
        values["images"][1] |= {"width": 0, "height": 0}
        values["images"][2].pop("width")

    dataset = edit(root, change)
    for image in CONTENT["trn"][:2]:
        record = dataset.record("cat", image.stem, "trn")
        assert (record.width, record.height) == image.size
        [note] = record.notes
        assert "no width and height: those of the photo are taken" in note
    with pytest.raises(InputError, match="width: expected a positive integer, found None"):
        dataset.record("cat", "c(3)", "trn")


class TestFaults:
    def test_a_bad_name_is_one_problem_and_hides_no_other(self, root: Path) -> None:
        def change(values: dict[str, Any]) -> None:
            values["images"][0]["file_name"] = "a{1}.jpg"
            values["images"][3].pop("file_name")
            values["annotations"][2]["bbox"] = [1, 2, -3, 4]
            values["annotations"][4]["keypoints"] = [1, 2, 2]

        found = problems(edit(root, change))
        assert len(found) == 4
        for text in (
            "images[0]: file_name 'a{1}.jpg': the character '{' can't be in it",
            "images[3]: missing file_name",
            "annotations[2] of c(3).jpg: bbox: expected numbers",
            f"annotations[4] of e5.jpg: keypoints: expected {COUNT} triples",
        ):
            assert any(text in problem for problem in found), text

    def test_annotations_of_one_unknown_photo_are_one_problem(self, root: Path) -> None:
        wrong = {"image_id": 99, "category_id": 7, "keypoints": [1, 2, 2] * COUNT}
        [problem] = problems(edit(root, lambda v: v["annotations"].extend([wrong] * 50)))
        assert problem.endswith(
            "annotations[7], annotations[8], annotations[9], and 47 more: "
            "image_id: no image has the id 99"
        )

    def test_lost_ids_are_no_further_problems(self, root: Path) -> None:
        def change(values: dict[str, Any]) -> None:
            values["images"][0].pop("file_name")
            values["annotations"][4]["image_id"] = 99

        assert len(problems(edit(root, change))) == 2, "image 0 can be told apart from 99"
        edit(root, lambda v: v["images"][0].update(file_name="a1.jpg"))
        edit(root, lambda v: v["annotations"][4].update(image_id=4))
        [problem] = problems(edit(root, lambda v: v["images"][0].pop("id")))
        assert "images[0]: missing id" in problem
        edit(root, lambda v: v["images"][0].update(id=0))
        [problem] = problems(edit(root, lambda v: v["categories"].append({"id": [], "name": "x"})))
        assert "categories[1]: id: expected" in problem

    def test_names_that_do_not_fit_the_annotations_are_one_problem(self, root: Path) -> None:
        dataset = edit(root, lambda v: v["categories"][0]["keypoints"].pop())
        with pytest.raises(InputError) as caught:
            dataset.categories()
        [problem] = caught.value.problems
        assert "names of 14 keypoints, but each of its 7 annotations has 45 numbers" in problem

    @pytest.mark.parametrize(
        ("value", "fault"),
        [
            ("12:30.jpg", "the character ':' can't be in it"),
            ("a\tb.jpg", "the character '\\t' can't be in it"),
            ("", "it is empty"),
            ("  ", "it is empty"),
            (".a.jpg", "it starts with a dot"),
            ("more/.a.jpg", "it starts with a dot ('.a.jpg')"),
            ("../../none.jpg", "it lies outside the folder of photos, which has no 'none.jpg'"),
            ("/nowhere/a9.jpg", "it lies outside the folder of photos"),
            ("data:image/png;base64," + "A" * 5000, "can't be in it"),
            (17, "expected a text, found 17"),
        ],
    )
    def test_a_name_is_refused_with_what_is_at_fault(
        self, root: Path, value: Any, fault: str
    ) -> None:
        [problem] = problems(edit(root, lambda v: v["images"][0].update(file_name=value)))
        assert "images[0]: file_name" in problem
        assert fault in problem
        assert len(problem) < 400

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            ([{"data": {}, "annotations": []}], "this is Label Studio's own format"),
            ({"shapes": [], "imagePath": "a.jpg"}, "this is labelme's own format"),
            ({"_via_img_metadata": {}}, "this is VIA's own format"),
            ({"items": [], "categories": {}}, "this is Datumaro's format"),
        ],
    )
    def test_formats_of_other_tools_are_told(self, root: Path, content: Any, text: str) -> None:
        (root / "cat.json").write_text(json.dumps(content))
        with pytest.raises(InputError, match=text):
            open_dataset("coco", root, annotations=root / "cat.json").categories()


def test_a_missing_folder_is_one_problem(root: Path) -> None:
    with pytest.raises(InputError, match="nowhere: no such folder") as caught:
        open_dataset("coco", root / "nowhere", annotations=root / "cat.json").categories()
    assert len(caught.value.problems) == 1


class TestCategories:
    def test_blanks_and_unicode_forms_of_names_play_no_part(self, root: Path) -> None:
        name = unicodedata.normalize("NFD", " Stühle ")
        dataset = edit(root, lambda v: v["categories"][0].update(name=name))
        assert dataset.categories() == ("Stühle",)

    def test_others_are_left_out_and_named(self, root: Path) -> None:
        more = [
            {"id": 0, "name": "root", "supercategory": "none"},
            {"id": 8, "name": "hat", "keypoints": ["brim"]},
        ]
        dataset = edit(root, lambda v: v["categories"].extend(more))
        assert dataset.categories() == ("cat",)
        text = remarks(dataset)
        assert "'root' has no keypoint names" in text
        assert "'hat' has no annotation" in text
        for name, why in (
            ("root", "category 'root' has no keypoint names"),
            ("hat", "category 'hat' has no annotation; there are: cat"),
            ("cats", "no category 'cats'; did you mean 'cat'"),
        ):
            with pytest.raises(InputError, match=why):
                dataset.splits(name)

    def test_a_faulty_category_hides_no_other(self, root: Path) -> None:
        bad = {"id": 9, "name": "a/b", "keypoints": ["x"]}
        dataset = edit(root, lambda v: v["categories"].append(bad))
        assert dataset.categories() == ("cat",)
        [warning] = dataset.remarks("cat")
        assert warning.level == "warning"
        assert "category 'a/b' can't be used: the character '/'" in warning.text

    def test_names_are_missing_where_annotations_have_keypoints(self, root: Path) -> None:
        dataset = edit(root, lambda v: v["categories"][0].update(keypoints=[]))
        with pytest.raises(InputError, match=f"though its annotations have {COUNT} keypoints each"):
            dataset.categories()

    def test_the_same_category_twice_is_one(self, root: Path) -> None:
        dataset = edit(
            root, lambda v: v["categories"].append({**v["categories"][0], "id": 8, "name": "cat "})
        )
        edit(root, lambda v: v["annotations"][0].update(category_id=8))
        assert len(stems(dataset)) == 7

    def test_numbers_as_names_of_keypoints(self, root: Path) -> None:
        dataset = edit(
            root, lambda v: v["categories"][0].update(keypoints=list(range(1, COUNT + 1)))
        )
        assert dataset.keypoint_names("cat")[:3] == ("1", "2", "3")


class TestSameNames:
    def test_photos_of_one_name_in_several_folders(self, root: Path) -> None:
        photos = root / "photos"
        for folder, name in (("train", "a1.jpg"), ("test", "d4.jpg")):
            (photos / folder).mkdir()
            shutil.move(photos / name, photos / folder / "frame_0.jpg")

        def change(values: dict[str, Any]) -> None:
            values["images"][0]["file_name"] = "train/frame_0.jpg"
            values["images"][3]["file_name"] = "test/frame_0.jpg"

        dataset = edit(root, change)
        assert {"train_frame_0", "test_frame_0"} <= set(stems(dataset))
        assert "train/frame_0.jpg is train_frame_0" in remarks(dataset)
        record = dataset.record("cat", "test_frame_0", "trn")
        assert record.path == photos / "test" / "frame_0.jpg"
        assert record.stem == "test_frame_0"
        options = {"annotations": root / "cat.json", "val": 0}
        listed = open_dataset("coco", photos, test=["test/frame_0.jpg"], **options)
        assert listed.splits("cat")["test"] == ("test_frame_0",)
        with pytest.raises(InputError, match="'frame_0' could be test_frame_0, train_frame_0"):
            open_dataset("coco", photos, test=["frame_0"], **options).splits("cat")

    def test_photos_that_differ_in_their_ending(self, root: Path) -> None:
        shutil.copy(root / "photos" / "b 2.jpg", root / "photos" / "a1.png")
        dataset = edit(root, lambda v: v["images"][1].update(file_name="a1.png"))
        assert {"a1_jpg", "a1_png"} <= set(stems(dataset))

    def test_a_photo_listed_twice_is_one(self, root: Path) -> None:
        def change(values: dict[str, Any]) -> None:
            values["images"].append({**values["images"][0], "id": 50})
            values["annotations"].append({**values["annotations"][0], "image_id": 50})

        dataset = edit(root, change)
        assert len(stems(dataset)) == 7
        assert "read as one photo each: a1.jpg (ids 0, 50)" in remarks(dataset)

    def test_one_file_is_not_taken_for_two_photos(self, root: Path) -> None:
        def change(values: dict[str, Any]) -> None:
            values["images"][0]["file_name"] = "train/a1.jpg"
            values["images"][1]["file_name"] = "test/a1.jpg"

        [problem] = problems(edit(root, change))
        assert "'test/a1.jpg': of this and 'train/a1.jpg' only a1.jpg is in the folder" in problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    for name in (
        "a.jpg",
        "B.JPG",
        "sub/c d.jpg",
        unicodedata.normalize("NFD", "ü.png"),
        "100%.png",
    ):
        (tmp_path / "photos" / name).write_text("")
    return tmp_path


def found(folder: Path, name: str) -> str:
    return str(PhotoFinder(folder / "photos", folder).find(name).path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", "a.jpg"),
        (" a.jpg ", "a.jpg"),
        ("a .jpg", "a.jpg"),
        ("./a.jpg", "a.jpg"),
        ("sub\\c d.jpg", "sub/c d.jpg"),
        (".\\sub\\c d.jpg", "sub/c d.jpg"),
        ("images\\1/a.jpg", "a.jpg"),
        ("photos/a.jpg", "a.jpg"),
        ("../photos/sub/c d.jpg", "sub/c d.jpg"),
        ("sub/../a.jpg", "a.jpg"),
        ("a.JPG", "a.jpg"),
        ("b.jpg", "B.JPG"),
        ("Sub/C D.jpg", "sub/c d.jpg"),
        ("ü.png", unicodedata.normalize("NFD", "ü.png")),
        ("100%.png", "100%.png"),
        ("100%25.png", "100%.png"),
        ("sub/c%20d.jpg", "sub/c d.jpg"),
        ("{photos}/sub/c d.jpg", "sub/c d.jpg"),
        ("file://{photos}/sub/c%20d.jpg", "sub/c d.jpg"),
        ("file:///C:/Users/me/sub/c%20d.jpg", "sub/c d.jpg"),
        ("C:\\Users\\me\\photos\\sub\\c d.jpg", "sub/c d.jpg"),
        ("/home/me/photos/a.jpg", "a.jpg"),
        ("/data/upload/1/abc123-a.jpg", "a.jpg"),
        ("/data/upload/12/0a1b2c3d-c%20d.jpg", "c d.jpg"),
        ("/data/local-files/?d=sub/c%20d.jpg", "sub/c d.jpg"),
        ("/data/local-files/?d=photos/a.jpg", "a.jpg"),
        ("/data/local-files/?d=sub/c+d.jpg", "sub/c d.jpg"),
        ("../../label-studio/data/media/upload/1/1d2f3e4a-a.jpg", "a.jpg"),
        ("https://host/x/sub/c%20d.jpg?token=1", "sub/c d.jpg"),
        ("s3://bucket/some/a.jpg", "a.jpg"),
    ],
)
def test_names_of_photos(folder: Path, name: str, expected: str) -> None:
    if name.startswith("/data/upload/12"):
        (folder / "photos" / "c d.jpg").write_text("")
    assert found(folder, name.replace("{photos}", str(folder / "photos"))) == expected


def test_a_linked_folder_is_the_folder(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "photos")
    for name in (f"{folder}/link/a.jpg", f"{folder}/photos/a.jpg"):
        assert str(PhotoFinder(folder / "link", folder).find(name).path) == "a.jpg"
        assert found(folder, name) == "a.jpg"


def test_a_photo_that_is_elsewhere_is_not_another_of_its_name(folder: Path) -> None:
    (folder / "other").mkdir()
    (folder / "other" / "a.jpg").write_text("")
    for name in (f"{folder}/other/a.jpg", f"file://{folder}/other/a.jpg", "../other/a.jpg"):
        with pytest.raises(ValueError, match="folder of photos"):
            found(folder, name)


def test_two_files_that_differ_in_case(folder: Path) -> None:
    (folder / "photos" / "A.JPG").write_text("")
    if len(os.listdir(folder / "photos")) < 6:
        pytest.skip("the file system takes no notice of case")
    assert found(folder, "A.JPG") == "A.JPG"
    with pytest.raises(ValueError, match=r"it could be A\.JPG or a\.jpg"):
        found(folder, "A.jpg")


@given(st.text(max_size=30))
def test_any_name_stays_in_the_folder_or_is_refused(tmp_path_factory: Any, name: str) -> None:
    root = tmp_path_factory.getbasetemp()
    try:
        path = PhotoFinder(root, root.parent).find(name).path
    except ValueError:
        return
    assert not path.is_absolute()
    assert ".." not in path.parts


ODD = [
    *(
        None,
        True,
        -1,
        1.5,
        float("nan"),
        10**30,
        "",
        "7",
        "../x",
        "\x00",
        "\ud800",
        "C:\\x\\a1.jpg",
    ),
    *("file://", "http://[", "?d=", [], [[]], {}, {"a": 1}, ["left", "left"], "x" * 3000),
]


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = [(*place, key) for key, _ in inner]
    for key in list(value) if isinstance(value, dict) else range(min(len(value), 3)):
        if isinstance(value[key], dict | list):
            found += _places(value[key], (*place, key))
    return found


@given(st.data())
def test_any_odd_value_is_read_or_named(tmp_path_factory: Any, data: st.DataObject) -> None:
    root = tmp_path_factory.getbasetemp() / "odd"
    if not root.is_dir():
        write_coco(root, CONTENT)
        shutil.copy(root / "cat.json", root / "sound.json")
    values = json.loads((root / "sound.json").read_text())
    for _ in range(2):
        *way, last = data.draw(st.sampled_from(_places(values)))
        holder = values
        for key in way:
            holder = holder[key]
        holder[last] = copy.deepcopy(data.draw(st.sampled_from(ODD)))
    (root / "cat.json").write_text(json.dumps(values))
    dataset = open_dataset("coco", root / "photos", annotations=root / "cat.json")
    with contextlib.suppress(InputError):
        for category in dataset.categories():
            load_records(dataset, category, dataset.splits(category))
            dataset.remarks(category)
