# Sampled object points of the training images in camera space, one h5 file an image.

for category in IMAGES.categories:
    for batch, stems in IMAGES.batches(category, "trn").items():

        rule:
            name:
                rule_name("points", category, batch)
            input:
                cameras=CAMERAS_FILE.format(category=category),
                masks=expand("results/masks/{c}/{s}.h5", c=category, s=stems),
                depth=expand("results/depth/{c}/{s}.h5", c=category, s=stems),
            output:
                update(expand("results/points/{c}/{s}.h5", c=category, s=stems)),
            log:
                f"results/logs/points/{category}_{batch}.log",
            benchmark:
                f"results/benchmarks/points/{category}_{batch}.tsv"
            conda:
                CONDA
            threads: RUNTIME.threads
            resources:
                **resources_of("geometry"),
            params:
                code=script_code("points"),
                category=category,
                candidate=CONFIG.masks.candidate,
                per_image=CONFIG.points.per_image,
                erosion_size=CONFIG.cameras.erosion_size,
                erosion_iterations=CONFIG.cameras.erosion_iterations,
                seed=RUNTIME.seed,
                marker=BATCHES.marker("points", category, "trn", batch, stems),
            script:
                "../workflow/scripts/points.py"
