# Matches of the test pairs by each method.


rule matching:
    """Every query of every test pair, with the place where each method puts it."""
    input:
        pairs=lambda w: pair_files(w.category, "test"),
        lists=list_files(),
        annotations=lambda w: annotation_files(w.category, IMAGES[w.category]["test"]),
        prior="results/priors/{category}.h5",
        alignments=split_files("alignment", "test"),
        descriptors=split_files("descriptors", "test"),
    output:
        "results/matching/{category}.csv",
    log:
        "results/logs/matching/{category}.log",
    benchmark:
        "results/benchmarks/matching/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry"),
    params:
        **DATASET_PARAMS,
        **config["matching"],
        code=script_code("matching"),
        soft_argmax_window=config["evaluation"]["soft_argmax_window"],
        soft_argmax_temperature=config["evaluation"]["soft_argmax_temperature"],
    script:
        "../workflow/scripts/matching.py"
