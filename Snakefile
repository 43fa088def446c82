from pathlib import Path

from snakemake.logging import logger
from snakemake.utils import min_version

from semalign3d.pipeline import locks

min_version("9.0")

# After a kill the same command goes on: a lock whose run is dead is removed here.
if workflow.is_main_process:
    enter = locks.look_in if workflow.output_settings.dryrun else locks.start_run
    enter(Path(".snakemake"), logger.warning)


configfile: workflow.source_path("config/config.yaml")


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/features.smk"


wildcard_constraints:
    category=CATEGORY_PATTERN,


include: "rules/data.smk"
include: "rules/demo.smk"
include: "rules/descriptors.smk"
include: "rules/masks.smk"
include: "rules/depth.smk"
include: "rules/cameras.smk"
include: "rules/bundle.smk"
include: "rules/priors.smk"
include: "rules/alignment.smk"
include: "rules/evaluation.smk"
include: "rules/models.smk"
include: "rules/report.smk"
include: "rules/known.smk"
include: "rules/unknown.smk"


date_back_damaged()


rule all:
    default_target: True
    input:
        expand("results/priors/{category}.h5", category=CATEGORIES),
        expand("results/figures/{category}/prior.png", category=CATEGORIES),
        expand("results/figures/{category}/images.png", category=CATEGORIES),
        expand("results/figures/{category}/masks.png", category=CATEGORIES),
