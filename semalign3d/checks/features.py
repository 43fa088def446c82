"""The feature files of a category: readable, finite, and of shapes that fit together."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tqdm import tqdm

from ..errors import InputError
from ..maps.descriptors.inspection import FeatureFiles
from .report import Finding, itemised

_ORDER = ("s3", "s4", "s5", "dino", "map")


@dataclass
class ReadFeatures:
    """What was found in the files; grows by texts and shapes only, never by data.

    Attributes
    ----------
    shapes : {input: {file: shape}}.
    files : how many were read.
    done : images without files whose descriptors are there.
    problems : what is wrong with them.
    """

    shapes: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    files: int = 0
    done: int = 0
    problems: list[str] = field(default_factory=list)

    def findings(self) -> list[Finding]:
        """One of all problems."""
        return itemised("error", "features", self.problems)


def read_features(
    features: FeatureFiles | None, stems: Sequence[str], done: Callable[[str], bool]
) -> ReadFeatures:
    """Read the images' feature files, one at a time, and keep their shapes.

    Parameters
    ----------
    features : None: there are no such files.
    stems : the images.
    done : whether an image's descriptors are there, so that its feature files may be gone.
    """
    read = ReadFeatures()
    if features is None or not stems:
        return read
    lost = features.problem()
    absent = [stem for stem in stems if lost or not features.present(stem)]
    finished = {stem for stem in absent if done(stem)}
    read.done = len(finished)
    if lost and len(finished) < len(stems):
        read.problems.append(lost)
    elif not lost:
        left = [stem for stem in stems if stem not in finished]
        for stem in tqdm(left, desc="feature files", unit="image", disable=None):
            _read_image_features(features, stem, read)
    return read


def _read_image_features(features: FeatureFiles, stem: str, read: ReadFeatures) -> None:
    for name in features.names(stem):
        try:
            shapes = features.shapes(name)
        except InputError as error:
            read.problems += error.problems
            continue
        read.files += 1
        for key, shape in shapes.items():
            read.shapes.setdefault(key, {})[name] = shape


def common_shapes(
    read: ReadFeatures, channels: Mapping[str, int] | None, same_grid: tuple[str, ...]
) -> dict[str, tuple[int, ...]]:
    """The most frequent shape of each input; whatever differs from it becomes a problem.

    All must have the same channels (those of the checkpoint, if given), some the same grid too.
    """
    common = {}
    for name, shapes in read.shapes.items():
        usual = Counter(shapes.values()).most_common(1)[0][0]
        common[name] = usual
        count = usual[0] if channels is None else channels[name]
        whose = "the other files have" if channels is None else "the checkpoint expects"
        for path, shape in shapes.items():
            if shape[0] != count:
                read.problems.append(f"{path}: {name} has {shape[0]} channels, {whose} {count}")
            elif name in same_grid and shape != usual:
                read.problems.append(
                    f"{path}: {name} has a grid of {shape[1]} x {shape[2]}, the other files have "
                    f"{usual[1]} x {usual[2]}"
                )
    return {name: common[name] for name in _ORDER if name in common}
