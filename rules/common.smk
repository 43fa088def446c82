# What the rules share: the configuration, the dataset's images, sources, names of files.

import functools
import json
from pathlib import Path

from semalign3d.config import read_configuration
from semalign3d.errors import InputError
from semalign3d.pipeline.code import script_digest
from semalign3d.pipeline.data import DatasetFiles
from semalign3d.pipeline.images import SHARED_FILES, SPLITS, Images, rule_name, stage_files
from semalign3d.pipeline.resources import stage_resources
from semalign3d.pipeline.sources.depth import DepthSource
from semalign3d.pipeline.sources.descriptors import DescriptorSource
from semalign3d.pipeline.sources.masks import MaskSource
from semalign3d.pipeline.sources.paths import SourcePaths
from semalign3d.pipeline.targets import UnknownTargets
from semalign3d.pipeline.whole import BatchFiles
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger


def read_config():
    """The configuration of config/config.yaml, of --configfile and of --config, in this order."""
    given = workflow.config_settings
    defaults = Path(workflow.basedir) / "config" / "config.yaml"
    try:
        return read_configuration([defaults, *given.configfiles], given.config)
    except InputError as error:
        raise WorkflowError(str(error)) from error


CONFIG = read_config()
config.clear()
config.update(CONFIG.model_dump())
RUNTIME = CONFIG.runtime
DATA = DatasetFiles(CONFIG)
IMAGES = Images(DATA.splits(), RUNTIME.batches)
BATCHES = BatchFiles(RUNTIME.batches, dry=DRY)
PATHS = SourcePaths(CONFIG)
NETWORKS = Path(workflow.basedir) / "demo" / "networks"
MASKS = MaskSource(CONFIG.masks, PATHS, DATA.root, NETWORKS)
DEPTH = DepthSource(CONFIG.depth, PATHS, DATA.root, NETWORKS)
DESCRIPTORS = DescriptorSource(CONFIG.descriptors, PATHS, DATA.root, NETWORKS, remember=not DRY)
CONDA = "../envs/cuda.yaml" if RUNTIME.device.startswith("cuda") else "../envs/cpu.yaml"

BUNDLED = CONFIG.bundle.enabled
SHAPE_FILE = "results/bundle/{category}/shape.h5" if BUNDLED else "results/sparse/{category}.h5"
"""The keypoints in object space that all later stages take."""
CAMERAS_FILE = (
    "results/bundle/{category}/cameras.h5" if BUNDLED else "results/cameras/{category}.h5"
)
"""The cameras that all later stages take."""

if workflow.is_main_process:
    for warning in [*DATA.warnings(), *MASKS.warnings, *DEPTH.warnings, *DESCRIPTORS.warnings]:
        logger.warning(warning)


def later(function, *arguments):
    """Input function that gives the same for all wildcards: called when a job is wanted."""
    return lambda wildcards: function(*arguments)


def split_files(stage, split):
    """Input function: the stage's files of the category's images of a split."""
    return lambda w: stage_files(stage, w.category, IMAGES.splits[w.category][split])


def photos_of(*splits):
    """Input function: the category's photos of some splits."""
    return lambda w: DATA.images(w.category, IMAGES.stems(w.category, splits))


def annotations_of(*splits):
    """Input function: the annotation files of the category's images of some splits."""
    return lambda w: DATA.annotations(w.category, IMAGES.stems(w.category, splits))


def script_code(name):
    """Digest of the library code behind workflow/scripts/<name>.py: an edit of it reruns the stage."""
    return script_digest(Path(workflow.basedir) / "workflow" / "scripts" / f"{name}.py")


resources_of = functools.partial(stage_resources, CONFIG)
