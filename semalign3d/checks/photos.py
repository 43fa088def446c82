"""Photos: unreadable, of another size than annotated, empty of content, or there twice."""

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ..files.images import stored_photo
from .images import CheckedImage
from .report import Finding, Level, itemised, of_photos

CONSTANT = 6.0
"""Levels of 255: a photo whose pixels differ by no more shows nothing."""
MOST = 0.5
"""Share of the photos from which on a fault is the whole dataset's."""
SAME_LEVELS = 5.0
"""Levels by which thumbnails of one photo differ that was saved again or resized."""
SAME_SHAPE = 0.02
"""Relative difference of width over height."""
TURNED = "; its EXIF data turn it in viewers (dataset.exif)"
_COARSE = 4
_FACTOR_SPREAD = 0.02


def judge_photos(images: Sequence[CheckedImage]) -> list[Finding]:
    """All findings on photos."""
    return [*_size(images), *_constant(images), *_same(images)]


def _size(images: Sequence[CheckedImage]) -> list[Finding]:
    """Photos of another size than their annotation says; with their factor if they share one."""
    wrong = [
        (image, (record.width, record.height), (photo.width, photo.height))
        for image in images
        if (record := image.record) and (photo := image.photo)
        if (record.width, record.height) != (photo.width, photo.height)
    ]
    if not wrong:
        return []
    annotated, found = np.array([w[1] for w in wrong], float), np.array([w[2] for w in wrong])
    factors = annotated / found
    if len(wrong) > 1 and np.ptp(factors) <= _FACTOR_SPREAD * factors.mean():
        larger = "larger" if factors.mean() > 1 else "smaller"
        return [
            Finding(
                "error",
                "photo-size",
                f"{of_photos(len(wrong), len(images))} have another size than their annotation "
                f"says, by a common factor of {factors.mean():.3g}: the labels belong to "
                f"{larger} copies",
                tuple(
                    f"{image.name} ({w} x {h}, annotated {a} x {b})"
                    for image, (a, b), (w, h) in wrong
                ),
                "Give the photos that were labelled, or scale the annotations.",
            )
        ]
    return itemised(
        "error",
        "photo-size",
        (
            f"{image.path}: {w} x {h} pixels, but its annotation says {a} x {b}"
            + TURNED * (stored_photo(image.path)[1] > 1)
            for image, (a, b), (w, h) in wrong
        ),
    )


def _constant(images: Sequence[CheckedImage]) -> list[Finding]:
    """Photos of one colour: nothing can be found in them."""
    photos = [image for image in images if image.photo]
    items = [
        f"{image.name} ({_colour(image.photo.thumbnail)})"
        for image in photos
        if image.photo and image.photo.spread <= CONSTANT
    ]
    if not items:
        return []
    level: Level = "error" if len(items) >= MOST * len(photos) else "warning"
    return [
        Finding(
            level,
            "constant-photo",
            f"{of_photos(len(items), len(photos))} show nothing: they are read as one colour, or "
            f"nearly so (within {CONSTANT:g} of 255 levels)",
            tuple(items),
            "Look at them in a viewer: if they show something there, save them as 8-bit RGB.",
        )
    ]


def _colour(thumbnail: np.ndarray) -> str:
    red, green, blue = thumbnail.reshape(-1, 3).mean(axis=0).round().astype(int)
    return f"all near {red}, {green}, {blue}"


def _same(images: Sequence[CheckedImage]) -> list[Finding]:
    """The same photo under several names; worse where these are in several splits."""
    photos = [image for image in images if image.photo and image.photo.spread > CONSTANT]
    within, across = [], []
    for group in _groups(photos):
        first, *others = group
        for other in others:
            exact = _digest(first) == _digest(other)
            how = "pixel for pixel" if exact else "saved again or resized"
            if {image.split for image in group} == {first.split}:
                within.append(f"{first.name} = {other.name} ({how})")
            else:
                across.append(f"{first.name} ({first.split}) = {other.name} ({other.split}; {how})")
    found = []
    if within:
        found.append(
            Finding(
                "warning",
                "same-photo",
                f"{of_photos(len(within), len(photos))} are there twice under another name",
                tuple(within),
                "They count twice, and add nothing: keep one of each.",
            )
        )
    if across:
        found.append(
            Finding(
                "warning",
                "photo-in-two-splits",
                f"{of_photos(len(across), len(photos))} are copies of a photo of another split",
                tuple(across),
                "Results on photos that the prior was made from are too good: keep one of each, "
                "or put copies into the same split.",
            )
        )
    return found


def _digest(image: CheckedImage) -> str:
    return image.photo.digest if image.photo else ""


def _groups(photos: Sequence[CheckedImage]) -> list[list[CheckedImage]]:
    """Photos of the same content, two and more together, in their order."""
    if len(photos) < 2:
        return []
    thumbs = np.array([image.photo.thumbnail for image in photos if image.photo], dtype=float)
    sizes = np.array([(image.photo.width, image.photo.height) for image in photos if image.photo])
    shape = np.log(sizes[:, 0] / sizes[:, 1])
    block = thumbs.shape[1] // _COARSE
    coarse = thumbs.reshape(len(thumbs), _COARSE, block, _COARSE, block, 3).mean(axis=(2, 4))
    pairs = cKDTree(coarse.reshape(len(thumbs), -1)).query_pairs(
        SAME_LEVELS, p=np.inf, output_type="ndarray"
    )
    near = np.array(
        [
            np.abs(thumbs[i] - thumbs[j]).max() <= SAME_LEVELS
            and abs(shape[i] - shape[j]) <= SAME_SHAPE
            for i, j in pairs
        ],
        dtype=bool,
    )
    i, j = pairs[near].T if near.any() else np.zeros((2, 0), dtype=int)
    graph = coo_array((np.ones(len(i)), (i, j)), shape=(len(photos),) * 2)
    _, label = connected_components(graph, directed=False)
    members: dict[int, list[CheckedImage]] = {}
    for image, group in zip(photos, label, strict=True):
        members.setdefault(int(group), []).append(image)
    return [group for group in members.values() if len(group) > 1]
