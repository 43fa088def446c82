# What there is: one row an image.


rule manifest:
    """One row an image: split, size, box, number of keypoints."""
    input:
        layout=DATA.lists(),
        annotations=annotations_of(*SPLITS),
        images=photos_of(*SPLITS),
    output:
        "results/manifest/{category}.csv",
    log:
        "results/logs/manifest/{category}.log",
    conda:
        CONDA
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        code=script_code("manifest"),
        stems=lambda w: [
            f"{split}/{stem}" for split in SPLITS for stem in IMAGES.stems(w.category, [split])
        ],
    script:
        "../workflow/scripts/manifest.py"
