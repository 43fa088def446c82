# Shape, poses, focal lengths and depth offsets refined together (bundle.enabled).


rule bundle:
    input:
        sparse="results/sparse/{category}.h5",
        cameras="results/cameras/{category}.h5",
    output:
        shape="results/bundle/{category}.h5",
        cameras="results/bundle/{category}_cameras.h5",
        images="results/bundle/{category}_images.csv",
    log:
        "results/logs/bundle/{category}.log",
    benchmark:
        "results/benchmarks/bundle/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry", on_gpu=True),
    params:
        **DATASET_PARAMS,
        code=script_code("bundle"),
        reprojection_sigma=config["bundle"]["reprojection_sigma"],
        depth_sigma=config["bundle"]["depth_sigma"],
        degrees=config["bundle"]["degrees"],
        offset_spread=config["bundle"]["offset_spread"],
        focal_length=config["bundle"]["focal_length"],
        focal_spread=config["bundle"]["focal_spread"],
        max_iterations=config["bundle"]["max_iterations"],
        max_uncertainty=config["bundle"]["max_uncertainty"],
        suspicious=config["bundle"]["suspicious"],
    script:
        "../workflow/scripts/bundle.py"
