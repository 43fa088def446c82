"""From the tiny demo to matches, PCK and pictures, and points matched on the command line."""

import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from runs import REPOSITORY, TINY_DEMO, run
from threadpoolctl import threadpool_limits

from semalign3d import cli
from semalign3d.alignment.alignment import Alignment
from semalign3d.alignment.batch import PhotoFile, align_files
from semalign3d.alignment.settings import AlignmentSettings
from semalign3d.files import store
from semalign3d.files.records import read_record
from semalign3d.prior import Prior, load_aligner
from studies.matching import score

pytestmark = pytest.mark.workflow

CONFIG = {
    **TINY_DEMO,
    "demo": {**TINY_DEMO["demo"], "categories": ["chair"]},
    "evaluation": {"resamples": 100},
}
KINDS = ("source", "target")
PICTURES = ("chair/matches", "chair/alignment_chair_800", "pck")
TARGETS = ("results/evaluation/summary.csv", *(f"results/figures/{n}.png" for n in PICTURES))
TRUTH, SEALED = Path("results/demo/truth/chair.npz"), b"not for the pipeline"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's data with a truth that nobody can read, and all that is made of them."""
    path = tmp_path_factory.mktemp("evaluation")
    run(path, str(TRUTH), config=CONFIG)
    shutil.copy(path / TRUTH, path)
    (path / TRUTH).write_bytes(SEALED)
    run(path, *TARGETS, config=CONFIG)
    return path


def test_everything_is_made_without_the_truth(folder: Path) -> None:
    assert (folder / TRUTH).read_bytes() == SEALED
    assert all((folder / target).exists() for target in TARGETS)


def test_tables_hold_every_query_of_every_test_pair(folder: Path) -> None:
    matches = pd.read_csv(folder / "results" / "matching" / "chair.csv")
    assert set(zip(matches["source"], matches["target"], strict=True)) == {
        ("chair_800", "chair_801"),
        ("chair_801", "chair_800"),
    }
    error = matches[["aligned_x", "aligned_y"]].to_numpy()
    error = error - matches[["target_x", "target_y"]].to_numpy()
    expected = (error**2).sum(axis=1) ** 0.5 / matches["side"]
    assert (matches["aligned_error"] - expected).abs().max() < 1e-4
    assert matches["aligned_confidence"].between(0, 1).all()
    table = pd.read_csv(folder / "results" / "evaluation" / "summary.csv")
    rows = table.set_index(["category", "subset", "average", "method", "alpha"])["pck"]
    for method in ("nearest", "soft_argmax", "aligned"):
        share = (matches[f"{method}_error"] <= 0.1).mean()
        assert rows["chair", "all", "point", method, 0.1] == pytest.approx(share, abs=1e-5)
    assert set(table["category"]) == {"chair", "mean of categories", "all pairs"}


def test_processes_name_the_damaged_file(folder: Path, tmp_path: Path) -> None:
    results = folder / "results"
    whole = results / "descriptors" / "chair" / "chair_800.h5"
    cut = tmp_path / "cut.h5"
    cut.write_bytes(whole.read_bytes()[:-1000])
    photos = [PhotoFile(path, (360, 270)) for path in (whole, cut)]
    aligner = partial(load_aligner, results / "priors" / "chair.h5", AlignmentSettings())
    found = align_files(aligner, photos, processes=2)
    assert next(found).keypoints_px.shape == (14, 2)
    with pytest.raises(store.DamagedFileError, match=r"cut\.h5"):
        next(found)


def test_alignments_by_two_processes_are_those_of_one(folder: Path) -> None:
    results = folder / "results"
    prior = Prior.load(results / "priors" / "chair.h5")
    for stem in ("chair_800", "chair_801"):
        found = read_record(results / "alignment" / "chair" / f"{stem}.h5", Alignment)
        maps = store.read(results / "descriptors" / "chair" / f"{stem}.h5", "descriptors")
        with threadpool_limits(1):
            width, height = found.image_size.tolist()
            expected = prior.align(maps["descriptors"][0], (width, height))
        np.testing.assert_allclose(found.dense_xyz, expected.dense_xyz, rtol=0, atol=1e-9)
        assert found.margin == pytest.approx(expected.margin)


def test_pictures_show_something(folder: Path) -> None:
    for name in PICTURES:
        with Image.open(folder / "results" / "figures" / f"{name}.png") as picture:
            assert min(picture.size) > 250, name
            assert len(picture.convert("RGB").resize((64, 64)).getcolors(4096)) > 20, name


def test_another_alpha_computes_no_match_again(folder: Path) -> None:
    changed = {**CONFIG, "evaluation": {**CONFIG["evaluation"], "alphas": [0.2, 0.1]}}
    again = run(folder, TARGETS[0], config=changed)
    assert set(again.ran) == {"evaluation", "summary"}
    alphas = pd.read_csv(folder / "results" / "evaluation" / "chair" / "pck.csv")["alpha"]
    assert set(alphas) == {0.2, 0.1}


@pytest.mark.parametrize(("source", "slack"), [("descriptors", 0.5), ("features", 3.0)])
def test_match_command(
    folder: Path,
    source: str,
    slack: float,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The command finds what the workflow's table holds for the same query.

    Half a cell from feature files: the workflow keeps descriptors in half precision.
    """
    monkeypatch.chdir(folder)
    row = pd.read_csv("results/matching/chair.csv").iloc[0]
    photos = [f"results/demo/JPEGImages/chair/{row[k]}.jpg" for k in KINDS]
    maps = [f"results/descriptors/chair/{row[k]}.h5" for k in KINDS]
    network = str(REPOSITORY / "demo" / "networks" / "post_processor.pth")
    features = ["results/demo/features", "--checkpoint", network]
    given = {"descriptors": maps, "features": features}[source]
    points = f"{row['source_x']},{row['source_y']}"
    prior = "results/priors/chair.h5"
    assert cli.main(["match", prior, *photos, "--points", points, f"--{source}", *given]) == 0
    found = capsys.readouterr().out.splitlines()[1].split("\t")
    assert float(found[2]) == pytest.approx(row["aligned_x"], abs=slack)
    assert float(found[3]) == pytest.approx(row["aligned_y"], abs=slack)
    with Image.open("matches.png") as picture:
        assert min(picture.size) > 250


def test_scores_by_the_demos_truth_agree_with_the_workflow(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same photos, rendered anew: the same keypoint queries and nearly the same matches."""
    monkeypatch.chdir(folder)
    options = ["--truth", ".", "--images", "2", "--surface-points", "20"]
    score.main(
        ["results/priors/chair.h5", *options, "--cases", "as they are", "--output", "table.csv"]
    )
    found = pd.read_csv("table.csv").iloc[0]
    matches = pd.read_csv("results/matching/chair.csv")
    printed = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    (per_image,) = (row for row in printed if row[:3] == ["| chair", "keypoints", "per image"])
    for number, method in ((3, "nearest"), (5, "aligned")):
        right = matches[f"{method}_error"] <= 0.1
        assert found[f"keypoints {method} @0.1"] == pytest.approx(100 * right.mean(), abs=5)
        share = 100 * right.groupby(matches["pair"]).mean().mean()
        assert float(per_image[number].split(" / ")[0]) == pytest.approx(share, abs=5)
