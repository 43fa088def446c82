"""The keypoints of an annotation: triples x, y, v (METHOD.md 1.2)."""

from collections.abc import Mapping
from typing import Any

from ..reading import Findings, is_finite

ABSENT, HIDDEN = 0, 1
"""COCO's visibilities of a keypoint that is not labelled, and of one labelled but not seen."""


def flat_keypoints(annotation: Mapping[str, Any]) -> Any:
    """What an annotation has as keypoints; a list of triples as one list of numbers."""
    values = annotation.get("keypoints")
    if isinstance(values, list) and values and all(isinstance(each, list) for each in values):
        return [number for each in values for number in each]
    return values


def is_empty(annotation: Mapping[str, Any]) -> bool:
    """Whether an annotation holds no keypoint: no list, an empty one, or v = 0 throughout."""
    values = flat_keypoints(annotation)
    if not isinstance(values, list):
        return values in (None, "", {})
    return len(values) % 3 == 0 and all(v in (ABSENT, None) for v in values[2::3])


def keypoint_positions(
    annotation: Mapping[str, Any], count: int, findings: Findings, use_hidden: bool
) -> dict[int, tuple[float, float]]:
    """{id: (x, y)} of the keypoints that are seen; hidden ones are noted unless they are used."""
    values = flat_keypoints(annotation)
    if not isinstance(values, list) or len(values) != 3 * count:
        found = f"{len(values)} numbers" if isinstance(values, list) else repr(values)
        without = isinstance(values, list) and len(values) == 2 * count
        findings.problem(
            f"keypoints: expected {count} triples x, y, v, found {found}"
            + " (x, y without v)" * without
        )
        return {}
    positions: dict[int, tuple[float, float]] = {}
    for number in range(count):
        x, y, v = values[3 * number : 3 * number + 3]
        if v not in (0, 1, 2) or not (v == ABSENT or (is_finite(x) and is_finite(y))):
            findings.problem(
                f"keypoint {number}: expected finite x, y and v of 0, 1 or 2, found {[x, y, v]}"
            )
        elif v == HIDDEN and not use_hidden:
            findings.hidden[number] = (float(x), float(y))
        elif v != ABSENT:
            positions[number] = (float(x), float(y))
    if findings.hidden:
        hidden = ", ".join(map(str, findings.hidden))
        findings.note(f"keypoints {hidden} left out: labelled as hidden (v = 1)")
    return positions
