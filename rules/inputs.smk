# Where the masks and depth of images come from: the user's files, networks, the demo's own.

from semalign3d.maps.depth.sources import depth_files
from semalign3d.maps.masks.sam import mask_file
from semalign3d.maps.depth.vggt import DEFAULT_MODEL as VGGT_MODEL

SOURCE_PROBLEMS = {}


def source(key, demo_value, remedy):
    """The path that a setting gives, or for the demo its own default.

    A problem with it is noted and stops the jobs that need the path, not the others.
    """
    section, name = key.split(".")
    value = config[section][name]
    if IS_DEMO and (value or demo_value):
        return str(value or demo_value)
    if value is None:
        SOURCE_PROBLEMS[key] = f"{key} is not set: {remedy}"
    elif value != "raw" and not Path(value).exists():
        SOURCE_PROBLEMS[key] = f"{key}: {value} does not exist: {remedy}"
    return value


def require(key):
    """Raise an error that lists the problems of all sources if this one has any."""
    if key in SOURCE_PROBLEMS:
        raise WorkflowError("The configuration has problems:", *SOURCE_PROBLEMS.values())


def warn_of_unused(section, keys):
    """Say which settings play no part with the chosen source."""
    unused = [f"{section}.{key}" for key in keys if config[section][key] is not None]
    if unused and workflow.is_main_process:
        chosen = config[section]["source"]
        logger.warning(f"Not used, since {section}.source is {chosen}: {', '.join(unused)}")


warn_of_unused(
    "masks", ["root"] if config["masks"]["source"] == "sam" else ["model_type", "checkpoint"]
)
warn_of_unused("depth", ["model"] if config["depth"]["source"] == "files" else ["root", "metric"])

unused = [
    f"dataset.{name}"
    for name in ("annotations", "val", "test", "mirror", "hidden", "partition")
    if config["dataset"][name] is not None and name not in OPTIONS[DATASET.name]
]
if unused and workflow.is_main_process:
    logger.warning(f"Not used, since dataset.name is {DATASET.name}: {', '.join(unused)}")

SAM_CHECKPOINTS = "https://github.com/facebookresearch/segment-anything#model-checkpoints"
MASKS = config["masks"]
MASKS_BY_SAM = MASKS["source"] == "sam"
SAM_TYPE = MASKS["model_type"] or ("vit_demo" if IS_DEMO else "vit_h")
if MASKS_BY_SAM:
    MASK_SOURCE = source(
        "masks.checkpoint",
        DEMO_NETWORKS / "sam_demo.pth",
        f"run the target fetch_models, or download the {SAM_TYPE} checkpoint from {SAM_CHECKPOINTS} "
        "and give its path (or set masks.source to files).",
    )
else:
    MASK_SOURCE = source(
        "masks.root",
        f"{ROOT}/masks",
        "masks.source is files, so give the folder that holds "
        "<category>/<stem>_masks.npy or <category>/<stem>.png (or SPair-71k's Segmentation).",
    )


def mask_inputs(category, stems):
    """SAM's checkpoint, or the mask files; the demo's are pictures, also before they are made."""
    require("masks.checkpoint" if MASKS_BY_SAM else "masks.root")
    if MASKS_BY_SAM:
        return MASK_SOURCE
    if IS_DEMO and MASK_SOURCE == f"{ROOT}/masks":
        return [f"{MASK_SOURCE}/{category}/{stem}.png" for stem in stems]
    files = [mask_file(MASK_SOURCE, category, stem) for stem in stems]
    missing = [
        (
            f"neither {path} nor {path.with_name(path.name.replace('_masks.npy', '.png'))} exists"
            if path.suffix == ".npy"
            else f"{path} does not exist"
        )
        for path in files
        if not path.is_file()
    ]
    if missing:
        raise WorkflowError(f"masks.root: {len(missing)} masks are missing:", *missing)
    return [str(path) for path in files]


DEPTH = config["depth"]
DEPTH_BY_NETWORK = DEPTH["source"] != "files"
if DEPTH_BY_NETWORK:
    DEPTH_SOURCE = DEPTH["model"] or (
        VGGT_MODEL
        if DEPTH["source"] == "vggt"
        else (
            str(DEMO_NETWORKS / "depth") if IS_DEMO else "depth-anything/Depth-Anything-V2-Large-hf"
        )
    )
else:
    DEPTH_SOURCE = source(
        "depth.root",
        f"{ROOT}/depth",
        "depth.source is files, so give the folder that holds <category>/<stem>_depth.npy "
        "(or set depth.source to depth_anything).",
    )


def depth_inputs(category, stems):
    """The depth and intrinsics files, or the network's where it lies in a local folder."""
    require("depth.root")
    if not DEPTH_BY_NETWORK:
        return [str(f) for stem in stems for f in depth_files(DEPTH_SOURCE, category, stem)]
    return sorted(map(str, Path(DEPTH_SOURCE).glob("*.safetensors")))


def sam_checkpoint():
    """Where the SAM checkpoint is or belongs."""
    if not MASKS_BY_SAM:
        return ""
    if MASK_SOURCE is None:
        require("masks.checkpoint")
    return str(MASK_SOURCE)
