# What the rules share: the checked configuration, the dataset's images and batches.

import json
import os
import re
import zlib
from pathlib import Path

import jsonschema
import yaml
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

from demo import plan as demo_plan
from semalign3d import store
from semalign3d.datasets import OPTIONS, open_dataset
from semalign3d.digest import script_digest
from semalign3d.errors import InputError
from semalign3d.pipeline.gpu import asks_for_gpu


def as_values(config):
    """Read numbers and null that came as text, as all inside --config name='{...}' does."""
    if isinstance(config, dict):
        return {key: as_values(value) for key, value in config.items()}
    if isinstance(config, list):
        return [as_values(value) for value in config]
    try:
        value = json.loads(config)
    except (TypeError, ValueError):
        return config
    return config if isinstance(value, (str, list, dict)) else value


def check_config(config, schema_path):
    """Raise one error that lists every problem of the configuration."""
    with open(schema_path) as file:
        validator = jsonschema.Draft202012Validator(yaml.safe_load(file))
    errors = sorted(validator.iter_errors(config), key=lambda e: list(map(str, e.absolute_path)))
    if errors:
        lines = [
            f"  {'.'.join(map(str, e.absolute_path)) or 'top level'}: {e.message}" for e in errors
        ]
        raise WorkflowError(
            "The configuration has problems (config/config.yaml explains every key):\n"
            + "\n".join(lines)
        )


config.update(as_values(config))
check_config(config, workflow.source_path("../config/schema.yaml"))

RUNTIME = config["runtime"]
IS_DEMO = config["dataset"]["name"] == "demo"
DEMO_COUNTS = demo_plan.Counts(**config["demo"]["images"])
CONDA = "../envs/cuda.yaml" if RUNTIME["device"].startswith("cuda") else "../envs/cpu.yaml"
DEMO_NETWORKS = Path(workflow.basedir) / "demo" / "networks"


HOLDS = {
    "spair-71k": "holds JPEGImages and ImageAnnotation",
    "ap-10k": "holds data and annotations, or JPEGImages and PairAnnotation",
    "pf-pascal": "holds JPEGImages, Annotations and the lists of pairs",
    "coco": "holds the photos",
}


def dataset_root():
    name, root = config["dataset"]["name"], config["dataset"]["root"]
    if root is None and not IS_DEMO:
        raise WorkflowError(
            f"dataset.root is not set: give the folder of {name} (the one that {HOLDS[name]})."
        )
    return str(Path(root or "results/demo"))


ROOT = dataset_root()


def dataset_options():
    """The settings that the dataset's adapter takes, besides its name and root."""
    given = {**config["dataset"], "seed": RUNTIME["seed"]}
    return {name: given[name] for name in OPTIONS[given["name"]] if given[name] is not None}


def open_configured_dataset():
    try:
        return open_dataset(config["dataset"]["name"], ROOT, **dataset_options())
    except InputError as error:
        raise WorkflowError(str(error)) from error


DATASET = open_configured_dataset()
DATASET_PARAMS = {
    f"dataset_{name}": lambda wildcards, value=value: value
    for name, value in {"name": DATASET.name, "root": ROOT, **dataset_options()}.items()
}


def image_splits():
    """{category: {split: stems}}: known before the demo is made, read from the dataset otherwise."""
    if IS_DEMO:
        return {c: demo_plan.splits(c, DEMO_COUNTS) for c in config["demo"]["categories"]}
    try:
        found = {c: DATASET.splits(c) for c in DATASET.categories()}
    except InputError as error:
        raise WorkflowError(str(error)) from error
    if not found:
        raise WorkflowError(f"dataset.root: the lists of images under {ROOT} are empty.")
    return found


IMAGES = image_splits()
CATEGORIES = sorted(IMAGES)
CATEGORY_PATTERN = "|".join(map(re.escape, CATEGORIES))


def image_batches(category, split):
    """{batch: stems}. A stem's batch depends on its own name only, so a new image touches one."""
    batches = {}
    for stem in IMAGES[category].get(split, ()):
        batches.setdefault(zlib.crc32(stem.encode()) % RUNTIME["batches"], []).append(stem)
    return dict(sorted(batches.items()))


def later(function, *arguments):
    """Input function that gives the same for all wildcards: called when a job is wanted."""
    return lambda wildcards: function(*arguments)


