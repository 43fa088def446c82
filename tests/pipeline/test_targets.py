"""Targets that no rule makes, damaged files, and resources."""

import os
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from snakemake.exceptions import WorkflowError

from semalign3d.config import Configuration
from semalign3d.files import store
from semalign3d.pipeline.images import Images
from semalign3d.pipeline.resources import stage_resources
from semalign3d.pipeline.targets import UnknownTargets
from semalign3d.pipeline.whole import BatchFiles

IMAGES = Images({"chair": {"trn": ["c1", "c2"], "test": ["c9"]}, "cow": {"trn": ["m.1"]}}, 1)
UNKNOWN = UnknownTargets(
    "data",
    IMAGES,
    ["results/priors/{category}.h5", "results/masks/chair/c1.h5", "results/demo/a", "other"],
    {"masks": {"chair": {"c1", "c2"}, "cow": {"m.1"}}, "depth": {"chair": {"c1", "c2"}}},
)


def message(function, **wildcards: str) -> str:
    with pytest.raises(WorkflowError) as raised:
        function(SimpleNamespace(**wildcards))
    return str(raised.value)


def test_an_unknown_category_names_the_nearest() -> None:
    assert UNKNOWN.stages == "masks|priors"
    text = message(UNKNOWN.category, unknown="chiar.h5")
    assert text == ("no category 'chiar' in data; there are: chair, cow. Did you mean 'chair'?")
    assert "Did you mean" not in message(UNKNOWN.category, unknown="xyz/a.h5")
    assert "no category 'a.b'" in message(UNKNOWN.category, unknown="a.b.h5")
    assert "no category 'a.b'" in message(UNKNOWN.category, unknown="a.b/c.h5")


def test_an_unknown_image_names_the_nearest_or_its_split() -> None:
    text = message(UNKNOWN.image, unknown_image="masks/chair/c3.h5")
    assert "no image 'c3' of category 'chair'" in text
    text = message(UNKNOWN.image, unknown_image="masks/chair/c9.h5")
    assert "is in split test, for which there are no masks files" in text
    assert "no images" in message(UNKNOWN.image, unknown_image="depth/cow/m.h5")


def test_the_pattern_matches_known_images_alone() -> None:
    known = re.compile(rf"(?:{UNKNOWN.known_images()})\.h5")
    for path in ("masks/chair/c1.h5", "masks/cow/m.1.h5", "depth/chair/c2.h5"):
        assert known.fullmatch(path)
    for path in ("masks/chair/c9.h5", "masks/cow/mx1.h5", "depth/cow/m.1.h5"):
        assert not known.fullmatch(path)


def cut(path: Path, later: float) -> None:
    """Cut a file after its job has touched the marker."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    os.utime(path, (later, later))


def batch_of_two(dry: bool = False) -> tuple[BatchFiles, str]:
    batches = BatchFiles(1, dry=dry)
    return batches, batches.marker("masks", "mug", "trn", 0, ["a", "b"])


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two whole files of a batch in the working folder."""
    monkeypatch.chdir(tmp_path)
    paths = [Path("results/masks/mug/a.h5"), Path("results/masks/mug/b.h5")]
    for path in paths:
        with store.create(path) as file:
            store.write(file, "masks", np.zeros((3, 3)))
    return paths


def test_damaged_files_get_an_old_date(pair: list[Path]) -> None:
    batches, marker = batch_of_two()
    assert list(batches.remake_damaged()) == []
    cut(pair[0], Path(marker).stat().st_mtime + 10)
    [problem] = batches.remake_damaged()
    assert problem.startswith("results/masks/mug/a.h5 is damaged (")
    assert pair[0].stat().st_mtime == 1
    assert pair[1].stat().st_mtime > 1
    assert batches.stems() == {"masks": {"mug": {"a", "b"}}}


def test_a_dry_run_changes_nothing_and_plans_the_job(pair: list[Path]) -> None:
    def tree() -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in Path().rglob("*")}

    before = tree()
    batches, marker = batch_of_two(dry=True)
    assert list(batches.remake_damaged()) == []
    assert tree() == before
    assert batch_of_two()[1] == marker
    cut(pair[0], pair[0].stat().st_mtime + 10)
    before = tree()
    batches, changed = batch_of_two(dry=True)
    assert changed != marker
    [problem] = batches.remake_damaged()
    assert problem.startswith("results/masks/mug/a.h5 is damaged (")
    assert tree() == before


def test_an_error_of_the_file_system_is_no_damage(
    pair: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise OSError(5, "Unable to synchronously open file (errno = 5)")

    monkeypatch.setattr(store.h5py, "File", refuse)
    batches, marker = batch_of_two()
    problems = list(batches.remake_damaged())
    assert len(problems) == 2
    assert problems[0].startswith("results/masks/mug/a.h5: Input/output error (errno 5). Run again")
    assert all(path.stat().st_mtime > 1 for path in pair)
    assert not Path(marker).exists()


@pytest.mark.parametrize(
    ("device", "on_gpu", "wanted"),
    [
        ("cuda", True, {"gpu": 1, "slurm_partition": "big"}),
        ("cuda", False, {}),
        ("cpu", True, {}),
    ],
)
def test_resources(device: str, on_gpu: bool, wanted: dict[str, object]) -> None:
    configuration = Configuration.model_validate(
        {"runtime": {"device": device, "gpu_partition": "big"}}
    )
    found = stage_resources(configuration, "networks", on_gpu=on_gpu)
    assert found == {"mem_mb": 8000, "runtime": 120, **wanted}
