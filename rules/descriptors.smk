# Descriptor maps of images and their mirror images, one h5 file an image.

for category in CATEGORIES:
    for split in IMAGES[category]:
        for batch, stems in image_batches(category, split).items():

            rule:
                name:
                    rule_name("descriptors", category, split, batch)
                input:
                    features=later(present_features, category, stems),
                    checkpoint=later(post_processor_files),
                    checked=f"results/checks/{category}.json",
                output:
                    update(expand("results/descriptors/{c}/{s}.h5", c=category, s=stems)),
                log:
                    f"results/logs/descriptors/{category}_{split}_{batch}.log",
                benchmark:
                    f"results/benchmarks/descriptors/{category}_{split}_{batch}.tsv"
                conda:
                    CONDA
                threads: RUNTIME["threads"]
                resources:
                    **stage_resources("descriptors", on_gpu=True),
                params:
                    code=script_code("descriptors"),
                    root=lambda wildcards: FEATURES,
                    category=category,
                    checkpoint=lambda wildcards: POST_PROCESSOR,
                    marker=batch_marker("descriptors", category, split, batch, stems),
                script:
                    "../workflow/scripts/descriptors.py"
