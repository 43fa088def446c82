# Shape, poses, focal lengths and depth offsets refined together (bundle.enabled).


rule bundle:
    input:
        sparse="results/sparse/{category}.h5",
        cameras="results/cameras/{category}.h5",
    output:
        shape="results/bundle/{category}/shape.h5",
        cameras="results/bundle/{category}/cameras.h5",
        images="results/bundle/{category}/images.csv",
    log:
        "results/logs/bundle/{category}.log",
    benchmark:
        "results/benchmarks/bundle/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry", on_gpu=True),
    params:
        **DATA.params,
        code=script_code("bundle"),
        reprojection_sigma=CONFIG.bundle.reprojection_sigma,
        depth_sigma=CONFIG.bundle.depth_sigma,
        max_uncertainty=CONFIG.bundle.max_uncertainty,
        suspicious=CONFIG.bundle.suspicious,
    script:
        "../workflow/scripts/bundle.py"
