# The built-in demo: a synthetic dataset in SPair-71k's layout, with its truth beside it.

if IS_DEMO:
    DEMO_COUNT_LIST = [config["demo"]["images"][split] for split in ("trn", "val", "test")]

    rule demo_layout:
        output:
            layout=layout_files(),
        params:
            code=script_code("demo_layout"),
            root=ROOT,
            counts=DEMO_COUNT_LIST,
        log:
            "results/logs/demo/layout.log",
        resources:
            **stage_resources("checks"),
        script:
            "../workflow/scripts/demo_layout.py"

    for category in CATEGORIES:

        rule:
            name:
                f"demo_{category}"
            output:
                images=image_files(category, all_stems(category)),
                annotations=annotation_files(category, all_stems(category)),
                features=feature_files(category, all_stems(category)),
                masks=expand(f"{ROOT}/masks/{category}/{{s}}.png", s=all_stems(category)),
                depth=expand(f"{ROOT}/depth/{category}/{{s}}_depth.npy", s=all_stems(category)),
                truth=f"{ROOT}/truth/{category}.npz",
            params:
                code=script_code("demo_category"),
                root=ROOT,
                category=category,
                counts=DEMO_COUNT_LIST,
                seed=RUNTIME["seed"],
            log:
                f"results/logs/demo/{category}.log",
            benchmark:
                f"results/benchmarks/demo/{category}.tsv"
            threads: 8
            resources:
                **stage_resources("checks"),
            script:
                "../workflow/scripts/demo_category.py"
