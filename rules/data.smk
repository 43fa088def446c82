# What is there (manifest) and whether it is sound (checks).


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


rule checks:
    """Every image, annotation and feature file: present, readable, right shape, finite."""
    input:
        images=lambda w: image_files(w.category, all_stems(w.category)),
        annotations=lambda w: annotation_files(w.category, all_stems(w.category)),
        features=lambda w: made_features(w.category, checked_stems(w.category)),
    output:
        "results/checks/{category}.json",
    log:
        "results/logs/checks/{category}.log",
    benchmark:
        "results/benchmarks/checks/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("checks"),
    params:
        **DATASET_PARAMS,
        code=script_code("checks"),
        splits=config["dataset"]["splits"],
        kind=config["descriptors"]["source"],
        features_root=lambda wildcards: FEATURES,
        found=lambda w: features_found(w.category, checked_stems(w.category)),
        descriptors=lambda w: f"results/descriptors/{w.category}",
    script:
        "../workflow/scripts/checks.py"
