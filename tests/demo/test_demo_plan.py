"""The demo's plan: stems, pairs and layout lines follow from the counts alone."""

import re
import subprocess
import sys

import pytest

from demo import plan


@pytest.mark.parametrize("category", plan.CATEGORIES)
def test_default_splits_have_24_6_and_10_images(category: str) -> None:
    splits = plan.splits(category)
    assert [len(splits[s]) for s in plan.SPLITS] == [24, 6, 10]
    stems = [stem for split in splits.values() for stem in split]
    assert len(set(stems)) == 40
    assert stems == sorted(stems)
    for split, of_split in splits.items():
        assert all(plan.split_of(category, stem) == split for stem in of_split)
    assert all(re.fullmatch(rf"{category}_\d{{3}}", stem) for stem in stems)


def test_another_training_image_changes_no_other_image() -> None:
    before, after = plan.splits("chair"), plan.splits("chair", plan.Counts(25))
    assert after["trn"][:24] == before["trn"]
    assert after["val"] == before["val"]
    assert after["test"] == before["test"]


@pytest.mark.parametrize("category", plan.CATEGORIES)
@pytest.mark.parametrize("counts", [plan.Counts(), plan.Counts(2, 2, 2), plan.Counts(53, 20, 27)])
def test_pairs_use_every_image_and_are_ordered_pairs(category: str, counts: plan.Counts) -> None:
    splits, pairs = plan.splits(category, counts), plan.pairs(category, counts)
    for split in plan.SPLITS:
        assert {stem for pair in pairs[split] for stem in pair} == set(splits[split])
        assert len(set(pairs[split])) == len(pairs[split])
        assert all(source != target for source, target in pairs[split])
    assert len(pairs["val"]) == counts.val * (counts.val - 1)
    assert len(pairs["test"]) == counts.test * (counts.test - 1)


def test_default_pair_numbers() -> None:
    pairs = plan.pairs("chair")
    assert (len(pairs["val"]), len(pairs["test"])) == (30, 90)


def test_layout_lines_are_spair_pair_names_with_unique_numbers() -> None:
    lines = [line for split in plan.layout_lines().values() for line in split]
    form = re.compile(r"(\d{6})-([a-z]+_\d{3})-([a-z]+_\d{3}):([a-z]+)")
    matches = [form.fullmatch(line) for line in lines]
    assert all(matches)
    numbers = [m[1] for m in matches if m]
    assert len(set(numbers)) == len(numbers)
    for match in matches:
        assert match is not None
        assert match[2].startswith(match[4])
        assert match[3].startswith(match[4])


def test_sizes_are_landscape_portrait_and_square() -> None:
    sizes = {plan.image_size("chair", stem) for stem in plan.splits("chair")["trn"]}
    assert any(w > h for w, h in sizes)
    assert any(w < h for w, h in sizes)
    assert any(w == h for w, h in sizes)
    assert all(240 <= min(size) <= max(size) <= 500 for size in sizes)


def test_wrong_names_and_counts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"chair, aeroplane.*'sofa'"):
        plan.splits("sofa")
    with pytest.raises(ValueError, match="val"):
        plan.splits("chair", plan.Counts(24, 1, 10))
    with pytest.raises(ValueError, match="'chair_x'"):
        plan.image_size("chair", "chair_x")


def test_the_plan_imports_the_standard_library_only() -> None:
    code = "import sys, demo.plan; sys.exit('numpy' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
