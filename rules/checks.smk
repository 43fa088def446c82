# Whether all inputs are there and sound.


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
