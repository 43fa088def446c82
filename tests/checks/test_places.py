"""Labels in the wrong place are said once, with numbers and what they seem to be."""

import numpy as np
import pytest
from synthetic_labels import NAMES, SIZES, checked_images, labels, with_record

from semalign3d.checks.labels import Labels
from semalign3d.checks.places import judge_places


def kinds(found):
    return {finding.kind: finding for finding in found}


def line(finding) -> str:
    [text] = finding.lines()
    return text


@pytest.mark.parametrize("seed", range(10))
def test_right_labels_are_passed_over(seed: int) -> None:
    assert judge_places(labels(24, seed=seed)) == []
    assert judge_places(labels(8, seed=seed)) == []


def as_corners(box: np.ndarray) -> np.ndarray:
    """What a reader of (x, y, width, height) makes of corners."""
    return np.concatenate([box[:2], box[:2] + box[2:]])


def test_corners_read_as_width_and_height() -> None:
    [found] = judge_places(labels(boxes=as_corners))
    assert (found.level, found.kind) == ("warning", "box-outside-photo")
    assert "corners (x1, y1, x2, y2) that are read as (x, y, width, height)" in found.text
    count = int(found.text.split()[0])
    assert count == len(found.items) > 12
    assert f"{count} of 24 photos: the box leaves the photo (median" in line(found)
    assert line(found).count(".jpg") == 3


@pytest.mark.parametrize(
    ("change", "reading"),
    [
        (lambda b: np.concatenate([b[:2], b[2:] - b[:2]]), "(x, y, width, height) that are read"),
        (
            lambda b: np.concatenate([(b[:2] + b[2:]) / 2, (b[:2] + b[2:]) / 2 + b[2:] - b[:2]]),
            "centre, width and height",
        ),
    ],
)
def test_boxes_that_mean_something_else(change, reading: str) -> None:
    [found] = judge_places(labels(boxes=change))
    assert found.kind in {"box-outside-photo", "box-misses-keypoints"}
    assert reading in found.text


def test_corners_in_some_photos_only() -> None:
    images = checked_images()
    for number in range(0, 24, 4):
        box = np.array(images[number].record.box)
        images[number] = with_record(images[number], box=tuple(as_corners(box).tolist()))
    [found] = judge_places(Labels.of(images, NAMES))
    count = len(found.items)
    assert count >= 3
    assert found.text.startswith(f"{count} of 24 photos: the box leaves the photo")
    assert f"in {count} the boxes fit as corners (x1, y1, x2, y2)" in found.text


def test_one_box_that_leaves_its_photo() -> None:
    images = checked_images()
    x1, y1, x2, _ = images[3].record.box
    images[3] = with_record(images[3], box=(x1, y1, x2, 700.0))
    [found] = judge_places(Labels.of(images, NAMES))
    assert line(found).startswith(
        "1 of 24 photos: the box leaves the photo (median 31 % of its longer side): "
        "003.jpg (250 pixels beyond 800 x 450)"
    )


@pytest.mark.parametrize("factor", [1.5, 2.0, 2.7, 4.0])
def test_labels_of_a_larger_copy(factor: float) -> None:
    scaled = labels(points=lambda p: p * factor, boxes=lambda b: b * factor)
    [found] = judge_places(scaled)
    assert (found.level, found.kind) == ("error", "labels-of-a-copy")
    stated = float(found.text.split("common factor of about ")[1].rstrip(")"))
    assert stated == pytest.approx(factor, rel=0.08)
    if factor in (2.0, 4.0):
        assert stated == factor
    assert f"{factor:.1f}" not in found.advice or "divide keypoints and boxes" in found.advice


@pytest.mark.parametrize("factor", [0.5, 0.25])
def test_labels_of_a_smaller_copy(factor: float) -> None:
    scaled = labels(points=lambda p: p * factor, boxes=lambda b: b * factor)
    [found] = judge_places(scaled)
    assert (found.level, found.kind) == ("warning", "labels-of-a-copy")
    assert f"(a common factor of about {factor:g})" in found.text


def test_small_objects_are_no_smaller_copy() -> None:
    middles = np.array(SIZES).mean(axis=0) / 2
    small = labels(points=lambda p: middles + 0.3 * (p - np.nanmean(p, axis=0)), boxes=whole)
    assert "labels-of-a-copy" not in kinds(judge_places(small))


