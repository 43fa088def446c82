"""Left and right in names of keypoints: what is a pair, what is half of one, what is none."""

import numpy as np
import pytest

from semalign3d.datasets.coco.mirror_entries import entry_of_text, mirror_from_entries
from semalign3d.datasets.coco.mirror_names import half_remarks, sides_from_names
from semalign3d.errors import InputError


def pairs(names: list[str]) -> set[str]:
    found = sides_from_names(names)
    partner = np.array(found.partner)
    assert (partner[partner] == np.arange(len(names))).all()
    return {f"{names[i]} {names[j]}" for i, j in enumerate(found.partner) if i < j}


@pytest.mark.parametrize(
    "names",
    [
        ["left_ear", "nose", "right_ear"],
        ["Left Ear", "nose", "Right Ear"],
        ["LeftEar", "Nose", "RightEar"],
        ["LEFT_EAR", "NOSE", "RIGHT_EAR"],
        ["ear.L", "nose", "ear.R"],
        ["ear-left", "l", "ear-right"],
        ["l_ear_2", "nose_2", "r_ear_2"],
        ["lefteye", "nose", "righteye"],
        ["eyeleft", "nose", "eyeright"],
        ["FL_hoof", "tail", "FR_hoof"],
        ["leg_rl", "tail", "leg_rr"],
        ["Lt ear", "nose", "Rt ear"],
        ["1_left", "1_nose", "1_right"],
        ["1_left_ear", "2_nose", "3_right_ear"],
        ["left_\u8033", "\u9f3b", "right_\u8033"],
        ["left\u8033", "\u9f3b", "right\u8033"],
        ["\u5de6\u8033", "\u9f3b", "\u53f3\u8033"],
        ["left_\u0443\u0445\u043e", "\u043d\u043e\u0441", "right_\u0443\u0445\u043e"],
        ["left_\u0915\u093e\u0928", "\u0928\u093e\u0915", "right_\u0915\u093e\u0928"],
        ["linkes Ohr", "Nase", "rechtes Ohr"],
        ["oreille gauche", "nez", "oreille droite"],
        ["left_o\u0308hr", "nase", "right_\u00f6hr"],
    ],
)
def test_first_and_last_are_a_pair(names: list[str]) -> None:
    found = sides_from_names(names)
    assert found.table is not None
    assert found.table.tolist() == [2, 1, 0]
    assert found.halves == {}


@pytest.mark.parametrize(
    "names",
    [
        ["rim", "handle", "label"],
        ["upright", "cleft", "leftover"],
        ["rear", "lear", "tail"],
        ["L1", "L2", "L3"],
        ["1", "2", "3"],
        ["lip", "rip", "bright", "light"],
        ["la", "ra", "ln", "rn"],
        [],
    ],
)
def test_without_sides_there_is_no_table(names: list[str]) -> None:
    found = sides_from_names(names)
    assert found.table is None
    assert found.halves == {}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("FL FR RL RR", {"FL FR", "RL RR"}),
        ("LF RF LR RR", {"LF RF", "LR RR"}),
        ("UL UR LL LR", {"UL UR", "LL LR"}),
        ("f_l f_r r_l r_r", {"f_l f_r", "r_l r_r"}),
        ("leye reye lear rear nose", {"leye reye", "lear rear"}),
        ("LA RA LK RK LE RE N", {"LA RA", "LK RK", "LE RE"}),
        ("port_bow starboard_bow mast", {"port_bow starboard_bow"}),
        ("L_Eye R_Eye l_ear r_ear", {"L_Eye R_Eye", "l_ear r_ear"}),
        ("left_ear right_ear nose Nose", {"left_ear right_ear"}),
        ("1_left 1_right 2_left 2_right", {"1_left 1_right", "2_left 2_right"}),
        (
            "left_eye_left_corner left_eye_right_corner right_eye_left_corner "
            "right_eye_right_corner",
            {
                "left_eye_left_corner right_eye_right_corner",
                "left_eye_right_corner right_eye_left_corner",
            },
        ),
    ],
)
def test_several_pairs(names: str, expected: set[str]) -> None:
    assert pairs(names.split()) == expected
    assert sides_from_names(names.split()).halves == {}


