"""Bad input through the whole workflow: said clearly, all at once, and nothing half done."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import runs
import torch
import yaml
from PIL import Image

pytestmark = pytest.mark.workflow

TRN = ("a", "b", "c", "d", "e", "f")
STEMS = {"trn": TRN, "val": ("g", "h"), "test": ("i", "j")}
SIZES = {"s3": (8, 6), "s4": (9, 3), "s5": (10, 2), "dino": (7, 6)}
WIDTH, HEIGHT = 60, 40
PLACES = [(5, 4), (40, 6), (44, 30), (8, 32), (20, 12), (30, 24)]
SPAIR = {"name": "spair-71k", "root": "data"}
CONFIG: dict[str, Any] = {
    "dataset": SPAIR,
    "descriptors": {"root": "features", "checkpoint": "raw"},
    "masks": {"source": "files", "root": "masks"},
    "depth": {"source": "files", "root": "depth"},
}
CHECKS = "results/checks/chair.json"
PYTHON_TRACEBACK = "Traceback (most recent call last)"


def keypoints(stem: str) -> dict[str, list[float]]:
    """Places of an image's own."""
    return {str(number): [x + ord(stem) % 9 / 2, y] for number, (x, y) in enumerate(PLACES)}


def write_features(folder: Path, stem: str) -> None:
    rng = torch.Generator().manual_seed(0)
    for end in ("", "_flip"):
        tensors = {n: torch.randn(1, c, g, g, generator=rng) for n, (c, g) in SIZES.items()}
        torch.save(tensors.pop("dino"), folder / f"{stem}_dino{end}.pt")
        torch.save(tensors, folder / f"{stem}_sd{end}.pt")


def annotate(folder: Path, stem: str, **changes: Any) -> None:
    annotation = {
        "filename": f"{stem}.jpg",
        "image_width": WIDTH,
        "image_height": HEIGHT,
        "category": "chair",
        "bndbox": [2, 2, 50, 35],
        "kps": keypoints(stem),
    }
    path = folder / "data" / "ImageAnnotation" / "chair" / f"{stem}.json"
    path.write_text(json.dumps({**annotation, **changes}))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound dataset with small features beside the results."""
    parts = ("JPEGImages", "ImageAnnotation")
    for name in (*(f"data/{part}" for part in parts), "features", "masks", "depth"):
        (tmp_path / name / "chair").mkdir(parents=True)
    layout = tmp_path / "data" / "Layout" / "large"
    layout.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for split, stems in STEMS.items():
        pairs = [f"{n:06d}-{stem}-{stems[n - 1]}:chair" for n, stem in enumerate(stems)]
        (layout / f"{split}.txt").write_text("\n".join(pairs))
        for stem in stems:
            annotate(tmp_path, stem)
            pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "data/JPEGImages/chair" / f"{stem}.jpg")
            write_features(tmp_path / "features" / "chair", stem)
            mask = np.zeros((3, HEIGHT, WIDTH), dtype=bool)
            mask[:, 2:35, 2:50] = True
            np.save(tmp_path / "masks" / "chair" / f"{stem}_masks.npy", mask)
            depth = rng.uniform(1, 2, (HEIGHT, WIDTH)).astype(np.float32)
            np.save(tmp_path / "depth" / "chair" / f"{stem}_depth.npy", depth)
    return tmp_path


def fail(folder: Path, *targets: str, config: Mapping[str, Any] = CONFIG, **options: Any) -> str:
    """Output of a run that must fail, without a Python traceback on the terminal."""
    output = runs.run(folder, *targets, config=config, expect_failure=True, **options).output
    assert PYTHON_TRACEBACK not in output
    return output


def results(folder: Path) -> list[str]:
    """What the run left, but for logs, benchmarks and notes of batches."""
    found = [p for p in (folder / "results").rglob("*") if p.is_file() and p.suffix]
    names = [str(path.relative_to(folder / "results")) for path in found]
    return sorted(n for n in names if not n.startswith(("logs", "benchmarks")) and "/." not in n)


class Bomb:
    """Unpickling it makes a folder."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.mark),)


