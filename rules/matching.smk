# Matches of the test pairs by each method.


rule matching:
    """Every query of every test pair, with the place where each method puts it."""
    input:
        pairs=lambda w: DATA.pairs(w.category, "test"),
        lists=DATA.lists(),
        annotations=annotations_of("test"),
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
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        **CONFIG.matching.model_dump(),
        code=script_code("matching"),
    script:
        "../workflow/scripts/matching.py"
