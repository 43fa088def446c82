"""config/spair.yaml plans the evaluation of all categories of SPair-71k."""

import re
from pathlib import Path

import pytest
from runs import REPOSITORY, run

from demo.files import write_lines
from demo.plan import pair_name
from semalign3d.datasets.mirror_tables import SPAIR

pytestmark = pytest.mark.workflow

FILES = ("best_856.PTH", "sam_vit_h_4b8939.pth")


def test_the_summary_takes_all_categories(tmp_path: Path) -> None:
    """A dry run with the lists of pairs alone: photos are read by the jobs."""
    (tmp_path / "data" / "spair-features").mkdir(parents=True)
    for name in FILES:
        (tmp_path / "data" / name).touch()
    for first, split in enumerate(("trn", "val", "test")):
        stems = [f"2008_00{first}{number}00" for number in range(2)]
        pairs = [pair_name(number, *stems, name) for number, name in enumerate(sorted(SPAIR))]
        write_lines(tmp_path / "data/SPair-71k/Layout/large" / f"{split}.txt", pairs)
    options = ("--configfile", str(REPOSITORY / "config" / "spair.yaml"), "--dry-run")
    planned = run(tmp_path, "results/evaluation/summary.csv", options=options)
    assert {"masks", "depth", "bundle", "dense", "alignment", "summary"} <= planned.planned
    for made in (r"matching/(\w+)\.csv", r"evaluation/(\w+)/pck\.csv"):
        found = re.findall(rf"output: results/{made}", planned.output)
        assert sorted(set(found)) == sorted(SPAIR)
