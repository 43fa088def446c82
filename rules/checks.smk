# Whether all inputs are there and sound.


rule checks:
    """Every image, annotation and feature file: there, readable, and fit for a prior."""
    input:
        images=photos_of(*SPLITS),
        annotations=annotations_of(*SPLITS),
        features=lambda w: DESCRIPTORS.made(
            w.category, IMAGES.stems(w.category, CONFIG.dataset.splits)
        ),
    output:
        "results/checks/{category}.json",
    log:
        "results/logs/checks/{category}.log",
    benchmark:
        "results/benchmarks/checks/{category}.tsv"
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        code=script_code("checks"),
        splits=CONFIG.dataset.splits,
        kind=CONFIG.descriptors.source,
        features_root=lambda wildcards: DESCRIPTORS.root,
        found=lambda w: DESCRIPTORS.found(
            w.category, IMAGES.stems(w.category, CONFIG.dataset.splits)
        ),
        descriptors=lambda w: f"results/descriptors/{w.category}",
        min_images=CONFIG.relations.min_images,
        strict=CONFIG.checks.strict,
        failed=lambda w: f"results/logs/checks/{w.category}.json",
    script:
        "../workflow/scripts/checks.py"
