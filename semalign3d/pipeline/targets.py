"""Results that a run can't make: errors that name the nearest ones that it can."""

import difflib
import re
from collections.abc import Iterable, Mapping, Set
from typing import Any, NoReturn

from snakemake.exceptions import WorkflowError

from .images import Images

StageImages = Mapping[str, Mapping[str, Set[str]]]
"""{stage: {category: stems}} of the stages with a file an image."""


class UnknownTargets:
    """Input functions of rules that match what no other rule makes.

    Parameters
    ----------
    root : the dataset's folder.
    images : of the run.
    outputs : outputs of all rules.
    stage_images : of the stages with a file an image.
    """

    def __init__(
        self, root: str, images: Images, outputs: Iterable[str], stage_images: StageImages
    ) -> None:
        self._root = root
        self._images = images
        self._stage_images = stage_images
        found = {path.split("/")[1] for path in outputs if path.startswith("results/")}
        self.stages = "|".join(sorted(found - {"demo"}))
        self.image_stages = "|".join(sorted(stage_images))

    def category(self, wildcards: Any) -> NoReturn:
        """Raise the error of an unknown category."""
        name = re.sub(r"/.*|\.(?:h5|csv|json|png)$", "", wildcards.unknown)
        categories = self._images.categories
        raise WorkflowError(
            f"no category {name!r} in {self._root}; there are: {', '.join(categories)}."
            f"{_alike(name, categories)}"
        )

    def image(self, wildcards: Any) -> NoReturn:
        """Raise the error of an unknown image, or of one whose split has no such file."""
        stage, category, name = wildcards.unknown_image.split("/")
        stem = name.removesuffix(".h5")
        stems = sorted(self._stage_images[stage].get(category, ()))
        which = f"{len(stems)} images, such as {stems[0]!r}" if stems else "no images"
        for split, others in self._images.splits[category].items():
            if stem in others:
                raise WorkflowError(
                    f"image {stem!r} of category {category!r} is in split {split}, for which "
                    f"there are no {stage} files; {stage} has files of {which}."
                )
        raise WorkflowError(
            f"no image {stem!r} of category {category!r} in {self._root}; {stage} has files of "
            f"{which}.{_alike(stem, stems)}"
        )

    def known_images(self) -> str:
        """Pattern of the per-image files; stages of the same images share their part of it."""
        stages_of: dict[str, list[str]] = {}
        for stage, images in self._stage_images.items():
            part = "|".join(
                f"{re.escape(category)}/(?:{'|'.join(map(re.escape, sorted(stems)))})"
                for category, stems in sorted(images.items())
            )
            stages_of.setdefault(part, []).append(stage)
        parts = [f"(?:{'|'.join(stages)})/(?:{part})" for part, stages in stages_of.items()]
        return "|".join(parts)


def _alike(name: str, known: Iterable[str]) -> str:
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.75)
    return f" Did you mean {found[0]!r}?" if found else ""
