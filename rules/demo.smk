# The built-in demo: a synthetic dataset in SPair-71k's layout, with its truth beside it.

if DATA.is_demo:
    DEMO_COUNTS = list(DATA.counts)

    rule demo_layout:
        output:
            layout=DATA.lists(),
        log:
            "results/logs/demo/layout.log",
        conda:
            CONDA
        resources:
            **resources_of("geometry"),
        params:
            code=script_code("demo/layout"),
            root=lambda wildcards: DATA.root,
            categories=DATA.demo_categories,
            counts=DEMO_COUNTS,
        script:
            "../workflow/scripts/demo/layout.py"

    for category in IMAGES.categories:

        rule:
            name:
                rule_name("demo", category)
            output:
                images=DATA.images(category, IMAGES.stems(category)),
                annotations=DATA.annotations(category, IMAGES.stems(category)),
                pairs=[path for split in SPLITS for path in DATA.pairs(category, split)],
                features=DESCRIPTORS.demo_files(category, IMAGES.stems(category)),
                masks=expand(f"{DATA.root}/masks/{category}/{{s}}.png", s=IMAGES.stems(category)),
                depth=expand(
                    f"{DATA.root}/depth/{category}/{{s}}_depth.npy", s=IMAGES.stems(category)
                ),
                truth=f"{DATA.root}/truth/{category}.npz",
            log:
                f"results/logs/demo/{category}.log",
            benchmark:
                f"results/benchmarks/demo/{category}.tsv"
            conda:
                CONDA
            threads: 2
            resources:
                **resources_of("geometry"),
            params:
                code=script_code("demo/category"),
                root=lambda wildcards: DATA.root,
                category=category,
                counts=DEMO_COUNTS,
                seed=RUNTIME.seed,
            script:
                "../workflow/scripts/demo/category.py"
