# Where descriptors come from: feature files, an encoder of photos, or the user's maps.

from semalign3d.files.digest import values_digest
from semalign3d.maps.descriptors.files import descriptor_files, is_hdf5
from semalign3d.maps.descriptors.vit import DEFAULT_MODELS

DESCRIPTORS = config["descriptors"]
DESCRIPTORS_BY_NETWORK = DESCRIPTORS["source"] != "files"
DESCRIPTORS_OF_IMAGES = DESCRIPTORS["source"] in DEFAULT_MODELS
DEMO_FEATURES = f"{ROOT}/features"
FEATURE_KINDS = ("dino", "dino_flip", "sd", "sd_flip")

if DESCRIPTORS_OF_IMAGES:
    warn_of_unused("descriptors", ["root"])
    DESCRIPTOR_MODEL = DESCRIPTORS["model"] or DEFAULT_MODELS[DESCRIPTORS["source"]]
    FEATURES = ""
    POST_PROCESSOR = "raw"
    if DESCRIPTORS["checkpoint"] is not None:
        POST_PROCESSOR = source(
            "descriptors.checkpoint",
            "raw",
            "give a post-processor that was trained on this encoder's features, or 'raw'.",
        )
elif DESCRIPTORS["source"] == "files":
    warn_of_unused("descriptors", ["checkpoint", "model"])
    DESCRIPTOR_MODEL, POST_PROCESSOR = "", "raw"
    FEATURES = source(
        "descriptors.root",
        None,
        "descriptors.source is files, so give the folder that holds <category>/<stem>.npy and "
        "<category>/<stem>_flip.npy, or one HDF5 file.",
    )
else:
    warn_of_unused("descriptors", ["model"])
    DESCRIPTOR_MODEL = ""
    FEATURES = source(
        "descriptors.root",
        DEMO_FEATURES,
        "give the folder that holds GeoAware-SC's feature files, "
        "<root>/<category>/<stem>_dino.pt and so on (README, 'With SPair-71k').",
    )
    POST_PROCESSOR = source(
        "descriptors.checkpoint",
        DEMO_NETWORKS / "post_processor.pth",
        "give the post-processor checkpoint of GeoAware-SC "
        "(best_856.PTH, from https://github.com/Junyi42/GeoAware-SC), or 'raw' to do without one.",
    )


def feature_files(category, stems):
    """The files that the source reads for these images."""
    if DESCRIPTORS["source"] == "files":
        return [str(f) for stem in stems for f in descriptor_files(FEATURES, category, stem)]
    return [f"{FEATURES}/{category}/{stem}_{kind}.pt" for stem in stems for kind in FEATURE_KINDS]


def demo_features(category, stems):
    return [
        f"{DEMO_FEATURES}/{category}/{stem}_{kind}.pt" for stem in stems for kind in FEATURE_KINDS
    ]


def made_features(category, stems):
    """The feature files that this workflow makes itself: only these are inputs of jobs.

    The user's may be deleted when descriptors are made of them; they are followed by
    features_found() instead.
    """
    return feature_files(category, stems) if FEATURES == DEMO_FEATURES and IS_DEMO else []


FOUND = {}


def seen_features(category):
    """{file: size and time} of the category's feature files, as they were when last seen.

    Kept in results/descriptors/<category>/.features.json, so that a deleted file is remembered.
    """
    if category not in FOUND:
        record = Path(f"results/descriptors/{category}/.features.json")
        before = json.loads(record.read_text()) if record.exists() else {}
        place = Path(FEATURES) if is_hdf5(FEATURES) else Path(FEATURES) / category
        files = [place] if place.is_file() else place.iterdir() if place.is_dir() else []
        status = {str(path): path.stat() for path in files}
        now = {path: f"{s.st_size} {s.st_mtime_ns}" for path, s in status.items()}
        FOUND[category] = {**before, **now}
        if FOUND[category] != before and workflow.is_main_process:
            record.parent.mkdir(parents=True, exist_ok=True)
            partial = record.with_suffix(".partial")
            partial.write_text(json.dumps(FOUND[category], sort_keys=True, indent=0))
            os.replace(partial, record)
    return FOUND[category]


def features_found(category, stems):
    """Digest of what the images' feature files look like: another one reruns the stage."""
    if DESCRIPTORS_OF_IMAGES or made_features(category, stems):
        return ""
    seen = seen_features(category) if FEATURES else {}
    if not seen:
        require("descriptors.root")
    return values_digest(files=[seen.get(path) for path in feature_files(category, stems)])


def encoded_images(category, stems):
    return image_files(category, stems) if DESCRIPTORS_OF_IMAGES else []


def descriptor_networks():
    """Files of the post-processor, and of the encoder where it lies in a local folder."""
    require("descriptors.checkpoint")
    networks = [] if POST_PROCESSOR == "raw" else [POST_PROCESSOR]
    if DESCRIPTOR_MODEL:
        networks += sorted(map(str, Path(DESCRIPTOR_MODEL).glob("*.safetensors")))
    return networks
