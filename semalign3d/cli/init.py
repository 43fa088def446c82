"""`semalign3d init`: a ready configuration for photos with a COCO-keypoint file."""

import argparse
import os
import shlex
from pathlib import Path
from typing import Any

import yaml

from ..datasets import open_dataset
from ..datasets.records import Dataset
from ..errors import InputError

MIN_TRAINING = 4
"""Fewer training images than these cannot make a prior."""
HEADER = """\
# Made by `semalign3d init`. config/config.yaml explains these keys and all others, which keep
# their defaults. Relative paths are taken from the folder that Snakemake runs in.
"""


def add_parser(commands: Any) -> None:
    """Add the command `init`."""
    parser = commands.add_parser(
        "init",
        help="write a configuration for your own photos",
        description="Write a configuration for photos with a COCO-keypoint file, as CVAT, "
        "Label Studio and COCO Annotator export it, and say what to run next.",
    )
    parser.add_argument("--coco", required=True, metavar="JSON", help="the COCO-keypoint file")
    parser.add_argument("--images", required=True, metavar="FOLDER", help="folder of the photos")
    parser.add_argument("--category", required=True, help="the category, as the file names it")
    parser.add_argument("--val", type=float, default=0.1, help="share of validation images (0.1)")
    parser.add_argument("--test", type=float, default=0.2, help="share of test images (0.2)")
    parser.add_argument("--out", metavar="YAML", help="where to write (the category, hyphenated)")
    parser.add_argument("--force", action="store_true", help="overwrite that file")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Write the configuration and print what it found."""
    if not 0 <= given.val < 1 or not 0 <= given.test < 1 or given.val + given.test >= 1:
        raise InputError(
            f"--val and --test: expected shares below 1 together, found {given.val}, {given.test}"
        )
    target = Path(given.out or f"{given.category.replace(' ', '-')}.yaml")
    if target.exists() and not given.force:
        raise FileExistsError(f"{target} exists; give --force to overwrite it, or --out")
    if not Path(given.images).is_dir():
        raise InputError(f"--images: no folder {given.images}")
    options = {"annotations": given.coco, "val": given.val, "test": given.test}
    dataset = open_dataset("coco", given.images, **options)
    found, mirror = _look(dataset, given.category)
    config = {
        "dataset": {
            "name": "coco",
            "root": _relative(given.images),
            "annotations": _relative(given.coco),
            "val": given.val,
            "test": given.test,
            **({"mirror": "none"} if mirror is None else {}),
        },
        "descriptors": {"source": "dinov2", "model": "facebook/dinov2-base"},
        "masks": {"source": "sam", "model_type": "vit_h", "checkpoint": "sam_vit_h_4b8939.pth"},
        "depth": {
            "source": "depth_anything",
            "model": "depth-anything/Depth-Anything-V2-Small-hf",
        },
    }
    _write(target, HEADER + yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    print("\n".join([*found, f"Wrote {target}.", *_next(target, given.category)]))
    return 0


def _look(dataset: Dataset, category: str) -> tuple[list[str], Any]:
    """What the file holds, in lines, and the mirror table."""
    splits = dataset.splits(category)
    names = dataset.keypoint_names(category)
    missing = [
        str(path)
        for stems in splits.values()
        for path in (dataset.image_path(category, stem) for stem in stems)
        if not path.is_file()
    ]
    if missing:
        raise InputError(
            [f"{path}: no such image" for path in missing[:20]],
            hint=f"{len(missing)} photos are missing; --images must be the folder that the file's "
            "names start from.",
        )
    if len(splits["trn"]) < MIN_TRAINING:
        raise InputError(
            f"{category}: {len(splits['trn'])} training images; a prior needs at least "
            f"{MIN_TRAINING}, and 20 or more to be good"
        )
    counts = ", ".join(f"{len(stems)} {split}" for split, stems in splits.items())
    mirror = dataset.mirror(category)
    if mirror is None:
        sides = "no left and right in their names: mirror images are not used (dataset.mirror)"
    else:
        pairs = [f"{names[i]} - {names[j]}" for i, j in enumerate(mirror) if i < j]
        sides = f"swapped in mirror images: {', '.join(pairs)}"
    return [
        f"{category}: {counts} images",
        f"{len(names)} keypoints: {', '.join(names)}",
        sides,
    ], mirror


def _relative(path: str) -> str:
    """A path from here where it lies below, else the absolute one."""
    relative = os.path.relpath(path)
    return str(Path(path).resolve()) if relative.startswith("..") else relative


def _write(target: Path, text: str) -> None:
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _next(target: Path, category: str) -> list[str]:
    """The commands that follow."""
    check = shlex.join(["semalign3d", "check", "--configfile", str(target)])
    prior = f"results/priors/{category}.h5"
    snakefile = Path(__file__).parents[2] / "Snakefile"
    where = [] if Path("Snakefile").is_file() else ["--snakefile", str(snakefile)]
    make = ["snakemake", "--cores", "8", *where, "--configfile", str(target), "--", prior]
    return ["Next, look whether all is sound:", f"  {check}", "Then:", f"  {shlex.join(make)}"]
