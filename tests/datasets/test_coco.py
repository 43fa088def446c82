"""COCO-keypoint files: real AP-10K sample, choices of splits, mirror tables, several objects."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from layouts import COUNT, make_content, write_coco, write_pf_pascal

from semalign3d.datasets import open_dataset
from semalign3d.datasets.mirror_tables import AP_10K, PF_PASCAL, listed_ids, mirror_permutation
from semalign3d.datasets.pairing import TARGETS, all_pairs
from semalign3d.errors import InputError

SAMPLE = Path(__file__).parents[1] / "data" / "ap10k-sample" / "annotations.json"
CONTENT = make_content()


def edited(root: Path, change) -> None:
    path = root / "cat.json"
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(values))


class TestRealSample:
    def test_as_a_coco_file(self, tmp_path: Path) -> None:
        dataset = open_dataset("coco", tmp_path, annotations=SAMPLE, test=0, val=0)
        assert dataset.categories() == ("antelope", "jaguar")
        assert dataset.splits("jaguar")["trn"] == ("000000037516",)
        record = dataset.record("jaguar", "000000037516", "trn")
        assert (record.width, record.height) == (1200, 867)
        assert record.box == (66, 192, 1158, 704)
        assert record.visible.sum() == 16
        assert not record.visible[1]
        assert record.keypoints[4].tolist() == [890, 287]
        assert record.path == tmp_path / "000000037516.jpg"
        assert dataset.keypoint_names("jaguar")[4] == "root_of_tail"
        expected = mirror_permutation(AP_10K)
        assert dataset.mirror("jaguar").tolist() == expected.tolist()

    def test_as_ap10k(self, tmp_path: Path) -> None:
        (tmp_path / "annotations").mkdir()
        values = json.loads(SAMPLE.read_text())
        for split, keep in (("train", 0), ("val", 1), ("test", None)):
            found = [values["annotations"][keep]] if keep is not None else []
            (tmp_path / "annotations" / f"ap10k-{split}-split2.json").write_text(
                json.dumps(values | {"annotations": found})
            )
        dataset = open_dataset("ap-10k", tmp_path, partition=2)
        assert dataset.splits("jaguar") == {"trn": ("000000037516",), "val": (), "test": ()}
        assert dataset.splits("antelope") == {"trn": (), "val": ("000000000004",), "test": ()}
        record = dataset.record("antelope", "000000000004", "val")
        assert record.path == tmp_path / "data" / "000000000004.jpg"
        assert record.keypoints[0].tolist() == [488, 443]
        with pytest.raises(InputError, match=r"ap10k-train-split1\.json: no such file"):
            open_dataset("ap-10k", tmp_path).categories()

    def test_the_merged_annotation_of_the_benchmark(self, tmp_path: Path) -> None:
        values = json.loads(SAMPLE.read_text())
        folder = tmp_path / "ImageAnnotation" / "Felidae" / "noisy night monkey"
        folder.mkdir(parents=True)
        merged = values["images"][0] | values["annotations"][0]
        for stem in ("000000037516", "000000037517"):
            (folder / f"{stem}.json").write_text(json.dumps(merged))
        pairs = tmp_path / "PairAnnotation" / "test"
        pairs.mkdir(parents=True)
        name = "000001-000000037516-000000037517:noisy night monkey"
        paths = {
            "src_json_path": "data/ap-10k/" + "/".join(folder.parts[-3:]) + "/000000037516.json",
            "trg_json_path": "data/ap-10k/" + "/".join(folder.parts[-3:]) + "/000000037517.json",
        }
        (pairs / f"{name}.json").write_text(json.dumps(paths))
        dataset = open_dataset("ap-10k", tmp_path)
        assert dataset.categories() == ("noisy night monkey",)
        [pair] = dataset.pairs("noisy night monkey", "test")
        assert len(pair.ids) == 16
        assert pair.target_box == (66, 192, 1158, 704)
        record = dataset.record("noisy night monkey", pair.source, "test")
        assert record.path.parts[-3:] == ("Felidae", "noisy night monkey", "000000037516.jpg")


class TestSplits:
    def test_shares_are_seeded_and_hardly_moved_by_a_new_image(self, tmp_path: Path) -> None:
        def splits(count: int, seed: int = 0) -> dict[str, tuple[str, ...]]:
            path = tmp_path / f"{count}.json"
            images = [{"id": i, "file_name": f"im {i}.png"} for i in range(count)]
            boxes = [
                {"image_id": i, "category_id": 1, "keypoints": [1, 2, 2]} for i in range(count)
            ]
            category = {"id": 1, "name": "mug", "keypoints": ["rim"]}
            path.write_text(
                json.dumps({"images": images[::-1], "annotations": boxes, "categories": [category]})
            )
            options = {"annotations": path, "val": 0.1, "test": 0.25, "seed": seed}
            return open_dataset("coco", tmp_path, **options).splits("mug")

        before = splits(40)
        assert {split: len(found) for split, found in before.items()} == {
            "trn": 26,
            "val": 4,
            "test": 10,
        }
        assert sorted(sum(before.values(), ())) == sorted(f"im {i}" for i in range(40))
        assert splits(40) == before
        assert splits(40, seed=1) != before
        moved = set(before["trn"]) - set(splits(41)["trn"])
        assert len(moved) <= 1

    def test_lists_may_name_files_and_other_categories(self, tmp_path: Path) -> None:
        dataset = write_coco(tmp_path, CONTENT, test=["f6.jpg", "g7"], val=0)
        assert dataset.splits("cat") == {
            "trn": ("a1", "b 2", "c(3)", "d4", "e5"),
            "val": (),
            "test": ("f6", "g7"),
        }
        options = {"annotations": tmp_path / "cat.json"}
        for lists, message in (
            ({"val": ["h8", "i9"]}, r"dataset\.val: no image 'h8'"),
            ({"val": ["a1"], "test": ["a1.jpg"]}, r"both hold a1"),
        ):
            with pytest.raises(InputError, match=message):
                open_dataset("coco", tmp_path, **options, **lists).splits("cat")

    def test_images_of_pf_pascal_in_several_lists(self, tmp_path: Path) -> None:
        dataset = write_pf_pascal(tmp_path, CONTENT)
        with open(tmp_path / "train_pairs_pf_pascal.csv", "a") as file:
            file.write("JPEGImages/a1.jpg,JPEGImages/f6.jpg,8,0\n")
        assert dataset.splits("cat") == {
            "trn": ("a1", "b 2", "c(3)"),
            "val": ("d4", "e5"),
            "test": ("f6", "g7"),
        }
        [note] = dataset.record("cat", "f6", "test").notes
        assert note.endswith("in the lists of trn, test; it counts as test")
        assert dataset.record("cat", "a1", "trn").notes == ()
        assert ("a1", "f6") in {(p.source, p.target) for p in dataset.pairs("cat", "trn")}


class TestObjects:
    def test_the_object_with_most_keypoints_is_taken(self, tmp_path: Path) -> None:
        dataset = write_coco(tmp_path, CONTENT)
        truth = dataset.record("cat", "a1", "trn")

        def add(values: dict) -> None:
            few = dict(values["annotations"][0])
            few |= {"bbox": [0, 0, 30, 30], "keypoints": [1, 1, 2] + [0, 0, 0] * (COUNT - 1)}
            values["annotations"].insert(0, few)

        edited(tmp_path, add)
        options = {"annotations": tmp_path / "cat.json"}
        record = open_dataset("coco", tmp_path, **options).record("cat", "a1", "trn")
        np.testing.assert_array_equal(record.keypoints, truth.keypoints)
        assert record.box == truth.box
        [note] = record.notes
        assert note.endswith("a1.jpg: shows 2 of category cat, one is taken")

    def test_hidden_keypoints_are_left_out_and_noted(self, tmp_path: Path) -> None:
        write_coco(tmp_path, CONTENT)
        seen = np.flatnonzero(np.isfinite(CONTENT["trn"][0].keypoints[:, 0]))

        def hide(values: dict) -> None:
            for number in seen[:2]:
                values["annotations"][0]["keypoints"][3 * number + 2] = 1

        edited(tmp_path, hide)
        options = {"annotations": tmp_path / "cat.json"}
        record = open_dataset("coco", tmp_path, **options).record("cat", "a1", "trn")
        assert np.flatnonzero(record.visible).tolist() == seen[2:].tolist()
        [note] = record.notes
        assert f"keypoints {seen[0]}, {seen[1]} left out: labelled as hidden" in note
        record = open_dataset("coco", tmp_path, hidden=True, **options).record("cat", "a1", "trn")
        assert np.flatnonzero(record.visible).tolist() == seen.tolist()
        assert record.notes == ()

    def test_an_object_without_box_gets_the_whole_image(self, tmp_path: Path) -> None:
        write_coco(tmp_path, CONTENT)
        edited(tmp_path, lambda v: v["annotations"][0].pop("bbox"))
        edited(tmp_path, lambda v: v["annotations"][1].update(bbox=[0, 0, 0, 0]))
        dataset = open_dataset("coco", tmp_path, annotations=tmp_path / "cat.json")
        edited(tmp_path, lambda v: v["annotations"][2].update(bbox=[5, 5, 9, 0]))
        for image in CONTENT["trn"][:3]:
            record = dataset.record("cat", image.stem, "trn")
            assert record.box == (0, 0, *image.size)
            assert "the whole image is taken" in record.notes[0]

    def test_a_keypoint_outside_its_image_is_noted(self, tmp_path: Path) -> None:
        write_coco(tmp_path, CONTENT)
        edited(
            tmp_path, lambda v: v["annotations"][0]["keypoints"].__setitem__(slice(3), [90, 1, 2])
        )
        dataset = open_dataset("coco", tmp_path, annotations=tmp_path / "cat.json")
        [note] = dataset.record("cat", "a1", "trn").notes
        assert "keypoint 0 at (90, 1) left out: outside the image" in note

    def test_photos_in_folders(self, tmp_path: Path) -> None:
        write_coco(tmp_path, CONTENT)
        shutil.move(tmp_path / "photos" / "a1.jpg", tmp_path / "a1.jpg")
        edited(tmp_path, lambda v: v["images"][0].update(file_name="more photos/a1.jpg"))
        dataset = open_dataset("coco", tmp_path / "photos", annotations=tmp_path / "cat.json")
        assert dataset.image_path("cat", "a1") == tmp_path / "photos" / "more photos" / "a1.jpg"

    def test_categories_without_keypoints_are_no_categories(self, tmp_path: Path) -> None:
        write_coco(tmp_path, CONTENT)
        edited(tmp_path, lambda v: v["categories"].append({"id": 8, "name": "box / crate"}))
        dataset = open_dataset("coco", tmp_path, annotations=tmp_path / "cat.json")
        assert dataset.categories() == ("cat",)


class TestMirrorTables:
    def test_from_the_configuration(self, tmp_path: Path) -> None:
        dataset = write_coco(tmp_path, CONTENT, mirror=[["point 0", 3]])
        assert dataset.mirror("cat")[:4].tolist() == [3, 1, 2, 0]
        options = {"annotations": tmp_path / "cat.json", "mirror": "none"}
        assert open_dataset("coco", tmp_path, **options).mirror("cat") is None

    @pytest.mark.parametrize("category", PF_PASCAL)
    def test_of_pf_pascal(self, category: str) -> None:
        mirror = mirror_permutation(PF_PASCAL[category])
        assert mirror[mirror].tolist() == list(range(len(mirror)))
        assert listed_ids(PF_PASCAL[category]) == tuple(range(len(mirror)))
        assert len(PF_PASCAL) == 20


def test_pairs_of_many_images_are_spread_evenly(tmp_path: Path) -> None:
    dataset = write_coco(tmp_path, CONTENT)
    record = dataset.record("cat", "a1", "trn")
    stems = [f"s{i:03d}" for i in range(60)]
    found = list(all_pairs("cat", stems, lambda stem: record))
    assert len(found) == 60 * TARGETS
    assert len({pair.name for pair in found}) == len(found)
