# Matches of the test pairs by each method, and how many of them are right.

EVALUATED = [category for category in CATEGORIES if IMAGES[category].get("test")]
EVALUATION = config["evaluation"]


rule matches:
    """Every query of every test pair, with the place where each method puts it."""
    input:
        pairs=lambda w: pair_files(w.category, "test"),
        lists=list_files(),
        annotations=lambda w: annotation_files(w.category, IMAGES[w.category]["test"]),
        prior="results/priors/{category}.h5",
        alignments=split_files("alignments", "test"),
        descriptors=split_files("descriptors", "test"),
    output:
        "results/matches/{category}.csv",
    log:
        "results/logs/matches/{category}.log",
    benchmark:
        "results/benchmarks/matches/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry"),
    params:
        **DATASET_PARAMS,
        **config["matching"],
        code=script_code("matches"),
        soft_argmax_window=EVALUATION["soft_argmax_window"],
        soft_argmax_temperature=EVALUATION["soft_argmax_temperature"],
    script:
        "../workflow/scripts/matches.py"


rule evaluation:
    """PCK of a category: per point and per image, by grade of difference, with intervals."""
    input:
        "results/matches/{category}.csv",
    output:
        "results/evaluation/{category}.csv",
    log:
        "results/logs/evaluation/{category}.log",
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry"),
    params:
        code=script_code("evaluation"),
        alphas=EVALUATION["alphas"],
        resamples=EVALUATION["resamples"],
        seed=RUNTIME["seed"],
    script:
        "../workflow/scripts/evaluation.py"


rule summary:
    """PCK of every category, the mean of categories, and all pairs together."""
    input:
        matches=expand("results/matches/{category}.csv", category=EVALUATED),
        tables=expand("results/evaluation/{category}.csv", category=EVALUATED),
    output:
        "results/evaluation/summary.csv",
    log:
        "results/logs/evaluation/summary.log",
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry"),
    params:
        code=script_code("summary"),
        alphas=EVALUATION["alphas"],
        resamples=EVALUATION["resamples"],
        seed=RUNTIME["seed"],
    script:
        "../workflow/scripts/summary.py"
