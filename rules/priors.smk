# From keypoints in 3D to the prior file: relations, sparse prior, dense fusion.


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


rule statistics:
    """What alignment needs to know of the training images."""
    input:
        shape=SHAPE_FILE,
        sparse="results/sparse/{category}.h5",
        dense="results/dense/{category}.h5",
        cameras=CAMERAS_FILE,
        points=training_files("points"),
        descriptors=training_files("descriptors"),
    output:
        "results/statistics/{category}.h5",
    log:
        "results/logs/statistics/{category}.log",
    benchmark:
        "results/benchmarks/statistics/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("dense"),
    params:
        **DATASET_PARAMS,
        code=script_code("alignment_statistics"),
    script:
        "../workflow/scripts/alignment_statistics.py"


PRIOR_SECTIONS = (
    "dataset",
    "descriptors",
    "masks",
    "depth",
    "cameras",
    "points",
    "relations",
    "sparse",
    "bundle",
    "dense",
)


rule prior:
    input:
        manifest="results/manifest/{category}.csv",
        cameras=CAMERAS_FILE,
        relations="results/relations/{category}.h5",
        shape=SHAPE_FILE,
        sparse="results/sparse/{category}.h5",
        dense="results/dense/{category}.h5",
        statistics="results/statistics/{category}.h5",
    output:
        "results/priors/{category}.h5",
    log:
        "results/logs/prior/{category}.log",
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry"),
    params:
        **DATASET_PARAMS,
        code=script_code("prior"),
        bundled=BUNDLED,
        settings=json.dumps({name: config[name] for name in PRIOR_SECTIONS}, sort_keys=True),
        seed=RUNTIME["seed"],
    script:
        "../workflow/scripts/prior.py"
