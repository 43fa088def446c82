# What we draw.


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
        "results/logs/figures/{category}_prior.log",
    conda:
        CONDA
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry"),
    params:
        code=script_code("figure_prior"),
    script:
        "../workflow/scripts/figure_prior.py"