class TestFiles:
    def test_all_problems_are_listed_by_one_run(self, folder: Path) -> None:
        images, features = folder / "data/JPEGImages/chair", folder / "features/chair"
        (images / "a.jpg").unlink()
        (images / "b.jpg").write_bytes((images / "b.jpg").read_bytes()[:700])
        (features / "c_sd_flip.pt").unlink()
        torch.save(Bomb(folder / "mark"), features / "d_dino.pt")
        torch.save(torch.ones(7, 6, 6), features / "e_dino.pt")
        torch.save(torch.full((1, 7, 6, 6), torch.nan), features / "f_dino_flip.pt")
        annotate(folder, "g", filename="../../../g.jpg")
        (folder / "data/ImageAnnotation/chair/h.json").write_text('{"filename": ')
        with Image.open(images / "i.jpg") as photo:
            photo.resize((HEIGHT, WIDTH)).save(images / "i.jpg")
        output = fail(folder, CHECKS, "results/descriptors/chair/a.h5", "results/masks/chair/a.h5")
        assert "9 problems:" in output
        for text in (
            "data/JPEGImages/chair/a.jpg: no such image",
            "data/JPEGImages/chair/b.jpg: cannot be decoded",
            "features/chair/c_sd_flip.pt: no such file",
            "features/chair/d_dino.pt: refused, since it holds code",
            "features/chair/e_dino.pt: dino: expected shape 1 x C x G x G, found 7 x 6 x 6",
            "features/chair/f_dino_flip.pt: dino: 252 of 252 values are not finite",
            "data/ImageAnnotation/chair/g.json: filename: expected a plain file name",
            "data/ImageAnnotation/chair/h.json: not a whole JSON file",
            "data/JPEGImages/chair/i.jpg: 40 x 60 pixels, but its annotation says 60 x 40",
            "Mend this and run again; nothing was computed from it",
        ):
            assert text in output
        report = json.loads((folder / "results/logs/checks/chair.json").read_text())
        assert {found["level"] for found in report["findings"]} >= {"error"}
        assert not (folder / "mark").exists()
        assert results(folder) == []
        assert runs.leftovers(folder / "results") == []

    def test_warnings_are_listed_and_the_run_goes_on_unless_strict(self, folder: Path) -> None:
        few = dict(list(keypoints("b").items())[:3])
        annotate(folder, "a", kps={**keypoints("a"), "5": [WIDTH + 20, 5]})
        annotate(folder, "b", kps=few)
        output = runs.run(folder, CHECKS, config=CONFIG).output
        report = json.loads((folder / CHECKS).read_text())
        found = {found["kind"]: found for found in report["findings"]}
        assert found["keypoint-outside-photo"]["items"] == ["JPEGImages/chair/a.jpg (5)"]
        assert "warning: 1 of 10 photos: 1 of 57 labelled keypoints lie outside" in output
        assert "JPEGImages/chair/b.jpg (3 visible keypoints)" in output
        assert "a.json: keypoint 5 at (80, 5) left out: outside the image of 60 x 40" in output
        strict = fail(folder, CHECKS, config={**CONFIG, "checks": {"strict": True}})
        assert "1 of 57 labelled keypoints lie outside" in strict
        assert not (folder / CHECKS).exists()

    def test_a_mended_file_is_noticed(self, folder: Path) -> None:
        path = folder / "features/chair/c_sd_flip.pt"
        path.rename(folder / "away.pt")
        fail(folder, CHECKS)
        (folder / "away.pt").rename(path)
        runs.run(folder, CHECKS, config=CONFIG)
        levels = [f["level"] for f in json.loads((folder / CHECKS).read_text())["findings"]]
        assert "error" not in levels

    def test_masks_and_depth_that_cannot_be_used(self, folder: Path) -> None:
        np.save(folder / "masks/chair/b_masks.npy", np.ones((3, WIDTH, HEIGHT), dtype=bool))
        np.save(folder / "depth/chair/c_depth.npy", np.full((HEIGHT, WIDTH), np.nan))
        np.save(folder / "depth/chair/d_intrinsics.npy", np.eye(3))
        batches = {**CONFIG, "runtime": {"batches": 8}}
        output = fail(folder, "results/cameras/chair.h5", config=batches)
        assert "masks/chair/b_masks.npy: expected n x 40 x 60" in output
        assert "found 3 x 60 x 40" in output
        assert "depth/chair/c_depth.npy: unusable: 2400 of 2400 values are not finite" in output
        assert "depth/chair/d_intrinsics.npy: unusable: expected focal lengths of 6 to" in output
        made = set(results(folder))
        assert "cameras/chair.h5" not in made
        assert not made & {"masks/chair/b.h5", "depth/chair/c.h5", "depth/chair/d.h5"}

    def test_a_missing_mask_file(self, folder: Path) -> None:
        (folder / "masks/chair/d_masks.npy").unlink()
        output = fail(folder, "results/cameras/chair.h5")
        assert "neither masks/chair/d_masks.npy nor masks/chair/d.png exists" in output
        assert results(folder) == []

    def test_a_checkpoint_of_code_or_of_something_else(self, folder: Path) -> None:
        torch.save(Bomb(folder / "mark"), folder / "bomb.pth")
        torch.save({"weight": torch.ones(1)}, folder / "other.pth")
        for name, text in (
            ("bomb.pth", "bomb.pth: refused, since it holds code"),
            ("other.pth", "other.pth: not a post-processor checkpoint, it lacks bottleneck_layers"),
        ):
            config = {**CONFIG, "descriptors": {"root": "features", "checkpoint": name}}
            assert text in fail(folder, "results/descriptors/chair/a.h5", config=config)
        assert not (folder / "mark").exists()
        assert results(folder) == ["checks/chair.json"]

    def test_no_image_can_be_used(self, folder: Path) -> None:
        for stem in TRN:
            empty = np.zeros((3, HEIGHT, WIDTH), dtype=bool)
            np.save(folder / "masks" / "chair" / f"{stem}_masks.npy", empty)
        output = fail(folder, "results/cameras/chair.h5")
        assert "  - a: its mask is empty" in output
        assert "No image is left for a prior" in output

    def test_no_image_has_enough_keypoints(self, folder: Path) -> None:
        for stem in TRN:
            annotate(folder, stem, kps=dict(list(keypoints(stem).items())[:3]))
        output = fail(folder, "results/sparse/chair.h5")
        assert "no prior can be made: 0 of 6 training photos show 4 or more keypoints" in output
        assert results(folder) == []


