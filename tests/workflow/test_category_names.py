"""Categories of every name that a file can have, planned together."""

import json
from pathlib import Path

import pytest
import runs
from PIL import Image

pytestmark = pytest.mark.workflow

NAMES = (
    *("chair", "chair_images", "chair_bundle", "chair_cameras", "chair_trn_0", "chair_0", "masks"),
    *("summary", "pck", "demo", "results", "con", "true", "100", "-dash", "#hash", "a=b", "x%y"),
    *("a", "a.b", "a.h5", "O'Neill-[x]+", "Stühle-ü", "sofa-&-co;-rm", "garden chair", "椅子"),
)
POINTS = ["a", "b", "c", "d"]


def write_photos(folder: Path) -> None:
    """Three photos that show one object of each category."""
    (folder / "photos").mkdir()
    images = [{"id": i, "file_name": f"p{i}.png", "width": 40, "height": 30} for i in range(3)]
    for image in images:
        Image.new("RGB", (40, 30)).save(folder / "photos" / str(image["file_name"]))
    categories = [{"id": i, "name": name, "keypoints": POINTS} for i, name in enumerate(NAMES)]
    annotations = [
        {
            "id": 0,
            "image_id": image["id"],
            "category_id": category["id"],
            "bbox": [1, 1, 30, 20],
            "keypoints": [5, 5, 2, 9, 5, 2, 9, 9, 2, 5, 9, 2],
        }
        for image in images
        for category in categories
    ]
    content = {"images": images, "categories": categories, "annotations": annotations}
    (folder / "annotations.json").write_text(json.dumps(content))


def test_every_name_is_planned_with_files_of_its_own(tmp_path: Path) -> None:
    write_photos(tmp_path)
    (tmp_path / "sam.pth").touch()
    config = {
        "dataset": {
            "name": "coco",
            "root": "photos",
            "annotations": "annotations.json",
            "val": 0,
            "test": ["p2"],
        },
        "masks": {"source": "sam", "model_type": "vit_b", "checkpoint": "sam.pth"},
        "descriptors": {"source": "dinov2"},
    }
    targets = [f"results/priors/{name}.h5" for name in NAMES]
    targets += [f"results/figures/{name}/prior.png" for name in NAMES]
    planned = runs.run(
        tmp_path,
        *targets,
        *("results/evaluation/summary.csv", "results/figures/pck.png"),
        config=config,
        options=("--dry-run",),
    )
    for name in NAMES:
        files = ("priors/{}.h5", "figures/{}/prior.png", "bundle/{}/cameras.h5")
        for file in (*files, "sparse/{}.h5", "masks/{}/p0.h5", "evaluation/{}/pck.csv"):
            assert planned.output.count(f" results/{file.format(name)}") >= 1, (name, file)
    assert "Ambiguous" not in planned.output
    assert not (tmp_path / "results").exists()
