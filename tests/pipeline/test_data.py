"""The configured dataset's files, as inputs of rules."""

from pathlib import Path
from typing import Any

import pytest
from snakemake.exceptions import WorkflowError

from demo import plan
from semalign3d.config import Configuration
from semalign3d.pipeline.data import DatasetFiles
from semalign3d.pipeline.params import opened_dataset

SAMPLE = Path(__file__).parents[1] / "data" / "spair-sample"


class Params(dict[str, Any]):
    """Stands for Snakemake's parameters: functions of wildcards are called."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__({name: value(None) for name, value in params.items()})


def files(**dataset: Any) -> DatasetFiles:
    return DatasetFiles(Configuration.model_validate({"dataset": dataset}))


def test_the_demo_s_files_are_inputs_before_they_exist(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = files(name="demo")
    splits = data.splits()
    assert set(splits) == {"chair", "aeroplane"}
    assert data.demo_categories == sorted(splits, key=plan.CATEGORIES.index)
    stems = splits["chair"]["trn"]
    assert len(data.images("chair", stems)) == len(stems) == data.counts.trn
    assert data.pairs("chair", "test")
    assert data.images("chair", stems)[0].startswith("results/demo/")


def test_missing_files_of_the_user_are_no_inputs(tmp_path: Path) -> None:
    data = files(name="spair-71k", root=str(tmp_path))
    assert data.images("chair", ["a", "b"]) == []
    photo = tmp_path / "JPEGImages" / "chair" / "a.jpg"
    photo.parent.mkdir(parents=True)
    photo.touch()
    assert data.images("chair", ["a", "b"]) == [str(photo)]


def test_annotations_in_one_file_are_one_input(tmp_path: Path) -> None:
    annotations = tmp_path / "a.json"
    annotations.write_text("{}")
    data = files(name="coco", root=str(tmp_path), annotations=str(annotations))
    assert data.annotations("mug", ["a", "b"]) == [str(annotations)]


def test_params_open_the_same_dataset_again(tmp_path: Path) -> None:
    given = {"annotations": "a.json", "val": 0.25, "mirror": [["1", "2"]]}
    data = files(name="coco", root=str(tmp_path), **given)
    params = Params(data.params)
    assert params["dataset_val"] == 0.25
    assert params["dataset_mirror"] == [["1", "2"]]
    assert "dataset_partition" not in params
    assert opened_dataset(params).name == data.dataset.name


def test_a_missing_root_and_an_empty_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match=r"dataset\.root is not set: give the folder of ap-10k"):
        files(name="ap-10k")
    with pytest.raises(WorkflowError):
        files(name="spair-71k", root=str(tmp_path)).splits()


def test_keys_of_other_datasets_are_named() -> None:
    [warning] = files(name="spair-71k", root="x", val=0.1, partition=2).warnings()
    assert warning == ("Not used, since dataset.name is spair-71k: dataset.val, dataset.partition")
    assert files(name="spair-71k", root="x").warnings() == []
