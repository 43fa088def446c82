# Where the features, masks and depth of images come from: the user's files, networks, the demo's own.

from semalign3d.models.masks import mask_file

FEATURES = for_demo(
    config["descriptors"]["root"],
    f"{ROOT}/features",
    "descriptors.root is not set: give the folder that holds GeoAware-SC's feature files, "
    "<root>/<category>/<stem>_dino.pt and so on (README, 'With SPair-71k').",
)
FEATURE_KINDS = ("dino", "dino_flip", "sd", "sd_flip")


def feature_files(category, stems):
    return [f"{FEATURES}/{category}/{stem}_{kind}.pt" for stem in stems for kind in FEATURE_KINDS]


POST_PROCESSOR = for_demo(
    config["descriptors"]["checkpoint"],
    DEMO_NETWORKS / "post_processor.pth",
    "descriptors.checkpoint is not set: give the post-processor checkpoint of GeoAware-SC "
    "(best_856.PTH, from https://github.com/Junyi42/GeoAware-SC), or 'raw' to do without one.",
)

SAM_CHECKPOINTS = "https://github.com/facebookresearch/segment-anything#model-checkpoints"
MASKS = config["masks"]
MASKS_BY_SAM = MASKS["source"] == "sam"
SAM_TYPE = MASKS["model_type"] or ("vit_demo" if IS_DEMO else "vit_h")
if MASKS_BY_SAM:
    MASK_SOURCE = for_demo(
        MASKS["checkpoint"],
        DEMO_NETWORKS / "sam_demo.pth",
        f"masks.checkpoint is not set: download the {SAM_TYPE} checkpoint from {SAM_CHECKPOINTS} "
        "and give its path (or set masks.source to files).",
    )
else:
    MASK_SOURCE = for_demo(
        MASKS["root"],
        f"{ROOT}/masks",
        "masks.root is not set: masks.source is files, so give the folder that holds "
        "<category>/<stem>_masks.npy or <category>/<stem>.png.",
    )


def mask_inputs(category, stems):
    """The user's mask files; the demo's are pictures, also before they are made."""
    if IS_DEMO and MASK_SOURCE == f"{ROOT}/masks":
        return [f"{MASK_SOURCE}/{category}/{stem}.png" for stem in stems]
    return [str(mask_file(MASK_SOURCE, category, stem)) for stem in stems]


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
