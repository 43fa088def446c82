"""The annotations of a COCO-keypoint file, sorted by category and photo."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..names import some_of
from .categories import Categories
from .ids import Id, Ids, read_id
from .keypoints import flat_keypoints, is_empty
from .photos import CocoPhoto

Objects = dict[str, dict[str, list["CocoObject"]]]
"""{category: {stem: the objects of that category which the photo shows}}."""
MAX_ID = 60


@dataclass(frozen=True)
class CocoObject:
    """An annotated object, as the file has it, and the photo that shows it."""

    number: int
    photo: CocoPhoto
    annotation: Mapping[str, Any]


class Sorting:
    """Annotations added one by one.

    Parameters
    ----------
    categories : {id: category}, also of those that can't be used.
    photos : {id: photo}.
    other_categories, other_photos : ids of entries that can't be used, whose annotations are no
        further problem; None if ids are lost, so that any may be one of these.

    Attributes
    ----------
    objects : those with labelled keypoints.
    skipped : those without, which hold nothing.
    """

    def __init__(
        self,
        categories: Mapping[Id | None, str],
        photos: Mapping[Id | None, CocoPhoto],
        other_categories: set[Id] | None,
        other_photos: set[Id] | None,
    ) -> None:
        self._categories = categories
        self._photos = photos
        self._lost = {"category_id": other_categories is None, "image_id": other_photos is None}
        self._category_ids = Ids([*categories, *(other_categories or ())])
        self._image_ids = Ids([*photos, *(other_photos or ())])
        self._unknown: dict[tuple[str, str], list[str]] = {}
        self._lengths: dict[str, Counter[int]] = {}
        self.objects: Objects = {}
        self.skipped: Objects = {}

    def add(self, number: int, annotation: Mapping[str, Any]) -> None:
        """Add an annotation to those of its photo, or to what is skipped or unknown."""
        empty = is_empty(annotation)
        image = self._image_ids.find(read_id(annotation["image_id"]))
        category = self._category_ids.find(read_id(annotation["category_id"]))
        for key, found in (("image_id", image), ("category_id", category)):
            if found is None and not empty and not self._lost[key]:
                place = (key, f"{annotation[key]!r:.{MAX_ID}}")
                self._unknown.setdefault(place, []).append(f"annotations[{number}]")
        name, photo = self._categories.get(category), self._photos.get(image)
        if name is None or photo is None:
            return
        kind = self.skipped if empty else self.objects
        of_photo = kind.setdefault(name, {}).setdefault(photo.stem, [])
        of_photo.append(CocoObject(number, photo, annotation))
        keypoints = flat_keypoints(annotation)
        if not empty and isinstance(keypoints, list):
            self._lengths.setdefault(name, Counter())[len(keypoints)] += 1

    def judged(self, categories: Categories) -> Categories:
        """The categories, without those whose annotations hold nothing or do not fit."""
        unlabelled, faulty = {}, {}
        for name, keypoints in categories.keypoints.items():
            lengths = self._lengths.get(name, Counter())
            if name not in self.objects:
                count = sum(map(len, self.skipped.get(name, {}).values()))
                why = f"has {count} annotations, none with a labelled keypoint"
                unlabelled[name] = why if count else "has no annotation"
            elif len(lengths) == 1 and lengths.total() > 1 and 3 * len(keypoints) not in lengths:
                faulty[name] = (
                    f"has the names of {len(keypoints)} keypoints, but each of its "
                    f"{lengths.total()} annotations has {next(iter(lengths))} numbers, not "
                    f"{3 * len(keypoints)} (triples x, y, v)"
                )
        for name, why in categories.unlabelled.items():
            found = [length // 3 for length, _ in self._lengths.get(name, Counter()).most_common(1)]
            if found:
                unlabelled[name] = (
                    f"{why}, though its annotations have {found[0]} keypoints each: add their "
                    "names there"
                )
        return categories.without(unlabelled, faulty)

    def problems(self) -> list[str]:
        """Annotations of photos and categories that the file does not list."""
        nouns = {"image_id": "image", "category_id": "category"}
        return [
            f"{some_of(places, 3)}: {key}: no {nouns[key]} has the id {wanted}"
            for (key, wanted), places in self._unknown.items()
        ]
