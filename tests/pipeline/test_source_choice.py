"""Where descriptors, masks and depth come from, and what is said where that is missing."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from snakemake.exceptions import WorkflowError

from semalign3d.config import Configuration
from semalign3d.pipeline.sources.depth import DepthSource
from semalign3d.pipeline.sources.descriptors import DescriptorSource
from semalign3d.pipeline.sources.masks import MaskSource
from semalign3d.pipeline.sources.paths import SourcePaths

NETWORKS = Path(__file__).parents[2] / "demo" / "networks"
USER = {"dataset": {"name": "spair-71k", "root": "data"}}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sources(**sections: Any) -> tuple[DescriptorSource, MaskSource, DepthSource]:
    configuration = Configuration.model_validate(sections)
    paths = SourcePaths(configuration)
    root = configuration.dataset.root or "results/demo"
    return (
        DescriptorSource(configuration.descriptors, paths, root, NETWORKS),
        MaskSource(configuration.masks, paths, root, NETWORKS),
        DepthSource(configuration.depth, paths, root, NETWORKS),
    )


def test_the_demo_has_networks_and_features_of_its_own() -> None:
    descriptors, masks, depth = sources()
    assert (masks.model_type, Path(masks.path).name) == ("vit_demo", "sam_demo.pth")
    assert masks.inputs("chair", ["a"]) == [str(NETWORKS / "sam_demo.pth")]
    assert depth.inputs("chair", ["a"]) == [str(NETWORKS / "depth" / "model.safetensors")]
    made = descriptors.made("chair", ["a"])
    assert made == [
        f"results/demo/features/chair/a_{kind}.pt"
        for kind in ("dino", "dino_flip", "sd", "sd_flip")
    ]
    assert descriptors.networks() == [str(NETWORKS / "post_processor.pth")]
    assert descriptors.found("chair", ["a"]) == ""


def test_all_missing_sources_are_listed_with_what_to_do() -> None:
    descriptors, masks, depth = sources(**USER, depth={"source": "files", "root": "nowhere"})
    with pytest.raises(WorkflowError) as raised:
        masks.inputs("chair", ["a"])
    text = str(raised.value)
    assert "masks.checkpoint is not set: run the target fetch_models" in text
    assert "depth.root: nowhere does not exist" in text
    assert "descriptors.root is not set" in text
    assert "descriptors.checkpoint is not set" in text
    for call in (descriptors.networks, lambda: depth.inputs("chair", []), masks.checkpoint):
        with pytest.raises(WorkflowError):
            call()


def test_missing_mask_files_are_listed(folder: Path) -> None:
    (folder / "masks" / "chair").mkdir(parents=True)
    (folder / "masks" / "chair" / "a.png").touch()
    _, masks, _ = sources(**USER, masks={"source": "files", "root": "masks"})
    assert masks.inputs("chair", ["a"]) == ["masks/chair/a.png"]
    with pytest.raises(WorkflowError) as raised:
        masks.inputs("chair", ["a", "b", "c"])
    text = str(raised.value)
    assert "2 masks are missing" in text
    assert "neither masks/chair/b_masks.npy nor masks/chair/b.png exists" in text


def test_masks_that_guide_are_the_users_own(folder: Path) -> None:
    _, by_sam, _ = sources()
    with pytest.raises(WorkflowError, match=r"alignment\.guide is mask, but masks\.source is sam"):
        by_sam.guides("chair", ["a"])
    (folder / "own" / "chair").mkdir(parents=True)
    (folder / "own" / "chair" / "a.png").touch()
    _, files, _ = sources(masks={"source": "files", "root": "own"}, **USER)
    assert files.guides("chair", ["a"]) == ["own/chair/a.png"]
    with pytest.raises(WorkflowError, match=r"masks\.root: 1 masks are missing"):
        files.guides("chair", ["a", "b"])


def test_keys_of_other_sources_are_named() -> None:
    descriptors, masks, depth = sources(
        **USER,
        descriptors={"source": "dinov2", "root": "x"},
        masks={"root": "x"},
        depth={"metric": True},
    )
    assert masks.warnings == ["Not used, since masks.source is sam: masks.root"]
    assert depth.warnings == ["Not used, since depth.source is depth_anything: depth.metric"]
    assert descriptors.warnings == [
        "Not used, since descriptors.source is dinov2: descriptors.root"
    ]
    assert (descriptors.of_photos, descriptors.model) == (True, "facebook/dinov2-base")


def test_a_deleted_map_is_remembered_and_a_changed_one_is_noticed(folder: Path) -> None:
    maps = folder / "maps" / "mug"
    maps.mkdir(parents=True)
    for name in ("a.npy", "a_flip.npy"):
        np.save(maps / name, np.zeros((2, 4, 4)))
    given = {**USER, "descriptors": {"source": "files", "root": "maps"}}
    before = sources(**given)[0].found("mug", ["a"])
    (maps / "a.npy").unlink()
    assert sources(**given)[0].found("mug", ["a"]) == before
    np.save(maps / "a.npy", np.zeros((2, 4, 5)))
    assert sources(**given)[0].found("mug", ["a"]) != before
