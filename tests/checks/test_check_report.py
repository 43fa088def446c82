"""The report: a line a kind on the terminal, everything in the JSON."""

import json

import pytest

from semalign3d.checks import CheckReport, Finding
from semalign3d.checks.report import itemised

SEVENTEEN = tuple(f"{number:02d}.jpg ({number} pixels)" for number in range(17))
BOXES = Finding("warning", "boxes", "17 of 24 photos: the box leaves", SEVENTEEN, "Mend them.")
FEW = Finding("error", "few", "3 keypoints")
NOTE = Finding("note", "one", "1 photo is odd", ("a.jpg",))
LOST = itemised("error", "lost", [f"{number}.jpg: no such image" for number in range(25)])


def report(*findings: Finding) -> CheckReport:
    return CheckReport("chair", {"trn": 24}, 0, {}, {"0 leg": 3}, findings)


def test_a_kind_is_one_line_with_the_first_images() -> None:
    assert BOXES.lines() == [
        "17 of 24 photos: the box leaves, e.g. 00.jpg (0 pixels), 01.jpg (1 pixels), "
        "02.jpg (2 pixels). Mend them."
    ]
    assert FEW.lines() == ["3 keypoints."]
    assert NOTE.lines() == ["1 photo is odd: a.jpg."]


def test_items_that_are_sentences_have_a_line_each_up_to_a_number() -> None:
    [finding] = LOST
    assert finding.lines()[0] == "0.jpg: no such image"
    assert len(finding.lines()) == 21
    assert finding.lines()[-1] == "and 5 more of this kind"
    assert itemised("error", "lost", []) == []
    assert itemised("error", "lost", ["same", "same"])[0].items == ("same",)


@pytest.mark.parametrize(
    ("findings", "end"),
    [
        ((), "all sound"),
        ((NOTE,), "all sound; 1 note"),
        ((BOXES,), "0 feature files; 1 warning"),
        ((BOXES, NOTE), "0 feature files; 1 warning, 1 note"),
        ((*LOST, FEW, BOXES), "0 feature files; 26 errors, 1 warning"),
    ],
)
def test_sound_means_neither_errors_nor_warnings(findings, end: str) -> None:
    assert report(*findings).line().endswith(f"; {end}")


def test_warnings_are_problems_if_strict() -> None:
    found = report(FEW, BOXES, NOTE)
    assert found.problems() == FEW.lines()
    assert found.problems(strict=True) == FEW.lines() + BOXES.lines()
    assert report(NOTE).problems(strict=True) == []


def test_the_json_has_every_image() -> None:
    back = json.loads(report(BOXES, *LOST).to_json())
    assert back["findings"][0] == {
        "level": "warning",
        "kind": "boxes",
        "text": "17 of 24 photos: the box leaves",
        "items": list(SEVENTEEN),
        "advice": "Mend them.",
    }
    assert len(back["findings"][1]["items"]) == 25
