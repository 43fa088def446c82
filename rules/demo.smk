# The built-in demo: a synthetic dataset in SPair-71k's layout, with its truth beside it.

if IS_DEMO:
    DEMO_COUNT_LIST = [config["demo"]["images"][split] for split in ("trn", "val", "test")]

    rule demo_layout:
        output:
            layout=list_files(),
        log:
            "results/logs/demo/layout.log",
        conda:
            CONDA
        resources:
            **stage_resources("checks"),
        params:
            code=script_code("demo/layout"),
            root=lambda wildcards: ROOT,
            categories=sorted(CATEGORIES, key=demo_plan.CATEGORIES.index),
            counts=DEMO_COUNT_LIST,
        script:
            "../workflow/scripts/demo/layout.py"

    for category in CATEGORIES:

        rule:
            name:
                rule_name("demo", category)
            output:
                images=image_files(category, all_stems(category)),
                annotations=annotation_files(category, all_stems(category)),
                pairs=[path for s in IMAGES[category] for path in pair_files(category, s)],
                features=demo_features(category, all_stems(category)),
                masks=expand(f"{ROOT}/masks/{category}/{{s}}.png", s=all_stems(category)),
                depth=expand(f"{ROOT}/depth/{category}/{{s}}_depth.npy", s=all_stems(category)),
                truth=f"{ROOT}/truth/{category}.npz",
            log:
                f"results/logs/demo/{category}.log",
            benchmark:
                f"results/benchmarks/demo/{category}.tsv"
            conda:
                CONDA
            threads: 2
            resources:
                **stage_resources("checks"),
            params:
                code=script_code("demo/category"),
                root=lambda wildcards: ROOT,
                category=category,
                counts=DEMO_COUNT_LIST,
                seed=RUNTIME["seed"],
            script:
                "../workflow/scripts/demo/category.py"
