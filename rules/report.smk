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
    params:
        code=script_code("figure_prior"),
    log:
        "results/logs/figures/{category}_prior.log",
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("geometry"),
    script:
        "../workflow/scripts/figure_prior.py"
