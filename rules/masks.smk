# Object masks of the training images: SAM's candidates, or files that the user has.

for category in CATEGORIES:
    for batch, stems in image_batches(category, "trn").items():

        rule:
            name:
                rule_name("masks", category, batch)
            input:
                images=image_files(category, stems),
                annotations=annotation_files(category, stems),
                source=later(mask_inputs, category, stems),
                checked=f"results/checks/{category}.json",
            output:
                update(expand("results/masks/{c}/{s}.h5", c=category, s=stems)),
            log:
                f"results/logs/masks/{category}_{batch}.log",
            benchmark:
                f"results/benchmarks/masks/{category}_{batch}.tsv"
            conda:
                CONDA
            threads: RUNTIME["threads"]
            resources:
                **stage_resources("masks", on_gpu=MASKS_BY_SAM),
            params:
                **DATASET_PARAMS,
                code=script_code("masks"),
                category=category,
                kind=MASKS["source"],
                source=lambda wildcards: MASK_SOURCE,
                model_type=SAM_TYPE if MASKS_BY_SAM else "",
                marker=batch_marker("masks", category, "trn", batch, stems),
            script:
                "../workflow/scripts/masks.py"
