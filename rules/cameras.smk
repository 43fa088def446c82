# Focal lengths of the training images, and their keypoints in 3D.


rule cameras:
    input:
        masks=training_files("masks"),
        depth=training_files("depth"),
        annotations=lambda w: annotation_files(w.category, IMAGES[w.category]["trn"]),
    output:
        "results/cameras/{category}.h5",
    log:
        "results/logs/cameras/{category}.log",
    benchmark:
        "results/benchmarks/cameras/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry"),
    params:
        **DATASET_PARAMS,
        code=script_code("cameras"),
        candidate=config["masks"]["candidate"],
        slope=config["cameras"]["depth_slope"],
        initial=config["cameras"]["initial_p"],
        erosion_size=config["cameras"]["erosion_size"],
        erosion_iterations=config["cameras"]["erosion_iterations"],
    script:
        "../workflow/scripts/cameras.py"
