# Descriptor maps of images and their mirror images, one h5 file an image.

for category in IMAGES.categories:
    for split in IMAGES.splits[category]:
        for batch, stems in IMAGES.batches(category, split).items():

            rule:
                name:
                    rule_name("descriptors", category, split, batch)
                input:
                    features=later(DESCRIPTORS.made, category, stems),
                    images=DATA.images(category, stems) if DESCRIPTORS.of_photos else [],
                    networks=later(DESCRIPTORS.networks),
                    checked=f"results/checks/{category}.json",
                output:
                    update(expand("results/descriptors/{c}/{s}.h5", c=category, s=stems)),
                log:
                    f"results/logs/descriptors/{category}_{split}_{batch}.log",
                benchmark:
                    f"results/benchmarks/descriptors/{category}_{split}_{batch}.tsv"
                conda:
                    CONDA
                threads: RUNTIME.threads
                resources:
                    **resources_of("networks", on_gpu=DESCRIPTORS.by_network),
                params:
                    **DATA.params,
                    code=script_code("descriptors"),
                    category=category,
                    split=split,
                    kind=DESCRIPTORS.kind,
                    root=lambda wildcards: DESCRIPTORS.root,
                    found=later(DESCRIPTORS.found, category, stems),
                    checkpoint=lambda wildcards: DESCRIPTORS.checkpoint,
                    model=DESCRIPTORS.model,
                    grid=CONFIG.descriptors.grid,
                    marker=BATCHES.marker("descriptors", category, split, batch, stems),
                script:
                    "../workflow/scripts/descriptors.py"
