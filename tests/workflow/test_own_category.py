"""docs/tutorial/own-category.md, command by command."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from runs import REPOSITORY
from transformers import BitImageProcessor, Dinov2Config, Dinov2Model

from demo.dataset import make_category, write_layout
from demo.plan import Counts
from semalign3d.datasets.mirror_tables import SPAIR, mirror_permutation
from semalign3d.prior import Prior
from studies.shared.prior_score import score_prior

pytestmark = pytest.mark.workflow

COUNTS = Counts(11, 2, 2)
NETWORKS = REPOSITORY / "demo" / "networks"
PYTHON = shlex.quote(sys.executable)
PROGRAMS = {
    "python": PYTHON,
    "semalign3d": f"{PYTHON} -m semalign3d.cli",
    "snakemake": f"{PYTHON} -m snakemake --snakefile {shlex.quote(str(REPOSITORY / 'Snakefile'))}",
}


def commands() -> list[str]:
    """The commands of the page, in order."""
    text = (REPOSITORY / "docs" / "tutorial" / "own-category.md").read_text()
    return [
        line
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
    ]


def execute(line: str, folder: Path) -> str:
    """Run a command of the page in a folder; returns what it printed."""
    program, rest = line.split(" ", 1)
    done = subprocess.run(
        f"{PROGRAMS[program]} {rest.replace('--cores 8', '--cores 2')}",
        shell=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{line}\n{done.stdout[-6000:]}"
    return done.stdout


def save_small_dino(folder: Path) -> None:
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    Dinov2Model(Dinov2Config(image_size=98, patch_size=14, **sizes)).save_pretrained(folder)
    BitImageProcessor(image_mean=[0.5] * 3, image_std=[0.25] * 3).save_pretrained(folder)


def use_small_networks(path: Path) -> None:
    """What the page's section on models tells users to fill in."""
    config = yaml.safe_load(path.read_text())
    config["descriptors"] |= {"model": "dino", "grid": 16}
    config["masks"] |= {"model_type": "vit_demo", "checkpoint": str(NETWORKS / "sam_demo.pth")}
    config["depth"]["model"] = str(NETWORKS / "depth")
    config["points"] = {"per_image": 400}
    config["dense"] = {"points": 100}
    path.write_text(yaml.safe_dump(config))


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The folder in which all commands ran, and what each printed."""
    folder = tmp_path_factory.mktemp("own category")
    make_category(folder / "results" / "demo", "chair", COUNTS)
    write_layout(folder / "results" / "demo", ("chair",), COUNTS)
    save_small_dino(folder / "dino")
    printed = {}
    for line in commands():
        printed[line] = execute(line, folder)
        if line.startswith("semalign3d init"):
            use_small_networks(folder / "garden-chair.yaml")
    return folder, printed


def test_the_first_commands_say_what_is_there(outputs: tuple[Path, dict[str, str]]) -> None:
    texts = "\n".join(outputs[1].values())
    assert "garden chair: 10 trn, 2 val, 3 test images" in texts
    assert "right_seat_front - left_seat_front" in texts
    assert "0 feature files; all sound" in texts
    assert re.search(r"8 right_backrest_top +\d+ of 10 training images", texts)


def test_the_prior_is_that_of_the_chairs(outputs: tuple[Path, dict[str, str]]) -> None:
    folder = outputs[0] / "results"
    prior = Prior.load(folder / "priors" / "garden chair.h5")
    assert (prior.category, prior.dataset) == ("garden chair", "coco")
    assert prior.mirror is not None
    np.testing.assert_array_equal(prior.mirror, mirror_permutation(SPAIR["chair"]))
    assert prior.keypoint_names[:2] == ("right_seat_front", "left_seat_front")
    with np.load(folder / "demo" / "truth" / "chair.npz") as truth:
        score = score_prior(prior, dict(truth))
    assert score.unused == 0
    assert score.sparse < 0.12
    assert score.sparse < score.mirrored + 1e-9
    for name in ("images", "prior"):
        assert (folder / "figures" / "garden chair" / f"{name}.png").stat().st_size > 10_000
