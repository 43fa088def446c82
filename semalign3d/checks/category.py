"""Is everything there and sound? All inputs of a category, read once and judged together."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from ..datasets.records import Dataset, Remark
from ..errors import InputError
from ..maps.descriptors.inspection import FeatureFiles
from .enough import judge_amount
from .features import common_shapes, read_features
from .images import CheckedImage, read_images
from .labels import Labels
from .layouts import judge_views
from .photos import judge_photos
from .places import judge_places
from .report import LEVELS, CheckReport, Finding, itemised
from .sides import judge_sides

THREADS = 2
MIN_IMAGES = 4


def check_category(
    dataset: Dataset,
    category: str,
    splits: Iterable[str],
    features: FeatureFiles | None,
    *,
    done: Callable[[str], bool] = lambda stem: False,
    channels: Mapping[str, int] | None = None,
    min_images: int = MIN_IMAGES,
    threads: int = THREADS,
) -> CheckReport:
    """Read every annotation and image of a category, and the features of some splits.

    Bad input ends up in the report, whatever it is. Of photos and feature files one a thread is in
    memory at a time. Files that belong to no listed image are no problem.

    Parameters
    ----------
    splits : the splits whose feature files are read.
    features : the feature files; None if descriptors are made from the images.
    done : whether an image's descriptors are there, so that its feature files may be gone.
    channels : {input: channels} that a checkpoint expects (`DescriptorEncoder.channels`); without
        it the files only have to agree with each other.
    min_images : photos that must see a relation of keypoints (`relations.min_images`).
    threads : that read photos.
    """
    by_split, names, findings = _listed(dataset, category)
    wanted = set(splits)
    unknown = sorted(wanted - set(by_split)) if by_split else []
    findings += itemised(
        "error",
        "split",
        (f"{category}: no split {name!r}; there are: {', '.join(by_split)}" for name in unknown),
    )
    if by_split and not by_split.get("trn"):
        text = f"{category}: no training images (split trn); a prior needs some"
        findings += itemised("error", "split", [text])
    images = tuple(read_images(dataset, category, by_split, threads))
    findings += judge_images(dataset, category, images, names, min_images)
    reads = [image.stem for image in images if image.split in wanted]
    read = read_features(features, reads, done)
    shapes = {} if features is None else common_shapes(read, channels, features.same_grid)
    findings += read.findings()
    labels = Labels.of(images, names)
    training = [row for row, image in enumerate(labels.images) if image.split == "trn"]
    seen = labels.visible[training].sum(axis=0)
    return CheckReport(
        category=category,
        images={split: len(found) for split, found in by_split.items()},
        feature_files=read.files,
        feature_shapes=shapes,
        keypoints={name: int(n) for name, n in zip(labels.names, seen, strict=True)},
        findings=tuple(sorted(findings, key=lambda found: LEVELS.index(found.level))),
        done=read.done,
    )


def _listed(
    dataset: Dataset, category: str
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...], list[Finding]]:
    """The images by split, the keypoints' names, and what is wrong with the lists."""
    try:
        by_split = dataset.splits(category)
        names = dataset.keypoint_names(category)
    except InputError as error:
        return {}, (), itemised("error", "dataset", error.problems, error.hint)
    findings = _remarks("dataset", dataset.remarks(category))
    try:
        dataset.mirror(category)
    except InputError as error:
        findings += itemised("error", "mirror", error.problems, error.hint)
    return by_split, names, findings


def judge_images(
    dataset: Dataset,
    category: str,
    images: Sequence[CheckedImage],
    names: Sequence[str],
    min_images: int,
) -> list[Finding]:
    """What is found in annotations and photos, once they are read."""
    if not images:
        return []
    labels = Labels.of(images, names)
    counts = {
        split: sum(image.split == split for image in images) for split in ("trn", "val", "test")
    }
    try:
        mirror = dataset.mirror(category)
    except InputError:
        mirror = None
    places = judge_places(labels)
    # What follows from labels that lie in the wrong place is not worth a word.
    sound = all(found.level != "error" for found in places)
    return [
        *itemised("error", "unreadable", (text for image in images for text in image.problems)),
        *judge_photos(images),
        *places,
        *(judge_amount(labels, counts, min_images, mirror) if sound else []),
        *([*judge_views(labels), *judge_sides(labels, mirror)] if sound else []),
        *_image_remarks(images),
    ]


def _image_remarks(images: Sequence[CheckedImage]) -> list[Finding]:
    """What readers of photos and annotations remark on single images: collected here only."""
    photos = [remark for image in images for remark in image.remarks]
    notes = [note for image in images if image.record for note in image.record.notes]
    return [*_remarks("photo", photos), *itemised("note", "annotation", notes)]


def _remarks(kind: str, remarks: Iterable[Remark]) -> list[Finding]:
    """Remarks by level, each a sentence."""
    found = tuple(remarks)
    return [
        finding
        for level in LEVELS
        for finding in itemised(level, kind, (r.text for r in found if r.level == level))
    ]
