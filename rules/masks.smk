# Object masks of the training images: SAM's candidates, or files that the user has.

for category in IMAGES.categories:
    for batch, stems in IMAGES.batches(category, "trn").items():

        rule:
            name:
                rule_name("masks", category, batch)
            input:
                images=DATA.images(category, stems),
                annotations=DATA.annotations(category, stems),
                source=later(MASKS.inputs, category, stems),
                checked=f"results/checks/{category}.json",
            output:
                update(expand("results/masks/{c}/{s}.h5", c=category, s=stems)),
            log:
                f"results/logs/masks/{category}_{batch}.log",
            benchmark:
                f"results/benchmarks/masks/{category}_{batch}.tsv"
            conda:
                CONDA
            threads: RUNTIME.threads
            resources:
                **resources_of("networks", on_gpu=MASKS.by_sam),
            params:
                **DATA.params,
                code=script_code("masks"),
                category=category,
                kind=CONFIG.masks.source,
                source=lambda wildcards: MASKS.path,
                model_type=MASKS.model_type,
                marker=BATCHES.marker("masks", category, "trn", batch, stems),
            script:
                "../workflow/scripts/masks.py"
