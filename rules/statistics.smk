# What alignment needs to know of the training images.


rule statistics:
    """What alignment needs to know of the training images."""
    input:
        shape=SHAPE_FILE,
        sparse="results/sparse/{category}.h5",
        dense="results/dense/{category}.h5",
        cameras=CAMERAS_FILE,
        points=split_files("points", "trn"),
        descriptors=split_files("descriptors", "trn"),
    output:
        "results/statistics/{category}.h5",
    log:
        "results/logs/statistics/{category}.log",
    benchmark:
        "results/benchmarks/statistics/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        code=script_code("statistics"),
    script:
        "../workflow/scripts/statistics.py"