class TestTargets:
    @pytest.mark.parametrize(
        "target", ["results/priors/chiar.h5", "results/figures/chiar/prior.png"]
    )
    def test_a_category_that_does_not_exist(self, tmp_path: Path, target: str) -> None:
        output = fail(tmp_path, target, config={})
        assert "no category 'chiar'" in output
        assert "there are: aeroplane, chair." in output
        assert "Did you mean 'chair'?" in output
        assert "No rule to produce" not in output

    @pytest.mark.parametrize(
        ("target", "text"),
        [
            (
                "figures/chair/alignment_chair_80.png",
                "no image 'chair_80' of category 'chair' in results/demo; alignment has files of "
                "40 images, such as 'chair_000'. Did you mean 'chair_80",
            ),
            (
                "masks/chair/chair_800.h5",
                "image 'chair_800' of category 'chair' is in split test, for which there are no "
                "masks files; masks has files of 24 images, such as 'chair_000'.",
            ),
        ],
    )
    def test_an_image_that_does_not_exist(self, tmp_path: Path, target: str, text: str) -> None:
        output = fail(tmp_path, f"results/{target}", config={})
        assert text in output
        assert "No rule to produce" not in output

    def test_of_a_user_s_dataset(self, folder: Path) -> None:
        output = fail(folder, "results/manifest/sofa.csv")
        assert "no category 'sofa' in data; there are: chair." in output


