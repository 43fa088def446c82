# What we draw.


rule figure_images:
    """Thumbnails with keypoints, boxes and split: labelling mistakes show before time is spent."""
    input:
        images=photos_of(*SPLITS),
        annotations=annotations_of(*SPLITS),
    output:
        report(
            "results/figures/{category}/images.png",
            caption="../docs/captions/images.rst",
            category="Images",
            labels={"category": "{category}"},
        ),
    log:
        "results/logs/figures/{category}/images.log",
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        code=script_code("figures/images"),
    script:
        "../workflow/scripts/figures/images.py"


rule figure_prior:
    input:
        "results/priors/{category}.h5",
    output:
        report(
            "results/figures/{category}/prior.png",
            caption="../docs/captions/prior.rst",
            category="Priors",
            labels={"category": "{category}"},
        ),
    log:
        "results/logs/figures/{category}/prior.log",
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        code=script_code("figures/prior"),
    script:
        "../workflow/scripts/figures/prior.py"


rule figure_masks:
    """The chosen masks against keypoints and boxes: a table, worst first, and a page of pictures."""
    input:
        masks=split_files("masks", "trn"),
        images=photos_of("trn"),
        annotations=annotations_of("trn"),
    output:
        table="results/masks/{category}/report.csv",
        figure=report(
            "results/figures/{category}/masks.png",
            caption="../docs/captions/masks.rst",
            category="Checks",
            labels={"category": "{category}"},
        ),
    log:
        "results/logs/figures/{category}/masks.log",
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        code=script_code("figures/masks"),
        candidate=CONFIG.masks.candidate,
    script:
        "../workflow/scripts/figures/masks.py"


rule figure_alignment:
    input:
        prior="results/priors/{category}.h5",
        alignment="results/alignment/{category}/{image}.h5",
        image=lambda w: DATA.images(w.category, [w.image]),
    output:
        report(
            "results/figures/{category}/alignment_{image}.png",
            caption="../docs/captions/alignment.rst",
            category="Alignments",
            subcategory="{category}",
            labels={"image": "{image}"},
        ),
    log:
        "results/logs/figures/{category}/alignment_{image}.log",
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        code=script_code("figures/alignment"),
    script:
        "../workflow/scripts/figures/alignment.py"


rule figure_matches:
    input:
        matches="results/matching/{category}.csv",
        images=photos_of("test"),
    output:
        report(
            "results/figures/{category}/matches.png",
            caption="../docs/captions/matches.rst",
            category="Matches",
            labels={"category": "{category}"},
        ),
    log:
        "results/logs/figures/{category}/matches.log",
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        **DATA.params,
        code=script_code("figures/matching"),
        alpha=max(CONFIG.evaluation.alphas),
        pairs=CONFIG.evaluation.shown_pairs,
    script:
        "../workflow/scripts/figures/matching.py"


rule figure_pck:
    input:
        "results/evaluation/summary.csv",
    output:
        report(
            "results/figures/pck.png",
            caption="../docs/captions/pck.rst",
            category="Matches",
            labels={"category": "all"},
        ),
    log:
        "results/logs/pck.log",
    conda:
        CONDA
    threads: RUNTIME.threads
    resources:
        **resources_of("geometry"),
    params:
        code=script_code("figures/evaluation"),
    script:
        "../workflow/scripts/figures/evaluation.py"
