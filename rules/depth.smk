# Relative inverse depth of the training images: Depth Anything, or files that the user has.

DEPTH = config["depth"]
DEPTH_BY_NETWORK = DEPTH["source"] == "depth_anything"
if DEPTH_BY_NETWORK:
    DEPTH_SOURCE = DEPTH["model"] or (
        str(DEMO_NETWORKS / "depth") if IS_DEMO else "depth-anything/Depth-Anything-V2-Large-hf"
    )
else:
    DEPTH_SOURCE = for_demo(
        DEPTH["root"],
        f"{ROOT}/depth",
        "depth.root is not set: depth.source is files, so give the folder that holds "
        "<category>/<stem>_depth.npy.",
    )


def depth_inputs(category, stems):
    """The depth files, or the network's where it lies in a local folder."""
    if not DEPTH_BY_NETWORK:
        return [f"{DEPTH_SOURCE}/{category}/{stem}_depth.npy" for stem in stems]
    return sorted(map(str, Path(DEPTH_SOURCE).glob("*.safetensors")))


for category in CATEGORIES:
    for batch, stems in image_batches(category, "trn").items():

        rule:
            name:
                f"depth_{category}_{batch}"
            input:
                images=image_files(category, stems),
                source=depth_inputs(category, stems),
                checked=ancient(f"results/checks/{category}.json"),
            output:
                update(expand("results/depth/{c}/{s}.h5", c=category, s=stems)),
            params:
                code=script_code("depth"),
                dataset_root=ROOT,
                category=category,
                kind=DEPTH["source"],
                source=DEPTH_SOURCE,
                marker=batch_marker("depth", category, "trn", batch, stems),
            log:
                f"results/logs/depth/{category}_{batch}.log",
            benchmark:
                f"results/benchmarks/depth/{category}_{batch}.tsv"
            threads: RUNTIME["threads"]
            resources:
                **stage_resources("depth", on_gpu=DEPTH_BY_NETWORK),
            script:
                "../workflow/scripts/depth.py"
