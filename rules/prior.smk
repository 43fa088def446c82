# The prior file: what users load.


PRIOR_SECTIONS = (
    "dataset",
    "descriptors",
    "masks",
    "depth",
    "cameras",
    "points",
    "relations",
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
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        code=script_code("prior"),
        bundled=BUNDLED,
        settings=json.dumps(CONFIG.model_dump(include=set(PRIOR_SECTIONS)), sort_keys=True),
        seed=RUNTIME.seed,
    script:
        "../workflow/scripts/prior.py"
