"""Is everything there and sound? All inputs of a category, read once, all problems at once."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field

from tqdm import tqdm

from .datasets.records import Dataset, ImageRecord
from .errors import InputError
from .files.images import read_image, stored_photo
from .limits import MIN_KEYPOINTS
from .maps.descriptors.inspection import FeatureFiles

_TURNED = "; its EXIF data turn it in viewers (dataset.exif)"


@dataclass(frozen=True)
class CheckReport:
    """What the checks of a category found.

    Attributes
    ----------
    category : name.
    images : {split: number of images}.
    feature_files : how many feature files were read.
    feature_shapes : {input: shape}, e.g. of s3, s4, s5 and dino, without the leading axis; the
        most frequent one.
    keypoints : {keypoint: number of training images that show it}, by id and, if known, name.
    done : images without feature files whose descriptors are there.
    problems : what must be mended first; nothing should be computed while there are any.
    exclusions : what is left out without harm: keypoints, and images with too few of them.
    """

    category: str
    images: dict[str, int]
    feature_files: int
    feature_shapes: dict[str, tuple[int, ...]]
    keypoints: dict[str, int]
    problems: list[str]
    exclusions: list[str]
    done: int = 0

    def line(self) -> str:
        """One line for the terminal."""
        images = ", ".join(f"{count} {split}" for split, count in self.images.items()) or "no"
        shapes = ", ".join(
            f"{name} {' x '.join(map(str, shape))}" for name, shape in self.feature_shapes.items()
        )
        features = f"{self.feature_files} feature files" + (f" ({shapes})" if shapes else "")
        done = f"{_counted(self.done, 'image')} done before" if self.done else ""
        verdict = _counted(len(self.problems), "problem") if self.problems else "all sound"
        left_out = _counted(len(self.exclusions), "exclusion") if self.exclusions else ""
        parts = [f"{self.category}: {images} images", features, done, verdict, left_out]
        return "; ".join(part for part in parts if part)

    def to_json(self) -> str:
        """The report as a JSON object, one key per attribute."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


@dataclass
class _Findings:
    """What has been found so far; grows by texts and shapes only, never by data."""

    problems: list[str] = field(default_factory=list)
    exclusions: list[str] = field(default_factory=list)
    shapes: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    seen: Counter[int] = field(default_factory=Counter)
    keypoint_count: int = 0
    files: int = 0
    done: int = 0


def check_category(
    dataset: Dataset,
    category: str,
    splits: Iterable[str],
    features: FeatureFiles | None,
    *,
    done: Callable[[str], bool] = lambda stem: False,
    channels: Mapping[str, int] | None = None,
) -> CheckReport:
    """Read every annotation and image of a category, and the features of some splits.

    Bad input ends up in the report, whatever it is. One image or file is in memory at a time.
    Files that belong to no listed image are no problem.

    Parameters
    ----------
    splits : the splits whose feature files are read.
    features : the feature files; None if descriptors are made from the images.
    done : whether an image's descriptors are there, so that its feature files may be gone.
    channels : {input: channels} that a checkpoint expects (`DescriptorEncoder.channels`); without
        it the files only have to agree with each other.
    """
    findings = _Findings()
    by_split: dict[str, tuple[str, ...]] = {}
    names: tuple[str, ...] = ()
    try:
        by_split = dataset.splits(category)
        names = dataset.keypoint_names(category)
        dataset.mirror(category)
    except InputError as error:
        findings.problems += error.problems
    wanted = set(splits)
    findings.problems += [
        f"{category}: no split {name!r}; there are: {', '.join(by_split)}"
        for name in sorted(wanted - set(by_split))
        if by_split
    ]
    if by_split and not by_split.get("trn"):
        findings.problems.append(f"{category}: no training images (split trn); a prior needs some")
    stems = [(split, stem) for split, found in by_split.items() for stem in found]
    reads = [stem for split, stem in stems if split in wanted] if features is not None else []
    for split, stem in tqdm(stems, desc=f"checking {category}", unit="image", disable=None):
        _check_annotated_image(dataset, category, stem, split, findings)
    if features is not None and reads:
        _check_features(features, reads, done, findings)
    shapes = {} if features is None else _common_shapes(findings, channels, features.same_grid)
    return CheckReport(
        category=category,
        images={split: len(found) for split, found in by_split.items()},
        feature_files=findings.files,
        feature_shapes=shapes,
        keypoints={
            " ".join([str(number), *names[number : number + 1]]): findings.seen[number]
            for number in range(findings.keypoint_count)
        },
        problems=list(dict.fromkeys(findings.problems)),
        exclusions=findings.exclusions,
        done=findings.done,
    )