class TestSettings:
    def test_sources_that_are_not_set(self, folder: Path) -> None:
        output = fail(folder, "results/priors/chair.h5", config={"dataset": SPAIR})
        for text in (
            "descriptors.root is not set: give the folder",
            "descriptors.checkpoint is not set: give the post-processor checkpoint",
            "https://github.com/Junyi42/GeoAware-SC",
            "masks.checkpoint is not set: run the target fetch_models, or download the vit_h "
            "checkpoint from https://github.com/facebookresearch/segment-anything",
        ):
            assert text in output
        assert results(folder) == []

    def test_sources_that_do_not_exist(self, folder: Path) -> None:
        config = {
            "dataset": SPAIR,
            "descriptors": {"root": "nowhere", "checkpoint": "best.pth"},
            "masks": {"source": "files", "root": "no-masks"},
            "depth": {"source": "files", "root": "no-depth"},
        }
        output = fail(folder, "results/priors/chair.h5", config=config)
        for key, value in (
            ("descriptors.root", "nowhere"),
            ("descriptors.checkpoint", "best.pth"),
            ("masks.root", "no-masks"),
            ("depth.root", "no-depth"),
        ):
            assert f"{key}: {value} does not exist: " in output

    def test_a_stage_runs_without_the_settings_of_others(self, folder: Path) -> None:
        config = {"dataset": SPAIR, "descriptors": {"root": "features"}}
        runs.run(folder, CHECKS, "results/manifest/chair.csv", config=config)
        assert results(folder) == ["checks/chair.json", "manifest/chair.csv"]

    def test_all_mistakes_of_the_configuration_are_named(self, tmp_path: Path) -> None:
        config = {
            "dataset": {"rot": "data"},
            "masks": {"source": "samm"},
            "dense": {"points": "many"},
            "runtime": {"batches": 0},
            "demo": {"images": {"val": 1000}},
            "clusters": 5,
        }
        output = fail(tmp_path, "results/priors/chair.h5", config=config)
        for key, value in (
            ("dataset.rot", "unknown key; did you mean dataset.root?"),
            ("masks.source", "expected 'sam' or 'files', found 'samm'"),
            ("dense.points", "expected an integer, found 'many'"),
            ("runtime.batches", "expected a number greater than or equal to 1, found 0"),
            ("demo.images.val", "expected a number less than or equal to 100, found 1000"),
            ("clusters", "unknown key; the configuration has dataset, demo"),
        ):
            assert any(f"- {key}: " in line and value in line for line in output.splitlines()), key

    def test_a_section_that_is_no_section(self, tmp_path: Path) -> None:
        output = fail(tmp_path, "results/priors/chair.h5", config={"masks": "sam"})
        assert "masks: expected a section, found 'sam'" in output

    def test_a_configuration_file_with_relative_paths(self, folder: Path) -> None:
        (folder / "mine").mkdir()
        (folder / "mine" / "spair.yaml").write_text(yaml.safe_dump(CONFIG))
        options = ("--configfile", "mine/spair.yaml")
        runs.run(folder, "results/masks/chair/a.h5", options=options)
        masks = [f"masks/chair/{stem}.h5" for stem in TRN]
        assert results(folder) == ["checks/chair.json", *masks]


class TestDatasetFolder:
    def test_not_set(self, tmp_path: Path) -> None:
        output = fail(tmp_path, CHECKS, config={"dataset": {"name": "spair-71k"}})
        assert "dataset.root is not set: give the folder of spair-71k" in output

    def test_missing(self, tmp_path: Path) -> None:
        output = fail(tmp_path, CHECKS)
        assert "dataset folder data does not exist" in output
        assert "Give the folder that holds JPEGImages" in output

    def test_of_something_else(self, tmp_path: Path) -> None:
        (tmp_path / "data").mkdir()
        assert "no lists of image pairs under data: looked for Layout/large" in fail(
            tmp_path, CHECKS
        )

    @pytest.mark.parametrize(
        ("content", "text"),
        [
            (b"\xff\xfe\x00", "cannot read data/Layout/large/val.txt"),
            (
                b"chair 1 2\n",
                "val: pair 'chair 1 2': expected <digits>-<source>-<target>:<category>",
            ),
            (b"000001-a-b:chair\n", "chair/a is in more than one split: trn, val"),
        ],
    )
    def test_damaged_lists(self, folder: Path, content: bytes, text: str) -> None:
        (folder / "data/Layout/large/val.txt").write_bytes(content)
        assert text in fail(folder, CHECKS)

    def test_empty_lists(self, folder: Path) -> None:
        for path in (folder / "data/Layout/large").iterdir():
            path.write_text("")
        assert "the lists of images under data are empty" in fail(folder, CHECKS)
