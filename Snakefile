from snakemake.utils import min_version

min_version("9.0")


configfile: workflow.source_path("config/config.yaml")


include: "rules/common.smk"
include: "rules/inputs.smk"
include: "rules/features.smk"


wildcard_constraints:
    category=CATEGORY_PATTERN,


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
