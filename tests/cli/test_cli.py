"""`semalign3d init` and `semalign3d check`: from a COCO-keypoint file to a configuration."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from layouts import COUNT, make_content, write_coco, write_pf_pascal

from semalign3d.cli import main
from semalign3d.config import read_configuration
from semalign3d.datasets import open_dataset
from semalign3d.pipeline.data import DatasetFiles

ROOT = Path(__file__).parents[2]
CONTENT = make_content(more=17)
INIT = ("init", "--coco", "cat.json", "--images", "photos", "--category", "cat")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_coco(tmp_path, CONTENT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rename(folder: Path, names: list[str]) -> None:
    values = json.loads((folder / "cat.json").read_text())
    values["categories"][0]["keypoints"] = names
    (folder / "cat.json").write_text(json.dumps(values))


def test_init_writes_a_valid_configuration(folder: Path, capsys) -> None:
    rename(folder, [f"{side}_{i}" for i in range(7) for side in ("left", "right")] + ["nose"])
    assert main([*INIT, "--test", "0.3"]) == 0
    text = capsys.readouterr().out
    assert "cat: 15 trn, 2 val, 7 test images" in text
    assert "swapped in mirror images: left_0 - right_0, left_1 - right_1" in text
    assert "semalign3d check --configfile cat.yaml" in text
    assert "--configfile cat.yaml -- results/priors/cat.h5" in text
    made = yaml.safe_load((folder / "cat.yaml").read_text())
    assert made["dataset"] == {
        "name": "coco",
        "root": "photos",
        "annotations": "cat.json",
        "val": 0.1,
        "test": 0.3,
    }
    read_configuration(["cat.yaml"])


def test_a_category_without_sides_gets_no_mirror_images(folder: Path, capsys) -> None:
    assert main(INIT) == 0
    assert "mirror images are not used" in capsys.readouterr().out
    assert yaml.safe_load((folder / "cat.yaml").read_text())["dataset"]["mirror"] == "none"


def test_names_with_spaces_are_quoted(folder: Path, capsys) -> None:
    values = json.loads((folder / "cat.json").read_text())
    values["categories"][0]["name"] = "noisy night monkey"
    (folder / "cat.json").write_text(json.dumps(values))
    assert main([*INIT[:-1], "noisy night monkey"]) == 0
    assert "-- 'results/priors/noisy night monkey.h5'" in capsys.readouterr().out
    assert (folder / "noisy-night-monkey.yaml").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--category", "dog"), "cat.json: no category 'dog'; there are: cat"),
        (("--coco", "none.json"), "none.json: no such file"),
        (("--images", "none"), "--images: no folder none"),
        (("--val", "0.6", "--test", "0.6"), "expected shares below 1 together"),
        (("--mirror", "point 0,nose"), "['point 0', 'nose']: no keypoint is called 'nose'"),
    ],
)
def test_what_init_refuses(folder: Path, capsys, arguments, message: str) -> None:
    assert main([*INIT, *arguments]) == 1
    assert message in capsys.readouterr().err
    assert not list(folder.glob("*.yaml"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--images", "empty"), "24 of 24 photos are missing; --images must be the folder"),
        (("--test", "0.89"), "1 training images; a prior needs at least 4"),
    ],
)
def test_what_must_be_mended_is_said_beside_the_configuration(
    folder: Path, capsys, arguments, message: str
) -> None:
    (folder / "empty").mkdir()
    assert main([*INIT, *arguments]) == 1
    text = capsys.readouterr().out
    assert message in text
    assert "First mend the problems above" in text
    assert message[:30] in (folder / "cat.yaml").read_text()
    read_configuration(["cat.yaml"])


def test_a_file_with_faults_still_gets_a_configuration(folder: Path, capsys) -> None:
    values = json.loads((folder / "cat.json").read_text())
    values["images"][0]["file_name"] = "a:1.jpg"
    values["annotations"][2]["keypoints"][:3] = [None, 1, 2]
    (folder / "cat.json").write_text(json.dumps(values))
    assert main(INIT) == 1
    text = capsys.readouterr().out
    assert text.count("problem: ") == 2
    assert "images[0]: file_name 'a:1.jpg': the character ':' can't be in it" in text
    assert "annotations[2] of c(3).jpg: keypoint 0: expected finite" in text
    read_configuration(["cat.yaml"])


def test_a_half_pair_is_a_warning_with_a_way_out(folder: Path, capsys) -> None:
    names = [f"{side}_{i}" for i in range(7) for side in ("left", "right")] + ["nose"]
    names[1] = "rigth_0"
    rename(folder, names)
    assert main(INIT) == 0
    text = capsys.readouterr().out
    assert "'left_0' has no partner 'right_0'; the nearest name is 'rigth_0'" in text
    assert "--mirror left_0,rigth_0" in text
    assert "mirror" not in yaml.safe_load((folder / "cat.yaml").read_text())["dataset"]
    assert "# warning: cat: keypoint 'left_0'" in (folder / "cat.yaml").read_text()
    assert main(["check", "--configfile", "cat.yaml"]) == 0
    assert "has no partner 'right_0'" in capsys.readouterr().out
    assert main([*INIT, "--force", "--mirror", "left_0,rigth_0"]) == 0
    assert "warning" not in capsys.readouterr().out
    mirror = yaml.safe_load((folder / "cat.yaml").read_text())["dataset"]["mirror"]
    assert mirror == [["left_0", "rigth_0"], *([f"left_{i}", f"right_{i}"] for i in range(1, 7))]


def test_doubts_about_sides_can_be_ended(folder: Path, capsys) -> None:
    rename(folder, ["left_ear", "right_ear", "left_horn", *(f"point {i}" for i in range(12))])
    assert main([*INIT, "--mirror", "left_horn", "--mirror", "point 0,4"]) == 0
    assert "warning" not in capsys.readouterr().out
    mirror = yaml.safe_load((folder / "cat.yaml").read_text())["dataset"]["mirror"]
    assert mirror == [["point 0", "point 1"], ["left_ear", "right_ear"], "left_horn"]
    assert main([*INIT, "--force", "--mirror", "none"]) == 0
    assert "warning" not in capsys.readouterr().out
    assert yaml.safe_load((folder / "cat.yaml").read_text())["dataset"]["mirror"] == "none"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v["categories"][0].update(keypoints=[]), "category 'cat' has no keypoint names"),
        (lambda v: v.update(annotations=[]), "category 'cat' has no annotation"),
        (
            lambda v: [a.update(keypoints=[]) for a in v["annotations"]],
            "category 'cat' has 24 annotations, none with a labelled keypoint",
        ),
        (lambda v: v.update(categories=[], annotations=[]), "the list categories is empty"),
    ],
)
def test_categories_that_hold_nothing(folder: Path, capsys, change, message: str) -> None:
    values = json.loads((folder / "cat.json").read_text())
    change(values)
    (folder / "cat.json").write_text(json.dumps(values))
    if "categories is" not in message:
        assert main(INIT) == 1
        assert message in capsys.readouterr().err
    assert main(["check", "--coco", "cat.json", "--images", "photos"]) == 1
    assert message in capsys.readouterr().err


def test_all_readers_take_quoted_numerals_for_texts(folder: Path, capsys) -> None:
    """The photos lie in 2024, keypoints are called 1, 2, ..., photos are listed by number."""
    (folder / "photos").rename(folder / "2024")
    values = json.loads((folder / "cat.json").read_text())
    values["categories"][0]["keypoints"] = [str(i + 1) for i in range(COUNT)]
    for image in values["images"]:
        name = f"{101 + image['id']}.jpg"
        (folder / "2024" / image["file_name"]).rename(folder / "2024" / name)
        image["file_name"] = name
    (folder / "cat.json").write_text(json.dumps(values))
    line = ["init", "--coco", "cat.json", "--images", "2024", "--category", "cat"]
    assert main([*line, "--mirror", "1,2", "--mirror", "3,4"]) == 0
    made = yaml.safe_load((folder / "cat.yaml").read_text())
    assert (made["dataset"]["root"], made["dataset"]["mirror"]) == (
        "2024",
        [["1", "2"], ["3", "4"]],
    )
    made["dataset"]["test"] = ["101"]
    (folder / "cat.yaml").write_text(yaml.safe_dump(made))
    assert main(["check", "--configfile", "cat.yaml"]) == 0
    assert "1 test images" in capsys.readouterr().out
    dataset = DatasetFiles(read_configuration(["cat.yaml"])).dataset
    assert dataset.mirror("cat").tolist() == [1, 0, 3, 2, *range(4, COUNT)]
    assert dataset.splits("cat")["test"] == ("101",)


def test_nothing_is_overwritten_unasked(folder: Path, capsys) -> None:
    (folder / "cat.yaml").write_text("mine")
    assert main(INIT) == 1
    assert "cat.yaml exists; give --force" in capsys.readouterr().err
    assert (folder / "cat.yaml").read_text() == "mine"
    assert main([*INIT, "--force"]) == 0
    assert (folder / "cat.yaml").read_text() != "mine"


def test_check_counts_keypoints(folder: Path, capsys) -> None:
    assert main(INIT) == 0
    capsys.readouterr()
    assert main(["check", "--configfile", "cat.yaml"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "cat: 17 trn, 2 val, 5 test images; 0 feature files; all sound"
    assert len(lines) == COUNT + 1
    shown = sum(int(line.split(" of ")[0].split()[-1]) for line in lines[1:])
    trained = json.loads((folder / "cat.json").read_text())["annotations"]
    assert 0 < shown < sum(sum(v == 2 for v in a["keypoints"][2::3]) for a in trained)
    assert main(["check", "--coco", "cat.json", "--images", "photos", "--category", "cat"]) == 0


def test_check_lists_all_problems(folder: Path, capsys) -> None:
    (folder / "photos" / "a1.jpg").write_text("nonsense")
    (folder / "photos" / "d4.jpg").unlink()
    assert main(["check", "--coco", "cat.json", "--images", "photos"]) == 1
    text = capsys.readouterr().out
    assert "error: photos/a1.jpg: cannot be decoded" in text
    assert "error: photos/d4.jpg: no such image" in text
    assert text.startswith("cat: 17 trn, 2 val, 5 test images; 0 feature files; 2 errors\n")


def test_warnings_fail_only_if_strict(folder: Path, capsys) -> None:
    (folder / "photos" / "copy.jpg").write_bytes((folder / "photos" / "d4.jpg").read_bytes())
    values = json.loads((folder / "cat.json").read_text())
    number = next(v["id"] for v in values["images"] if v["file_name"] == "d4.jpg")
    again = dict(next(v for v in values["images"] if v["id"] == number))
    values["images"].append(again | {"id": 99, "file_name": "copy.jpg"})
    labels = next(v for v in values["annotations"] if v["image_id"] == number)
    values["annotations"].append(labels | {"id": 99, "image_id": 99})
    (folder / "cat.json").write_text(json.dumps(values))
    check = ["check", "--coco", "cat.json", "--images", "photos"]
    assert main(check) == 0
    assert "warning: 1 of 25 photos are" in capsys.readouterr().out
    assert main([*check, "--strict", "--report", "report.json"]) == 1
    [report] = json.loads((folder / "report.json").read_text())
    assert "copy.jpg" in report["findings"][0]["items"][0]
    config = {"dataset": {"name": "coco", "root": "photos", "annotations": "cat.json"}}
    (folder / "cat.yaml").write_text(yaml.safe_dump({**config, "checks": {"strict": True}}))
    assert main(["check", "--configfile", "cat.yaml"]) == 1


def test_check_says_that_no_category_can_be_checked(folder: Path, capsys) -> None:
    rename(folder, [])
    assert main(["check", "--coco", "cat.json", "--images", "photos"]) == 1
    text = capsys.readouterr().err
    assert "cat.json: category 'cat' has no keypoint names" in text
    assert main(["check", "--coco", "cat.json", "--images", "photos", "--category", "cat"]) == 1
    assert "error: cat.json: category 'cat' has no keypoint names" in capsys.readouterr().out


def test_check_names_the_categories_that_it_leaves_out(folder: Path, capsys) -> None:
    values = json.loads((folder / "cat.json").read_text())
    values["categories"] += [
        {"id": 8, "name": "dog", "keypoints": ["nose", "tail"]},
        {"id": 9, "name": "cow", "keypoints": []},
    ]
    (folder / "cat.json").write_text(json.dumps(values))
    assert main(["check", "--coco", "cat.json", "--images", "photos"]) == 0
    text = capsys.readouterr().out
    assert "dog: cannot be used: has no annotation" in text
    assert "cow: cannot be used: has no keypoint names" in text


def test_check_of_other_datasets(tmp_path: Path, capsys) -> None:
    write_pf_pascal(tmp_path / "pf", CONTENT)
    config = tmp_path / "pf.yaml"
    config.write_text(yaml.safe_dump({"dataset": {"name": "pf-pascal", "root": f"{tmp_path}/pf"}}))
    assert main(["check", "--configfile", str(config)]) == 0
    assert "0 feature files; all sound" in capsys.readouterr().out


def test_check_reads_the_features_that_the_configuration_names(folder: Path, capsys) -> None:
    assert main([*INIT, "--test", "0"]) == 0
    config = yaml.safe_load((folder / "cat.yaml").read_text())
    config["dataset"]["splits"] = ["trn"]
    config["descriptors"] = {"source": "files", "root": "maps"}
    (folder / "cat.yaml").write_text(yaml.safe_dump(config))
    (folder / "maps" / "cat").mkdir(parents=True)
    for path in (folder / "photos").iterdir():
        for end in ("", "_flip"):
            np.save(folder / "maps" / "cat" / f"{path.stem}{end}.npy", np.ones((4, 6, 6)))
    capsys.readouterr()
    assert main(["check", "--configfile", "cat.yaml"]) == 0
    assert "44 feature files (map 4 x 6 x 6); all sound" in capsys.readouterr().out
    (folder / "maps" / "cat" / "a1_flip.npy").write_bytes(b"nonsense")
    made = main(["check", "--configfile", "cat.yaml"])
    val = (
        "a1" in open_dataset("coco", "photos", annotations="cat.json", test=0).splits("cat")["val"]
    )
    assert made == (0 if val else 1)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read"),
        ("dataset: [", "cannot be read"),
        ("dataset: {name: spair-71k}", "dataset.root is not set"),
        ("dataset: {name: pf, root: x}", "found 'pf'"),
        ("dataset: {name: coco, root: x}", "needs annotations"),
    ],
)
def test_configurations_that_check_refuses(tmp_path: Path, capsys, content, message: str) -> None:
    path = tmp_path / "my.yaml"
    if content is not None:
        path.write_text(content)
    assert main(["check", "--configfile", str(path)]) == 1
    assert message in capsys.readouterr().err
