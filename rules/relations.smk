# Beta distributions of the relations between keypoints.


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
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry", on_gpu=True),
    params:
        **DATASET_PARAMS,
        code=script_code("relations"),
        copies=config["relations"]["copies"],
        noise=config["relations"]["noise"],
        min_images=config["relations"]["min_images"],
        ratio_mode_min=config["relations"]["ratio_mode_min"],
        ratio_mode_max=config["relations"]["ratio_mode_max"],
        seed=RUNTIME["seed"],
    script:
        "../workflow/scripts/relations.py"