def split_files(stage, split):
    """Input function: the stage's files of the category's images of a split."""
    return lambda wildcards: [
        f"results/{stage}/{wildcards.category}/{stem}.h5"
        for stem in IMAGES[wildcards.category][split]
    ]


def training_files(stage):
    """Input function: the stage's files of the category's training images."""
    return split_files(stage, "trn")


def rule_name(stage, category, *rest):
    """Name of a category's rule; other characters than letters and digits become a digest."""
    plain = re.sub(r"\W", "", category, flags=re.ASCII)
    if plain != category:
        plain += f"{zlib.crc32(category.encode()):08x}"
    return "_".join([stage, plain, *map(str, rest)])


BUNDLED = config["bundle"]["enabled"]
SHAPE_FILE = "results/bundle/{category}.h5" if BUNDLED else "results/sparse/{category}.h5"
"""The keypoints in object space that all later stages take."""
CAMERAS_FILE = (
    "results/cameras/{category}_bundle.h5" if BUNDLED else "results/cameras/{category}.h5"
)
"""The cameras that all later stages take."""


def present(paths):
    """The files that exist, or that the demo rule will make.

    Missing files of the user are not inputs, so that the checks stage can list them all
    with every other problem; when one appears, the set of inputs changes and jobs rerun.
    """
    return [path for path in paths if IS_DEMO or Path(path).exists()]


def image_files(category, stems):
    return present(str(DATASET.image_path(category, stem)) for stem in stems)


def annotation_files(category, stems):
    """Each file once: a dataset may keep the annotations of many images in one."""
    paths = [str(DATASET.annotation_path(category, stem)) for stem in stems]
    return present(dict.fromkeys(paths))


def pair_files(category, split):
    """Files of the pairs' annotations, where pairs have some."""
    if IS_DEMO:
        named = demo_plan.pair_names(category, DEMO_COUNTS)[split]
        return [f"{ROOT}/PairAnnotation/{split}/{name}.json" for _, name, _, _ in named]
    return present(map(str, DATASET.pair_files(category, split)))


def list_files():
    return present(map(str, DATASET.list_files()))


def all_stems(category, splits=("trn", "val", "test")):
    return [stem for split in splits for stem in IMAGES[category].get(split, ())]


def checked_stems(category):
    """Images whose feature files are checked."""
    return all_stems(category, config["dataset"]["splits"])


BATCH_FILES = {}


def batch_marker(stage, category, split, batch, stems):
    """The file that a per-image batch touches when its outputs are whole.

    Outputs newer than it were changed by somebody else: see date_back_damaged().
    """
    marker = f"results/{stage}/{category}/.whole-{split}-{batch}of{RUNTIME['batches']}"
    BATCH_FILES[marker] = [f"results/{stage}/{category}/{stem}.h5" for stem in stems]
    return marker


def date_back_damaged():
    """Make per-image files that were changed since their job, and are no longer whole, very old.

    Snakemake remakes what is older than its script. Reads only files newer than their batch's
    marker, so that a run over thousands of whole files costs their stat() only.
    """
    if not workflow.is_main_process:
        return
    for marker, files in BATCH_FILES.items():
        checked = Path(marker).stat().st_mtime_ns if Path(marker).exists() else 0
        found = [path for path in map(Path, files) if path.exists()]
        for path in [path for path in found if path.stat().st_mtime_ns > checked]:
            problem = store.verify(path)
            if problem:
                logger.warning(f"{path} is damaged ({problem}): it will be remade.")
                os.utime(path, (1, 1))
        if found:
            Path(marker).touch()


def script_code(name):
    """Digest of the library code behind workflow/scripts/<name>.py: an edit of it reruns the stage."""
    return script_digest(Path(workflow.basedir) / "workflow" / "scripts" / f"{name}.py")


def stage_resources(stage, on_gpu=False):
    """What a job of the stage asks a cluster for; a GPU where the device is one."""
    wanted = config["resources"][stage]
    resources = {"mem_mb": wanted["mem_mb"], "runtime": wanted["minutes"]}
    if on_gpu and asks_for_gpu(RUNTIME["device"]):
        resources["gpu"] = 1
        if RUNTIME["gpu_partition"]:
            resources["slurm_partition"] = RUNTIME["gpu_partition"]
    return resources
