# Object masks of the training images: SAM's candidates, or files that the user has.

from semalign3d.models.masks import mask_file

SAM_CHECKPOINTS = "https://github.com/facebookresearch/segment-anything#model-checkpoints"
MASKS = config["masks"]
MASKS_BY_SAM = MASKS["source"] == "sam"
SAM_TYPE = MASKS["model_type"] or ("vit_demo" if IS_DEMO else "vit_h")
if MASKS_BY_SAM:
    MASK_SOURCE = for_demo(
        MASKS["checkpoint"],
        DEMO_NETWORKS / "sam_demo.pth",
        f"masks.checkpoint is not set: download the {SAM_TYPE} checkpoint from {SAM_CHECKPOINTS} "
        "and give its path (or set masks.source to files).",
    )
else:
    MASK_SOURCE = for_demo(
        MASKS["root"],
        f"{ROOT}/masks",
        "masks.root is not set: masks.source is files, so give the folder that holds "
        "<category>/<stem>_masks.npy or <category>/<stem>.png.",
    )


def mask_inputs(category, stems):
    """The user's mask files; the demo's are pictures, also before they are made."""
    if IS_DEMO and MASK_SOURCE == f"{ROOT}/masks":
        return [f"{MASK_SOURCE}/{category}/{stem}.png" for stem in stems]
    return [str(mask_file(MASK_SOURCE, category, stem)) for stem in stems]


for category in CATEGORIES:
    for batch, stems in image_batches(category, "trn").items():

        rule:
            name:
                f"masks_{category}_{batch}"
            input:
                images=image_files(category, stems),
                annotations=annotation_files(category, stems),
                source=MASK_SOURCE if MASKS_BY_SAM else mask_inputs(category, stems),
                checked=ancient(f"results/checks/{category}.json"),
            output:
                update(expand("results/masks/{c}/{s}.h5", c=category, s=stems)),
            params:
                code=script_code("masks"),
                dataset_root=ROOT,
                category=category,
                kind=MASKS["source"],
                source=MASK_SOURCE,
                model_type=SAM_TYPE if MASKS_BY_SAM else "",
                marker=batch_marker("masks", category, "trn", batch, stems),
            log:
                f"results/logs/masks/{category}_{batch}.log",
            benchmark:
                f"results/benchmarks/masks/{category}_{batch}.tsv"
            threads: RUNTIME["threads"]
            resources:
                **stage_resources("masks", on_gpu=MASKS_BY_SAM),
            script:
                "../workflow/scripts/masks.py"
