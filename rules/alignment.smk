# The prior placed in images, one h5 file an image. Training images are aligned when asked for.

# A job shares its images out over the cores that Snakemake was given, one thread an image. On a
# cluster, and in a job that was sent there, it has the threads that were asked for.
LOCAL_CORES = None if workflow.remote_exec else workflow.resource_settings.cores
ALIGNMENT_PROCESSES = LOCAL_CORES or RUNTIME.threads

for category in IMAGES.categories:
    for split in IMAGES.splits[category]:
        for batch, stems in IMAGES.batches(category, split).items():

            rule:
                name:
                    rule_name("alignment", category, split, batch)
                input:
                    prior=f"results/priors/{category}.h5",
                    manifest=f"results/manifest/{category}.csv",
                    descriptors=expand("results/descriptors/{c}/{s}.h5", c=category, s=stems),
                    annotations=DATA.annotations(category, stems),
                    masks=(
                        later(MASKS.guides, category, stems)
                        if CONFIG.alignment.guide == "mask"
                        else []
                    ),
                output:
                    update(expand("results/alignment/{c}/{s}.h5", c=category, s=stems)),
                log:
                    f"results/logs/alignment/{category}_{split}_{batch}.log",
                benchmark:
                    f"results/benchmarks/alignment/{category}_{split}_{batch}.tsv"
                conda:
                    CONDA
                threads: ALIGNMENT_PROCESSES
                resources:
                    **resources_of("geometry"),
                params:
                    **DATA.params,
                    **CONFIG.alignment.model_dump(),
                    category=category,
                    split=split,
                    masks_root=lambda wildcards: MASKS.path,
                    code=script_code("alignment"),
                    marker=BATCHES.marker("alignment", category, split, batch, stems),
                script:
                    "../workflow/scripts/alignment.py"