def whole(box: np.ndarray) -> np.ndarray:
    return np.array([0.0, 0.0, 450.0, 450.0])


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_only_keypoints_of_another_copy(factor: float) -> None:
    found = kinds(judge_places(labels(points=lambda p: p * factor)))
    assert found["keypoint-outside-box"].level == "error"
    assert (
        f"of a copy 2 times as {'large' if factor > 1 else 'small'}"
        in found["keypoint-outside-box"].text
    )


def test_shares_of_the_photo() -> None:
    found = judge_places(labels(points=lambda p: p / 1000.0, boxes=lambda b: b / 1000.0))
    assert [f.kind for f in found] == ["labels-normalised"]
    assert found[0].level == "error"
    assert "between 0 and 1" in found[0].text


def test_percent_of_the_photo() -> None:
    images = checked_images()
    changed = []
    for image in images:
        record = image.record
        size = np.array([record.width, record.height])
        share = 100.0 * record.labelled / size
        box = tuple(100.0 * np.array(record.box) / np.tile(size, 2))
        changed.append(with_record(image, labelled=share, keypoints=share, box=box))
    [found] = judge_places(Labels.of(changed, NAMES))
    assert (found.level, found.kind) == ("error", "labels-percent")


def test_x_and_y_swapped() -> None:
    found = kinds(judge_places(labels(points=lambda p: p[:, ::-1])))
    assert "x and y swapped" in found["keypoint-outside-box"].text
    assert found["keypoint-outside-box"].level == "error"


def test_keypoints_from_the_box_s_corner() -> None:
    images = checked_images()
    changed = [
        with_record(
            image,
            labelled=image.record.labelled - np.array(image.record.box[:2]),
            keypoints=image.record.keypoints - np.array(image.record.box[:2]),
        )
        for image in images
    ]
    found = kinds(judge_places(Labels.of(changed, NAMES)))
    assert "pixels from the box's corner" in found["keypoint-outside-box"].text


def test_keypoints_outside_photo_and_box() -> None:
    images = checked_images()
    far = images[0].record.labelled.copy()
    first, second = np.flatnonzero(np.isfinite(far).all(axis=1))[:2]
    far[first], far[second] = (900.0, 10.0), (2.0, 2.0)
    kept = far.copy()
    kept[first] = np.nan
    images[0] = with_record(images[0], labelled=far, keypoints=kept)
    found = kinds(judge_places(Labels.of(images, NAMES)))
    assert set(found) == {"keypoint-outside-photo", "keypoint-outside-box"}
    outside, beside = found["keypoint-outside-photo"], found["keypoint-outside-box"]
    assert outside.items == (f"000.jpg ({first} {NAMES[first]})",)
    assert beside.items == (f"000.jpg ({second} {NAMES[second]})",)
    assert outside.text.startswith("1 of 24 photos: 1 of ")


def test_keypoints_at_the_origin() -> None:
    def unplaced(points: np.ndarray) -> np.ndarray:
        points[[2, 8]] = 0.0
        return points

    [found] = judge_places(labels(points=unplaced))
    assert (found.level, found.kind) == ("warning", "keypoint-at-origin")
    assert found.text == "24 of 24 photos: 48 keypoints at (0, 0) marked as labelled"
    assert "set their v to 0" in found.advice


def test_labels_that_were_not_moved() -> None:
    images = checked_images()
    images[5] = with_record(
        images[5], labelled=images[1].record.labelled, keypoints=images[1].record.keypoints
    )
    found = kinds(judge_places(Labels.of(images, NAMES)))
    assert found["same-labels"].items == ("005.jpg (as 001.jpg)",)


def test_places_far_out_and_places_that_coincide_are_judged_too() -> None:
    def far(points: np.ndarray) -> np.ndarray:
        points[np.flatnonzero(np.isfinite(points[:, 0]))[0]] = 1e200
        return points

    with np.errstate(all="raise"):
        found = kinds(judge_places(labels(points=far)))
        assert set(found) == {"keypoint-outside-photo"}
        assert len(found["keypoint-outside-photo"].items) == 24
        nowhere = kinds(judge_places(labels(points=np.zeros_like)))
        assert set(nowhere) == {"keypoint-at-origin", "same-labels"}
