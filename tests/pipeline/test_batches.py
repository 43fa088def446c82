"""Images shared out into batches, and names of rules."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from snakemake.exceptions import WorkflowError

from semalign3d.pipeline.images import SHARED_FILES, Images, rule_name, stage_files

STEMS = st.lists(st.text(min_size=1), unique=True, min_size=1)


@given(STEMS, st.integers(1, 5))
def test_batches_hold_every_image_once_in_order(stems: list[str], count: int) -> None:
    batches = Images({"chair": {"trn": stems}}, count).batches("chair", "trn")
    assert sorted(stem for batch in batches.values() for stem in batch) == sorted(stems)
    assert list(batches) == sorted(batches)
    assert set(batches) <= set(range(count))
    for batch in batches.values():
        assert batch == [stem for stem in stems if stem in batch]


@given(STEMS, st.text(min_size=1), st.integers(1, 5))
def test_a_new_image_touches_one_batch(stems: list[str], new: str, count: int) -> None:
    before = Images({"chair": {"trn": stems}}, count).batches("chair", "trn")
    after = Images({"chair": {"trn": [*stems, new]}}, count).batches("chair", "trn")
    changed = [number for number in after if after[number] != before.get(number)]
    assert len(changed) == 1


def test_stems_of_splits_in_order_and_none_of_a_missing_split() -> None:
    images = Images({"b": {"test": ["t"], "trn": ["a"]}, "a": {"trn": []}}, 1)
    assert images.stems("b") == ["a", "t"]
    assert images.stems("b", ["val"]) == []
    assert images.categories == ["a", "b"]
    assert images.batches("a", "val") == {}


def test_the_pattern_takes_names_literally() -> None:
    pattern = Images({"a.b": {}, "night monkey": {}}, 1).category_pattern
    assert re.fullmatch(pattern, "a.b")
    assert re.fullmatch(pattern, "night monkey")
    assert not re.fullmatch(pattern, "axb")


@pytest.mark.parametrize("name", SHARED_FILES)
def test_a_category_of_the_name_of_a_shared_file(name: str) -> None:
    with pytest.raises(WorkflowError, match=f"'{name}' has the name of a file of the results"):
        Images({"chair": {}, name: {}}, 1)


def test_rule_names_are_identifiers_and_differ() -> None:
    names = [rule_name("masks", name, "trn", 0) for name in ("a b", "ab", "a-b", "äb")]
    assert all(name.isidentifier() for name in names)
    assert len(set(names)) == len(names)
    assert rule_name("masks", "chair", 3) == "masks_chair_3"


def test_files_of_a_stage() -> None:
    assert stage_files("depth", "mug", ["a", "b"]) == [
        "results/depth/mug/a.h5",
        "results/depth/mug/b.h5",
    ]
