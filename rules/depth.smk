# Relative inverse depth of the training images: Depth Anything, VGGT, or files that the user has.

for category in CATEGORIES:
    for batch, stems in image_batches(category, "trn").items():

        rule:
            name:
                rule_name("depth", category, batch)
            input:
                images=image_files(category, stems),
                annotations=annotation_files(category, stems),
                source=later(depth_inputs, category, stems),
                checked=f"results/checks/{category}.json",
            output:
                update(expand("results/depth/{c}/{s}.h5", c=category, s=stems)),
            log:
                f"results/logs/depth/{category}_{batch}.log",
            benchmark:
                f"results/benchmarks/depth/{category}_{batch}.tsv"
            conda:
                CONDA
            threads: RUNTIME["threads"]
            resources:
                **stage_resources("depth", on_gpu=DEPTH_BY_NETWORK),
            params:
                **DATASET_PARAMS,
                code=script_code("depth"),
                category=category,
                kind=DEPTH["source"],
                source=lambda wildcards: DEPTH_SOURCE,
                metric=bool(config["depth"]["metric"]),
                marker=batch_marker("depth", category, "trn", batch, stems),
            script:
                "../workflow/scripts/depth.py"
