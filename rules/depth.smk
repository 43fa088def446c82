# Relative inverse depth of the training images: Depth Anything, VGGT, or files that the user has.

for category in IMAGES.categories:
    for batch, stems in IMAGES.batches(category, "trn").items():

        rule:
            name:
                rule_name("depth", category, batch)
            input:
                images=DATA.images(category, stems),
                annotations=DATA.annotations(category, stems),
                source=later(DEPTH.inputs, category, stems),
                checked=f"results/checks/{category}.json",
            output:
                update(expand("results/depth/{c}/{s}.h5", c=category, s=stems)),
            log:
                f"results/logs/depth/{category}_{batch}.log",
            benchmark:
                f"results/benchmarks/depth/{category}_{batch}.tsv"
            conda:
                CONDA
            threads: RUNTIME.threads
            resources:
                **resources_of("networks", on_gpu=DEPTH.by_network),
            params:
                **DATA.params,
                code=script_code("depth"),
                category=category,
                kind=DEPTH.kind,
                source=lambda wildcards: DEPTH.path,
                metric=bool(CONFIG.depth.metric),
                marker=BATCHES.marker("depth", category, "trn", batch, stems),
            script:
                "../workflow/scripts/depth.py"