def _check_annotated_image(
    dataset: Dataset, category: str, stem: str, split: str, findings: _Findings
) -> None:
    record: ImageRecord | None = None
    try:
        record = dataset.record(category, stem, split)
    except InputError as error:
        findings.problems += error.problems
    path = dataset.image_path(category, stem)
    try:
        height, width = (record.pixels() if record else read_image(path)).shape[:2]
    except InputError as error:
        findings.problems += error.problems
        return
    if record is None:
        return
    if (width, height) != (record.width, record.height):
        findings.problems.append(
            f"{path}: {width} x {height} pixels, but its annotation says "
            f"{record.width} x {record.height}" + _TURNED * (stored_photo(path)[1] > 1)
        )
    findings.exclusions += [remark.text for remark in record.remarks]
    findings.exclusions += record.notes
    seen = int(record.visible.sum())
    findings.keypoint_count = len(record.visible)
    if split == "trn":
        findings.seen.update(record.visible.nonzero()[0].tolist())
    if split == "trn" and seen < MIN_KEYPOINTS:
        findings.exclusions.append(
            f"{path}: left out of the fusion, {_counted(seen, 'visible keypoint')} "
            f"(at least {MIN_KEYPOINTS} are needed)"
        )


def _check_features(
    features: FeatureFiles, stems: list[str], done: Callable[[str], bool], findings: _Findings
) -> None:
    """Read the images' feature files, one at a time, and keep their shapes."""
    lost = features.problem()
    absent = [stem for stem in stems if lost or not features.present(stem)]
    finished = {stem for stem in absent if done(stem)}
    findings.done = len(finished)
    if lost and len(finished) < len(stems):
        findings.problems.append(lost)
    elif not lost:
        left = [stem for stem in stems if stem not in finished]
        for stem in tqdm(left, desc="feature files", unit="image", disable=None):
            _check_image_features(features, stem, findings)


def _check_image_features(features: FeatureFiles, stem: str, findings: _Findings) -> None:
    for name in features.names(stem):
        try:
            shapes = features.shapes(name)
        except InputError as error:
            findings.problems += error.problems
            continue
        findings.files += 1
        for key, shape in shapes.items():
            findings.shapes.setdefault(key, {})[name] = shape


def _common_shapes(
    findings: _Findings, channels: Mapping[str, int] | None, same_grid: tuple[str, ...]
) -> dict[str, tuple[int, ...]]:
    """The most frequent shape of each input; whatever differs from it becomes a problem.

    All must have the same channels (those of the checkpoint, if given), some the same grid too.
    """
    common = {}
    for name, shapes in findings.shapes.items():
        usual = Counter(shapes.values()).most_common(1)[0][0]
        common[name] = usual
        count = usual[0] if channels is None else channels[name]
        whose = "the other files have" if channels is None else "the checkpoint expects"
        for path, shape in shapes.items():
            if shape[0] != count:
                findings.problems.append(f"{path}: {name} has {shape[0]} channels, {whose} {count}")
            elif name in same_grid and shape != usual:
                findings.problems.append(
                    f"{path}: {name} has a grid of {shape[1]} x {shape[2]}, the other files have "
                    f"{usual[1]} x {usual[2]}"
                )
    order = ("s3", "s4", "s5", "dino", "map")
    return {name: common[name] for name in order if name in common}
