"""`semalign3d init`: a ready configuration for photos with a COCO-keypoint file."""

import argparse
import os
import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from ..datasets import open_dataset
from ..datasets.coco.file import read_coco_file
from ..datasets.coco.mirror_entries import NO_MIRROR, Entry, entry_of_text, ids_of_entries
from ..datasets.coco.mirror_names import half_remarks, sides_from_names
from ..datasets.names import as_written, some_of
from ..datasets.records import Dataset
from ..errors import InputError

MIN_TRAINING = 4
"""Fewer training images than these cannot make a prior."""
HEADER = """\
# Made by `semalign3d init`. config/config.yaml explains these keys and all others, which keep
# their defaults. Relative paths are taken from the folder that Snakemake runs in.
"""
MODELS = {
    "descriptors": {"source": "dinov2", "model": "facebook/dinov2-base"},
    "masks": {"source": "sam", "model_type": "vit_h", "checkpoint": "sam_vit_h_4b8939.pth"},
    "depth": {"source": "depth_anything", "model": "depth-anything/Depth-Anything-V2-Small-hf"},
}


def add_parser(commands: Any) -> None:
    """Add the command `init`."""
    parser = commands.add_parser(
        "init",
        help="write a configuration for your own photos",
        description="Write a configuration for photos with a COCO-keypoint file, as CVAT, "
        "Label Studio and COCO Annotator export it, and say what to run next. It is written "
        "whenever the file has the category; the exit code is 1 if something must be mended first.",
    )
    parser.add_argument("--coco", required=True, metavar="JSON", help="the COCO-keypoint file")
    parser.add_argument("--images", required=True, metavar="FOLDER", help="folder of the photos")
    parser.add_argument("--category", required=True, help="the category, as the file names it")
    parser.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="A,B",
        help="two keypoints that swap in a mirror image, beside the pairs that names tell; several "
        "times for several pairs. A name alone lies in the plane of symmetry; none: no mirror "
        "images",
    )
    parser.add_argument("--val", type=float, default=0.1, help="share of validation images (0.1)")
    parser.add_argument("--test", type=float, default=0.2, help="share of test images (0.2)")
    parser.add_argument("--out", metavar="YAML", help="where to write (the category, hyphenated)")
    parser.add_argument("--force", action="store_true", help="overwrite that file")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Write the configuration and print what it found; the exit code is 1 if check would refuse."""
    category = as_written(given.category)
    target = Path(given.out or f"{category.replace(' ', '-')}.yaml")
    _require_usable(given, target)
    file = read_coco_file(Path(given.coco), Path(given.images))
    file.require(category)
    names = file.names[category]
    mirror = _mirror(given.mirror, names)
    options = {"val": given.val, "test": given.test}
    options |= {} if mirror is None else {"mirror": mirror}
    dataset = open_dataset("coco", given.images, annotations=given.coco, **options)
    counts, problems = _look(dataset, category)
    remarks = [*file.remarks(category), *half_remarks(category, names, mirror)]
    texts = [f"{remark.level}: {remark.text}" for remark in remarks]
    texts += [f"problem: {text}" for text in problems]
    paths = {"root": _relative(given.images), "annotations": _relative(given.coco)}
    config = {"dataset": {"name": "coco", **paths, **options}, **MODELS}
    written = yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
    _write(target, HEADER + _comments(texts) + written)
    found = [*counts, *_keypoints(names, mirror), *(f"  {text}" for text in texts)]
    print("\n".join([*found, f"Wrote {target}.", *_next(target, category, bool(problems))]))
    return 1 if problems else 0


def _require_usable(given: argparse.Namespace, target: Path) -> None:
    """Refuse arguments that no configuration can come from."""
    if not 0 <= given.val < 1 or not 0 <= given.test < 1 or given.val + given.test >= 1:
        raise InputError(
            f"--val and --test: expected shares below 1 together, found {given.val}, {given.test}"
        )
    if target.exists() and not given.force:
        raise FileExistsError(f"{target} exists; give --force to overwrite it, or --out")
    if not Path(given.images).is_dir():
        raise InputError(f"--images: no folder {given.images}")


def _mirror(given: Sequence[str], names: Sequence[str]) -> list[Entry] | str | None:
    """What dataset.mirror has to say: nothing where the names tell, else all pairs."""
    if list(given) == [NO_MIRROR] and NO_MIRROR not in names:
        return NO_MIRROR
    sides = sides_from_names(names)
    pairs = [[i, j] for i, j in enumerate(sides.partner) if i < j]
    if not given:
        return None if pairs or sides.halves else NO_MIRROR
    said = ids_of_entries([entry_of_text(text, names) for text in given], names)
    named = {i for ids in said for i in ids}
    pairs = [ids for ids in said if len(ids) > 1] + [ids for ids in pairs if not named & set(ids)]
    single = [names[ids[0]] for ids in said if len(ids) == 1]
    return [*([names[i], names[j]] for i, j in pairs), *single] if pairs else NO_MIRROR


def _look(dataset: Dataset, category: str) -> tuple[list[str], list[str]]:
    """What the file holds, in lines, and what must be mended."""
    try:
        splits = dataset.splits(category)
    except InputError as error:
        return [], list(error.problems)
    stems = [stem for found in splits.values() for stem in found]
    paths = [dataset.image_path(category, stem) for stem in stems]
    missing = [str(path) for path in paths if not path.is_file()]
    problems = []
    if missing:
        problems.append(
            f"{len(missing)} of {len(paths)} photos are missing; --images must be the folder that "
            f"the file's names start from. Not there: {some_of(missing)}"
        )
    if len(splits["trn"]) < MIN_TRAINING:
        problems.append(
            f"{category}: {len(splits['trn'])} training images; a prior needs at least "
            f"{MIN_TRAINING}, and 20 or more to be good"
        )
    counts = ", ".join(f"{len(found)} {split}" for split, found in splits.items())
    return [f"{category}: {counts} images"], problems


def _keypoints(names: Sequence[str], mirror: list[Entry] | str | None) -> list[str]:
    """Names of the keypoints, and which swap."""
    if mirror is None:
        sides = sides_from_names(names)
        pairs = [f"{names[i]} - {names[j]}" for i, j in enumerate(sides.partner) if i < j]
        unused = ", but mirror images are not used, see below" if sides.halves else ""
    else:
        pairs = [" - ".join(map(str, e)) for e in mirror if isinstance(e, list)]
        unused = ""
    swapped = f"swapped in mirror images: {', '.join(pairs)}{unused}"
    none = "no left and right: mirror images are not used (dataset.mirror)"
    return [f"{len(names)} keypoints: {', '.join(names)}", swapped if pairs or unused else none]


def _relative(path: str) -> str:
    """A path from here where it lies below, else the absolute one."""
    relative = os.path.relpath(path)
    return str(Path(path).resolve()) if relative.startswith("..") else relative


def _comments(texts: Sequence[str]) -> str:
    lines = [line for text in texts for line in textwrap.wrap(text, 96)]
    return "".join(f"# {line}\n" for line in lines)


def _write(target: Path, text: str) -> None:
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _next(target: Path, category: str, problems: bool) -> list[str]:
    """The commands that follow."""
    check = shlex.join(["semalign3d", "check", "--configfile", str(target)])
    prior = f"results/priors/{category}.h5"
    snakefile = Path(__file__).parents[2] / "Snakefile"
    where = [] if Path("Snakefile").is_file() else ["--snakefile", str(snakefile)]
    make = ["snakemake", "--cores", "8", *where, "--configfile", str(target), "--", prior]
    first = "First mend the problems above. " if problems else ""
    return [
        f"{first}Next, look whether all is sound:",
        f"  {check}",
        f"Then:\n  {shlex.join(make)}",
    ]
