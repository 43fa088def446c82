# Descriptor maps of images and their mirror images, one h5 file an image.

POST_PROCESSOR = for_demo(
    config["descriptors"]["checkpoint"],
    DEMO_NETWORKS / "post_processor.pth",
    "descriptors.checkpoint is not set: give the post-processor checkpoint of GeoAware-SC "
    "(best_856.PTH, from https://github.com/Junyi42/GeoAware-SC), or 'raw' to do without one.",
)
for category in CATEGORIES:
    for split in IMAGES[category]:
        for batch, stems in image_batches(category, split).items():

            rule:
                name:
                    f"descriptors_{category}_{split}_{batch}"
                input:
                    features=present(feature_files(category, stems)),
                    checkpoint=[] if POST_PROCESSOR == "raw" else POST_PROCESSOR,
                    checked=ancient(f"results/checks/{category}.json"),
                output:
                    update(expand("results/descriptors/{c}/{s}.h5", c=category, s=stems)),
                params:
                    code=script_code("descriptors"),
                    root=FEATURES,
                    category=category,
                    checkpoint=POST_PROCESSOR,
                    marker=batch_marker("descriptors", category, split, batch, stems),
                log:
                    f"results/logs/descriptors/{category}_{split}_{batch}.log",
                benchmark:
                    f"results/benchmarks/descriptors/{category}_{split}_{batch}.tsv"
                threads: RUNTIME["threads"]
                resources:
                    **stage_resources("descriptors", on_gpu=True),
                script:
                    "../workflow/scripts/descriptors.py"
