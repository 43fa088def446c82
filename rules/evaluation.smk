# How many of the matches are right.


EVALUATED = [c for c in IMAGES.categories if IMAGES.stems(c, ["test"])]


rule evaluation:
    """PCK of a category: per point and per image, by grade of difference, with intervals."""
    input:
        "results/matching/{category}.csv",
    output:
        "results/evaluation/{category}/pck.csv",
    log:
        "results/logs/evaluation/{category}.log",
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        code=script_code("evaluation/category"),
        alphas=CONFIG.evaluation.alphas,
        resamples=CONFIG.evaluation.resamples,
        seed=RUNTIME.seed,
    script:
        "../workflow/scripts/evaluation/category.py"


rule summary:
    """PCK of every category, the mean of categories, and all pairs together."""
    input:
        matches=expand("results/matching/{category}.csv", category=EVALUATED),
        tables=expand("results/evaluation/{category}/pck.csv", category=EVALUATED),
    output:
        "results/evaluation/summary.csv",
    log:
        "results/logs/summary.log",
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        code=script_code("evaluation/summary"),
        alphas=CONFIG.evaluation.alphas,
        resamples=CONFIG.evaluation.resamples,
        seed=RUNTIME.seed,
    script:
        "../workflow/scripts/evaluation/summary.py"
