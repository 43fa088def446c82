# Keypoints in object space, and their descriptors.


rule sparse:
    input:
        relations="results/relations/{category}.h5",
        cameras="results/cameras/{category}.h5",
        descriptors=training_files("descriptors"),
    output:
        "results/sparse/{category}.h5",
    log:
        "results/logs/sparse/{category}.log",
    benchmark:
        "results/benchmarks/sparse/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry", on_gpu=True),
    params:
        **DATASET_PARAMS,
        code=script_code("sparse"),
        max_iterations=config["sparse"]["max_iterations"],
    script:
        "../workflow/scripts/sparse.py"
