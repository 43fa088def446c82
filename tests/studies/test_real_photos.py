"""Real photos: prepared folders are read, pairs of folds counted together, true poses found."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from semalign3d.alignment.poses.pose import Poses, project_turned
from semalign3d.errors import InputError
from studies.real import run
from studies.real.ablate import VARIANTS, Outcome, rows
from studies.real.page import Measured, table
from studies.real.pipeline import CONFIG, open_fold
from studies.real.truth import true_pose
from studies.shared.synthetic_views import random_rotation

PREPARED = os.environ.get("SEMALIGN3D_REAL", "")
"""A folder with a config.yaml, such as a script that prepares real photos writes."""


def prepared(folder: Path, **changes: object) -> Path:
    """A folder of 8 photos of one category, of which 2 are test photos."""
    folder.mkdir(exist_ok=True)
    names = [f"{number}.png" for number in range(8)]
    keypoints = [value for i in range(5) for value in (10.0 + 9 * i, 20.0 + 7 * (i % 3), 2)]
    coco = {
        "images": [
            {"id": i, "file_name": name, "width": 80, "height": 60} for i, name in enumerate(names)
        ],
        "annotations": [
            {
                "id": i,
                "image_id": i,
                "category_id": 1,
                "bbox": [5, 15, 60, 30],
                "num_keypoints": 5,
                "keypoints": keypoints,
            }
            for i in range(8)
        ],
        "categories": [{"id": 1, "name": "cup", "keypoints": list("abcde")}],
    }
    (folder / "annotations.json").write_text(json.dumps(coco))
    section = {
        "name": "coco",
        "root": str(folder),
        "annotations": str(folder / "annotations.json"),
        "val": [],
        "test": ["0", "5"],
        **changes,
    }
    (folder / CONFIG).write_text(json.dumps({"dataset": section}))
    return folder


def test_a_prepared_folder_is_one_fold(tmp_path: Path) -> None:
    fold = open_fold(prepared(tmp_path / "first"))
    assert fold.category == "cup"
    assert fold.stems("test") == ("0", "5")
    assert len(fold.stems("trn")) == 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": "spair-71k"}, "dataset.name: expected coco, found 'spair-71k'"),
        ({"test": ["3"]}, "dataset.test: expected two photos or more"),
    ],
)
def test_what_cannot_be_run_is_said(
    changes: dict[str, object], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = prepared(tmp_path / "first", **changes)
    with pytest.raises(InputError, match=message):
        open_fold(folder)
    with pytest.raises(SystemExit):
        run.main([str(folder)])
    assert message in capsys.readouterr().err
    with pytest.raises(InputError, match="no such file"):
        open_fold(tmp_path / "nowhere")


def test_pairs_of_folds_are_counted_together(tmp_path: Path) -> None:
    fold = open_fold(prepared(tmp_path / "first"))

    def measured(aligned: list[float], placed: list[float]) -> Measured:
        matches = pd.DataFrame(
            {"pair": "a-b", "nearest_error": [0.5] * len(aligned), "aligned_error": aligned}
        )
        return Measured(fold, "none", matches, pd.DataFrame({"error": placed}))

    (row,) = table([measured([0.1, 0.2], [0.05, 0.3]), measured([0.04, 0.05], [0.06, 0.2])])
    assert row["aligned"] == "75.0 / 50.0"
    assert row["nearest"] == "0.0 / 0.0"
    assert row["wrong poses"] == "1 of 4"
    assert row["folds"] == 2
    assert row["test pairs"] == 2


def test_rows_of_an_ablation_count_wrong_and_missed_poses() -> None:
    parts = [
        Outcome(np.array([0.04, 0.09]), np.array([0.05, 0.4]), np.array([False, True])),
        Outcome(np.array([0.3, 0.3]), np.array([0.5, 0.1]), np.array([False, False])),
    ]
    (row,) = rows({"as by default": parts})
    assert row["PCK@0.1 / 0.05"] == "50.0 / 25.0"
    assert row["wrong poses"] == "2 of 4"
    assert row["of these missed"] == 1
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)


def test_the_true_pose_is_found_from_its_keypoints() -> None:
    rng = np.random.default_rng(3)
    shape = rng.uniform(-0.4, 0.4, size=(7, 3))
    turn = random_rotation(rng)
    truth = Poses(turn[None], np.array([[0.1, -0.05]]), np.log([0.5]), np.log([1.5]))
    size = np.array([300, 200])
    places = project_turned(truth.turned(shape), truth).places[0] * 300 + size / 2 - 0.5
    places[2] = np.nan
    near = np.array([random_rotation(rng), turn @ random_rotation(rng), turn])
    prior = SimpleNamespace(
        statistics=SimpleNamespace(rotations=near, extents=np.array([0.4, 0.6]), focal_length=1.5),
        sparse=SimpleNamespace(xyz=shape, used=np.ones(7, dtype=bool)),
    )
    photo = SimpleNamespace(width=300, height=200, keypoints=places)
    found = true_pose(prior, photo)
    np.testing.assert_allclose(found.rotation, truth.rotation, atol=1e-4)
    np.testing.assert_allclose(found.centre, truth.centre, atol=1e-5)
    np.testing.assert_allclose(found.log_extent, truth.log_extent, atol=1e-4)


@pytest.mark.workflow
@pytest.mark.skipif(
    not PREPARED, reason="no real photos here: SEMALIGN3D_REAL names no prepared folder"
)
def test_real_photos_give_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = Path(PREPARED)
    folder = tmp_path / given.name
    folder.mkdir()
    (folder / CONFIG).write_text((given / CONFIG).read_text())
    run.main([str(folder), "--output", str(tmp_path / "page")])
    fold = open_fold(folder)
    page = (tmp_path / "page" / "index.md").read_text()
    assert fold.category in page
    for line in page.splitlines():
        if line.startswith("!["):
            assert (tmp_path / "page" / line.split("](")[1].rstrip(")")).is_file()
    assert "wrong poses" in capsys.readouterr().out
    matches = pd.read_csv(fold.results / "matching" / f"{fold.category}.csv")
    right = (matches[["aligned_error", "nearest_error"]] <= 0.1).mean()
    assert right["aligned_error"] > right["nearest_error"]
