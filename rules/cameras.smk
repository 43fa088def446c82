# Focal lengths of the training images, and their keypoints in 3D.


rule cameras:
    input:
        masks=split_files("masks", "trn"),
        depth=split_files("depth", "trn"),
        annotations=annotations_of("trn"),
    output:
        "results/cameras/{category}.h5",
    log:
        "results/logs/cameras/{category}.log",
    benchmark:
        "results/benchmarks/cameras/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        code=script_code("cameras"),
        candidate=CONFIG.masks.candidate,
        erosion_size=CONFIG.cameras.erosion_size,
        erosion_iterations=CONFIG.cameras.erosion_iterations,
        seed=RUNTIME.seed,
    script:
        "../workflow/scripts/cameras.py"
