# What there is: one row an image.


rule manifest:
    """One row an image: split, size, box, number of keypoints."""
    input:
        layout=list_files(),
        annotations=lambda w: annotation_files(w.category, all_stems(w.category)),
    output:
        "results/manifest/{category}.csv",
    log:
        "results/logs/manifest/{category}.log",
    conda:
        CONDA
    resources:
        **stage_resources("checks"),
    params:
        **DATASET_PARAMS,
        code=script_code("manifest"),
        stems=lambda w: [
            f"{s}/{i}" for s in sorted(IMAGES[w.category]) for i in IMAGES[w.category][s]
        ],
    script:
        "../workflow/scripts/manifest.py"
