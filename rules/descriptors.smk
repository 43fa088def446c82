# Descriptor maps of images and their mirror images, one h5 file an image.

for category in CATEGORIES:
    for split in IMAGES[category]:
        for batch, stems in image_batches(category, split).items():

            rule:
                name:
                    rule_name("descriptors", category, split, batch)
                input:
                    features=later(made_features, category, stems),
                    images=later(encoded_images, category, stems),
                    networks=later(descriptor_networks),
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
                    **stage_resources("descriptors", on_gpu=DESCRIPTORS_BY_NETWORK),
                params:
                    **DATASET_PARAMS,
                    code=script_code("descriptors"),
                    category=category,
                    kind=DESCRIPTORS["source"],
                    root=lambda wildcards: FEATURES,
                    found=later(features_found, category, stems),
                    checkpoint=lambda wildcards: POST_PROCESSOR,
                    model=DESCRIPTOR_MODEL,
                    grid=DESCRIPTORS["grid"],
                    marker=batch_marker("descriptors", category, split, batch, stems),
                script:
                    "../workflow/scripts/descriptors.py"
