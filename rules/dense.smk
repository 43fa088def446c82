# The surface in object space, fused from the object points of all views.


rule dense:
    input:
        shape=SHAPE_FILE,
        sparse="results/sparse/{category}.h5",
        cameras=CAMERAS_FILE,
        masks=training_files("masks"),
        points=training_files("points"),
        descriptors=training_files("descriptors"),
    output:
        "results/dense/{category}.h5",
    log:
        "results/logs/dense/{category}.log",
    benchmark:
        "results/benchmarks/dense/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("dense", on_gpu=True),
    params:
        **DATASET_PARAMS,
        code=script_code("dense"),
        candidate=config["masks"]["candidate"],
        fused=config["dense"]["fused"],
        points=config["dense"]["points"],
        nearest=config["dense"]["nearest"],
        outliers=config["dense"]["outliers"],
        margin=config["dense"]["margin"],
        smoothing=config["dense"]["smoothing"],
        tolerance=config["dense"]["tolerance"],
        flat=config["dense"]["flat"],
        seed=RUNTIME["seed"],
    script:
        "../workflow/scripts/dense.py"
