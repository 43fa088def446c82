# Whether all inputs are there and sound.


rule checks:
    """Every image, annotation and feature file: present, readable, right shape, finite."""
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
    script:
        "../workflow/scripts/checks.py"
