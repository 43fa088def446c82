# Networks fetched ahead: run `snakemake fetch_models` where there is a connection.


rule fetch_models:
    """The networks of the configuration in the hub's cache and at masks.checkpoint."""
    log:
        "results/logs/fetch_models.log",
    conda:
        CONDA
    resources:
        **stage_resources("checks"),
    params:
        descriptor_model=DESCRIPTOR_MODEL,
        depth_kind=DEPTH["source"],
        depth_model=DEPTH_SOURCE if DEPTH_BY_NETWORK else "",
        sam_type=SAM_TYPE if MASKS_BY_SAM else "",
        sam_checkpoint=lambda wildcards: sam_checkpoint(),
    script:
        "../workflow/scripts/fetch_models.py"


localrules:
    fetch_models,
