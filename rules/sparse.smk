# Keypoints in object space, and their descriptors.


rule sparse:
    input:
        relations="results/relations/{category}.h5",
        cameras="results/cameras/{category}.h5",
        descriptors=split_files("descriptors", "trn"),
    output:
        "results/sparse/{category}.h5",
    log:
        "results/logs/sparse/{category}.log",
    benchmark:
        "results/benchmarks/sparse/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry", on_gpu=True),
    params:
        **DATA.params,
        code=script_code("sparse"),
    script:
        "../workflow/scripts/sparse.py"
