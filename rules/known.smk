# Which results there are, and errors that say so. Included after the rules that make them, since
# it follows from their outputs.

import difflib

STAGES = {
    str(path).split("/")[1]
    for each in workflow.rules
    for path in each.output
    if str(path).startswith("results/")
} - {"demo"}

STAGE_IMAGES = {}
"""{stage: {category: stems}} of the stages with a file an image."""
for path in (path for paths in BATCH_FILES.values() for path in paths):
    _, stage, category, name = path.split("/")
    STAGE_IMAGES.setdefault(stage, {}).setdefault(category, set()).add(Path(name).stem)


def alike(name, known):
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    return f" Did you mean {found[0]!r}?" if found else ""


def no_such_category(wildcards):
    """Input function that raises an error."""
    name = re.split(r"[./]", wildcards.unknown)[0]
    raise WorkflowError(
        f"no category {name!r} in {ROOT}; there are: {', '.join(CATEGORIES)}."
        f"{alike(name, CATEGORIES)}"
    )


def no_such_image(wildcards):
    """Input function that raises an error."""
    stage, category, name = wildcards.unknown_image.split("/")
    stem = name.removesuffix(".h5")
    stems = sorted(STAGE_IMAGES[stage].get(category, ()))
    which = f"{len(stems)} images, such as {stems[0]!r}" if stems else "no images"
    for split, others in IMAGES[category].items():
        if stem in others:
            raise WorkflowError(
                f"image {stem!r} of category {category!r} is in split {split}, for which there are "
                f"no {stage}; they are made of {which}."
            )
    raise WorkflowError(
        f"no image {stem!r} of category {category!r} in {ROOT}; {stage} are made of {which}."
        f"{alike(stem, stems)}"
    )


def known_images():
    """Pattern of the per-image files; stages of the same images share their part of it."""
    stages_of = {}
    for stage, images in STAGE_IMAGES.items():
        part = "|".join(
            f"{re.escape(category)}/(?:{'|'.join(map(re.escape, sorted(stems)))})"
            for category, stems in sorted(images.items())
        )
        stages_of.setdefault(part, []).append(stage)
    parts = [f"(?:{'|'.join(stages)})/(?:{part})" for part, stages in stages_of.items()]
    return "|".join(parts)
