from pathlib import Path

from snakemake.logging import logger
from snakemake.utils import min_version

from semalign3d.pipeline import locks

min_version("9.0")

DRY = workflow.output_settings.dryrun

# After a kill the same command goes on: a lock whose run is dead is removed here. A dry run changes
# nothing on disk, and no lock stops it.
if workflow.is_main_process:
    enter = locks.look_in if DRY else locks.start_run
    enter(Path(".snakemake"), logger.warning)


include: "rules/common.smk"


wildcard_constraints:
    category=IMAGES.category_pattern,


include: "rules/demo.smk"
include: "rules/manifest.smk"
include: "rules/checks.smk"
include: "rules/descriptors.smk"
include: "rules/masks.smk"
include: "rules/depth.smk"
include: "rules/cameras.smk"
include: "rules/relations.smk"
include: "rules/sparse.smk"
include: "rules/bundle.smk"
include: "rules/points.smk"
include: "rules/dense.smk"
include: "rules/statistics.smk"
include: "rules/prior.smk"
include: "rules/alignment.smk"
include: "rules/matching.smk"
include: "rules/evaluation.smk"
include: "rules/figures.smk"
include: "rules/fetch_models.smk"
include: "rules/unknown.smk"


if workflow.is_main_process:
    for problem in BATCHES.remake_damaged():
        logger.warning(problem)


rule all:
    default_target: True
    input:
        expand("results/priors/{category}.h5", category=IMAGES.categories),
        expand("results/figures/{category}/prior.png", category=IMAGES.categories),
        expand("results/figures/{category}/images.png", category=IMAGES.categories),
        expand("results/figures/{category}/masks.png", category=IMAGES.categories),
