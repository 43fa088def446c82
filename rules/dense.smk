# The surface in object space, fused from the object points of all views.


rule dense:
    input:
        shape=SHAPE_FILE,
        sparse="results/sparse/{category}.h5",
        cameras=CAMERAS_FILE,
        masks=split_files("masks", "trn"),
        points=split_files("points", "trn"),
        descriptors=split_files("descriptors", "trn"),
    output:
        "results/dense/{category}.h5",
    log:
        "results/logs/dense/{category}.log",
    benchmark:
        "results/benchmarks/dense/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry", on_gpu=True),
    params:
        **DATA.params,
        code=script_code("dense"),
        candidate=CONFIG.masks.candidate,
        fused=CONFIG.dense.fused,
        points=CONFIG.dense.points,
        outliers=CONFIG.dense.outliers,
        smoothing=CONFIG.dense.smoothing,
        seed=RUNTIME.seed,
    script:
        "../workflow/scripts/dense.py"