@pytest.mark.parametrize(
    ("names", "half", "texts"),
    [
        (
            "left_front_foot rigth_front_foot left_ear right_ear",
            "left_front_foot",
            ("no partner 'right_front_foot'", "nearest name is 'rigth_front_foot'"),
        ),
        ("left_ear nose", "left_ear", ("no partner 'right_ear'",)),
        ("l_ear r_ear l_eye nose", "l_eye", ("no partner 'r_eye'",)),
        ("lefteye righteye leftear nose", "leftear", ("no partner 'rightear'",)),
        ("kneeL kneeR HipL", "HipL", ("no partner 'HipR'",)),
    ],
)
def test_a_half_names_what_is_missing(names: str, half: str, texts: tuple[str, ...]) -> None:
    found = sides_from_names(names.split())
    assert found.table is None, "its mirror image would be taken for itself"
    [(number, alone)] = found.halves.items()
    assert names.split()[number] == half
    for text in texts:
        assert text in alone.text


def test_names_that_differ_in_case_only_are_not_guessed() -> None:
    found = sides_from_names(["left_ear", "LeftEar", "right_ear"])
    assert found.table is None
    assert "'left_ear' or 'LeftEar'" in found.halves[2].text


def test_a_typing_error_in_a_name_with_a_side_is_one_warning() -> None:
    names = ["left_ear", "right_ear", "left_frontfoot", "right_front_foot"]
    assert len(sides_from_names(names).halves) == 2
    [warning] = half_remarks("cat", names, None)
    assert "--mirror left_frontfoot,right_front_foot" in warning.text


def test_warnings_of_halves_end_when_the_user_has_decided() -> None:
    names = ["left_ear", "rigth_ear", "left_eye", "right_eye"]
    [warning] = half_remarks("cat", names, None)
    assert warning.level == "warning"
    assert "--mirror left_ear,rigth_ear" in warning.text
    [warning] = half_remarks("cat", names, [["left_eye", "right_eye"]])
    assert "counts as its own mirror image" in warning.text
    assert half_remarks("cat", names, [["left_ear", "rigth_ear"], [2, 3]]) == ()
    assert half_remarks("cat", names, ["left_ear"]) == ()


class TestEntries:
    def test_pairs_and_single_ones_by_name_or_id(self) -> None:
        names = ["a", "b", "c", "d"]
        assert mirror_from_entries([["a", "c"], 3], names).tolist() == [2, 1, 0, 3]
        assert mirror_from_entries([], names).tolist() == [0, 1, 2, 3]
        with pytest.raises(InputError) as caught:
            mirror_from_entries([["a", "x"], ["b", 1], ["c", 0], ["c", "d"], [0, 1, 2], 9], names)
        assert len(caught.value.problems) == 5
        assert "a, b, c, d" in caught.value.hint

    def test_texts_are_names_and_numbers_are_ids(self) -> None:
        names = ["1", "2", "3", "4"]
        assert mirror_from_entries([["1", "2"], ["3", "4"]], names).tolist() == [1, 0, 3, 2]
        with pytest.raises(InputError) as caught:
            mirror_from_entries([[1, 2]], names)
        [problem] = caught.value.problems
        assert "the numbers 1, 2 could be ids" in problem
        assert "write names in quotes" in problem
        counted = ["0", "1", "2", "3"]
        assert mirror_from_entries([[0, 1]], counted).tolist() == [1, 0, 2, 3]

    def test_the_right_form_of_a_number_is_named(self) -> None:
        with pytest.raises(InputError, match="no keypoint is called '1'; without quotes, 1 is the"):
            mirror_from_entries([["1", "2"]], ["a", "b", "c"])
        with pytest.raises(InputError, match="no keypoint has the id 3; ids are 0 to 2"):
            mirror_from_entries([[0, 3]], ["a", "b", "c"])
        with pytest.raises(InputError, match="did you mean 'left_ear'"):
            mirror_from_entries(["left_eer"], ["left_ear", "b"])

    def test_entries_of_the_command_line(self) -> None:
        names = ["ear, left", "ear, right", "3", "tail"]
        assert entry_of_text("ear, left", names) == "ear, left"
        assert entry_of_text("ear, left,ear, right", names) == ["ear, left", "ear, right"]
        assert entry_of_text("3, tail", names) == ["3", "tail"]
        assert entry_of_text("0,1", names) == [0, 1]
        assert entry_of_text("nose,tail", names) == ["nose", "tail"]
