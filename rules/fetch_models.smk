# Networks fetched ahead: run `snakemake fetch_models` where there is a connection.


rule fetch_models:
    """The networks of the configuration in the hub's cache and at masks.checkpoint."""
    log:
        "results/logs/fetch_models.log",
    conda:
        CONDA
    resources:
        **resources_of("geometry"),
    params:
        descriptor_model=DESCRIPTORS.model,
        depth_kind=DEPTH.kind,
        depth_model=DEPTH.path if DEPTH.by_network else "",
        sam_type=MASKS.model_type,
        sam_checkpoint=lambda wildcards: MASKS.checkpoint(),
    script:
        "../workflow/scripts/fetch_models.py"


localrules:
    fetch_models,
