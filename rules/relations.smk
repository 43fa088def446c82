# Beta distributions of relations between keypoints.


rule relations:
    input:
        cameras="results/cameras/{category}.h5",
    output:
        "results/relations/{category}.h5",
    log:
        "results/logs/relations/{category}.log",
    benchmark:
        "results/benchmarks/relations/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry", on_gpu=True),
    params:
        **DATA.params,
        code=script_code("relations"),
        min_images=CONFIG.relations.min_images,
        budget=CONFIG.relations.budget,
        seed=RUNTIME.seed,
    script:
        "../workflow/scripts/relations.py"
