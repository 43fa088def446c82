# What is there (manifest) and whether it is sound (checks).

FEATURES = for_demo(
    config["descriptors"]["root"],
    f"{ROOT}/features",
    "descriptors.root is not set: give the folder that holds GeoAware-SC's feature files, "
    "<root>/<category>/<stem>_dino.pt and so on (README, 'With SPair-71k').",
)
FEATURE_KINDS = ("dino", "dino_flip", "sd", "sd_flip")


def feature_files(category, stems):
    return [f"{FEATURES}/{category}/{stem}_{kind}.pt" for stem in stems for kind in FEATURE_KINDS]


rule manifest:
    """One row an image: split, size, box, number of keypoints."""
    input:
        layout=layout_files(),
        annotations=lambda w: annotation_files(w.category, all_stems(w.category)),
    output:
        "results/manifest/{category}.csv",
    params:
        code=script_code("manifest"),
        dataset_root=ROOT,
        stems=lambda w: [f"{s}/{i}" for s in sorted(IMAGES[w.category]) for i in IMAGES[w.category][s]],
    log:
        "results/logs/manifest/{category}.log",
    resources:
        **stage_resources("checks"),
    script:
        "../workflow/scripts/manifest.py"


rule checks:
    """Every image, annotation and feature file: present, readable, right shape, finite."""
    input:
        manifest="results/manifest/{category}.csv",
        images=lambda w: image_files(w.category, all_stems(w.category)),
        annotations=lambda w: annotation_files(w.category, all_stems(w.category)),
        features=lambda w: present(
            feature_files(w.category, all_stems(w.category, config["dataset"]["splits"]))
        ),
    output:
        "results/checks/{category}.json",
    params:
        code=script_code("checks"),
        dataset_root=ROOT,
        splits=config["dataset"]["splits"],
        features_root=FEATURES,
    log:
        "results/logs/checks/{category}.log",
    benchmark:
        "results/benchmarks/checks/{category}.tsv"
    threads: RUNTIME["threads"]
    resources:
        **stage_resources("checks"),
    script:
        "../workflow/scripts/checks.py"
