"""PCK, its intervals, baselines and tables against closed forms and planted matches."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semalign3d.datasets import open_dataset
from semalign3d.datasets.records import PairFlags, PairRecord
from semalign3d.evaluation import tables
from semalign3d.evaluation.baselines import (
    nearest_neighbour,
    query_similarities,
    windowed_soft_argmax,
)
from semalign3d.evaluation.pck import box_side, interval, pair_hits, pck, resampled_sums
from semalign3d.geometry.grid import cell_to_pixel, cells_inside

SAMPLE = Path(__file__).parents[1] / "data" / "spair-sample"


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


# --- baselines ------------------------------------------------------------------------------


def test_nearest_neighbour_finds_planted_matches() -> None:
    rng = np.random.default_rng(0)
    source, target = (unit(rng.normal(size=(12, 12, 16))).astype(np.float32) for _ in range(2))
    size = (240, 160)
    cells = np.array([[2, 4], [7, 5], [11, 9]])
    planted = np.array([[0, 3], [10, 6], [5, 8]])
    target[planted[:, 1], planted[:, 0]] = source[cells[:, 1], cells[:, 0]]
    points = cell_to_pixel(cells, size, 12)
    found = nearest_neighbour(query_similarities(source, size, points, target, size), size)
    np.testing.assert_allclose(found, cell_to_pixel(planted, size, 12))


def test_padding_is_never_a_match() -> None:
    """A landscape image of 240 x 160 covers the middle 8 of 12 rows."""
    assert cells_inside((240, 160), 12).sum() == 8 * 12
    assert cells_inside((240, 160), 12)[2:10].all()
    target = np.zeros((12, 12, 2), np.float32)
    target[..., 1] = 1
    target[0, 0] = 1, 0
    similar = query_similarities(target, (240, 160), np.array([[3.0, -35.0]]), target, (240, 160))
    assert similar[0, 0, 0] == -np.inf
    assert nearest_neighbour(similar, (240, 160))[0, 1] >= 0
    assert windowed_soft_argmax(similar, (240, 160)).min() >= 0


@settings(max_examples=25, deadline=None)
@given(st.floats(8.0, 21.0), st.floats(8.0, 21.0))
def test_soft_argmax_finds_a_peak_between_cells(u: float, v: float) -> None:
    """exp(-d^2 / 2 s^2) as softmax weights: the mean is the peak, but for the window's cut."""
    grid, temperature, width = 30, 0.04, 1.5
    line = np.arange(grid)
    bowl = ((line - u) ** 2)[None, :] + ((line - v) ** 2)[:, None]
    similar = (1.0 - temperature * bowl / (2 * width**2))[None]
    found = windowed_soft_argmax(similar, (300, 300), 15, temperature)
    np.testing.assert_allclose(
        found, cell_to_pixel(np.array([[u, v]]), (300, 300), grid), atol=0.02
    )


def test_soft_argmax_looks_at_its_window_only() -> None:
    """The nearest other peak: outside the window it counts nothing, inside it takes its share."""
    similar = np.full((1, 30, 30), -1.0)
    similar[0, 10, 10], similar[0, 10, 18] = 1.0, 0.999
    near = windowed_soft_argmax(similar, (30, 30), 15, 0.04)
    np.testing.assert_allclose(near, cell_to_pixel(np.array([[10, 10]]), (30, 30), 30), atol=1e-6)
    both = windowed_soft_argmax(similar, (30, 30), 17, 0.04)
    share = np.exp(-0.001 / 0.04) / (1 + np.exp(-0.001 / 0.04))
    expected = cell_to_pixel(np.array([[10 + 8 * share, 10]]), (30, 30), 30)
    np.testing.assert_allclose(both, expected, atol=1e-6)
    with pytest.raises(ValueError, match="odd window"):
        windowed_soft_argmax(similar, (30, 30), 14)


# --- PCK ------------------------------------------------------------------------------------


def test_pck_averages_by_hand() -> None:
    """Pair ab: 3 of 4 right, pair bc: 0 of 1. Per point 3/5, per image (3/4 + 0) / 2."""
    pairs = np.array(["ab"] * 4 + ["bc"])
    sources, targets = np.array(list("aaaab")), np.array(list("bbbbc"))
    right = np.array([True, True, False, True, False])[:, None]
    sums = resampled_sums(pair_hits(pairs, sources, targets, right), 5, np.random.default_rng(0))
    assert pck(sums, "point")[0, 0] == pytest.approx(3 / 5)
    assert pck(sums, "image")[0, 0] == pytest.approx(3 / 8)
    assert box_side((10.0, 20.0, 40.0, 30.0)) == 30.0


def test_a_resample_counts_a_pair_by_its_images() -> None:
    """Against a loop over the pairs of a literal list of drawn images."""
    rng = np.random.default_rng(3)
    stems = np.array(list("abcd"))
    names = [(a, b) for a in stems for b in stems if a != b]
    pairs = np.array(["".join(pair) for pair in names])
    right = rng.random((len(names), 2)) < 0.5
    hits = pair_hits(pairs, np.array([a for a, _ in names]), np.array([b for _, b in names]), right)
    sums = resampled_sums(hits, 6, np.random.default_rng(9))
    counts = np.random.default_rng(9).multinomial(4, np.full(4, 0.25), size=6)
    for row, count in enumerate(counts, start=1):
        drawn = np.repeat(stems, count)
        rows = [names.index((a, b)) for a in drawn for b in drawn if a != b]
        expected = right[rows].mean(axis=0) if rows else np.full(2, np.nan)
        np.testing.assert_allclose(pck(sums, "point")[row], expected)


def test_intervals_cover_the_truth() -> None:
    """Hit rates that depend on the images: 95 % intervals hold the truth in 90 to 100 % of trials.

    A resample of pairs as if they were independent would cover it in about half of them.
    """
    covered = []
    images = 12
    sources, targets = (v.ravel() for v in np.meshgrid(range(images), range(images)))
    keep = sources != targets
    sources, targets = sources[keep], targets[keep]
    pairs = sources * 100 + targets
    for trial in range(60):
        rng = np.random.default_rng(trial)
        ease = rng.uniform(0.2, 0.8, size=images)
        rate = (ease[sources] + ease[targets]) / 2
        right = rng.random((len(pairs), 1)) < rate[:, None]
        sums = resampled_sums(pair_hits(pairs, sources, targets, right), 300, rng)
        _, low, high = interval(pck(sums, "point"))
        covered.append(low[0] <= 0.5 <= high[0])
    assert np.mean(covered) >= 0.9


def test_intervals_of_a_sure_thing_have_no_width() -> None:
    pairs = np.array(["ab", "ba"])
    sources, targets = np.array(["a", "b"]), np.array(["b", "a"])
    hits = pair_hits(pairs, sources, targets, np.ones((2, 1), bool))
    estimate, low, high = interval(pck(resampled_sums(hits, 50, np.random.default_rng(0)), "image"))
    assert (estimate[0], low[0], high[0]) == (1.0, 1.0, 1.0)
    lonely = np.full((4, 1), np.nan)
    assert np.isnan(interval(lonely)[1])


# --- tables ---------------------------------------------------------------------------------


def made_pair(name: str, source: str, target: str, viewpoint: int, errors: list[float]) -> tuple:
    """A pair whose queries are matched with the given errors, in units of a side of 50 pixels."""
    truth = np.array([[20.0 * i, 30.0] for i in range(len(errors))])
    pair = PairRecord(
        name=name,
        category="chair",
        split="test",
        source=source,
        target=target,
        source_keypoints=truth + 5.0,
        target_keypoints=truth,
        ids=np.arange(len(errors)),
        target_box=(0.0, 10.0, 50.0, 40.0),
        flags=PairFlags(viewpoint, 0, 0, 1),
    )
    return pair, truth + 50.0 * np.array(errors)[:, None] * [0.6, 0.8]


def made_matches() -> pd.DataFrame:
    parts = []
    for pair, found in (
        made_pair("1", "a", "b", 0, [0.0, 0.06, 0.2]),
        made_pair("2", "b", "c", 2, [0.02]),
    ):
        parts.append(tables.match_rows(pair, {"nearest": found, "aligned": pair.target_keypoints}))
    return pd.concat(parts, ignore_index=True)


def test_tables_by_hand() -> None:
    matches = made_matches()
    np.testing.assert_allclose(matches["nearest_error"], [0.0, 0.06, 0.2, 0.02])
    table = tables.category_table("chair", matches, (0.1, 0.05), 20, seed=0)
    rows = table.set_index(["subset", "average", "method", "alpha"])["pck"]
    assert rows["all", "point", "nearest", 0.1] == pytest.approx(3 / 4)
    assert rows["all", "image", "nearest", 0.1] == pytest.approx((2 / 3 + 1) / 2)
    assert rows["all", "point", "nearest", 0.05] == pytest.approx(2 / 4)
    assert rows["viewpoint 0", "point", "nearest", 0.05] == pytest.approx(1 / 3)
    assert rows["viewpoint 2", "point", "nearest", 0.05] == 1
    assert rows["occlusion 1", "point", "aligned", 0.05] == 1
    assert "occlusion 0" not in table["subset"].values
    everything = table[table["subset"] == "all"].iloc[0]
    assert (everything["images"], everything["pairs"], everything["points"]) == (3, 2, 4)


def test_summary_means_over_categories_and_over_pairs() -> None:
    matches = made_matches()
    two = {"chair": matches, "table": matches[matches["pair"] == "2"], "stool": matches[:0]}
    table = tables.summary_table(two, (0.05,), 50, seed=0)
    rows = table.set_index(["category", "subset", "average", "method"])["pck"]
    assert rows["chair", "all", "point", "nearest"] == pytest.approx(1 / 2)
    assert rows["table", "all", "point", "nearest"] == 1
    assert rows[tables.MACRO, "all", "point", "nearest"] == pytest.approx(3 / 4)
    assert rows[tables.POOLED, "all", "point", "nearest"] == pytest.approx(3 / 5)
    assert "stool" not in set(table["category"])


def test_tables_are_the_same_again_and_in_any_order_of_rows() -> None:
    matches = made_matches()
    once = tables.category_table("chair", matches, (0.1,), 100, seed=4)
    pd.testing.assert_frame_equal(
        once, tables.category_table("chair", matches.iloc[::-1], (0.1,), 100, seed=4)
    )
    other = tables.category_table("chair", matches, (0.1,), 100, seed=5)
    pd.testing.assert_series_equal(once["pck"], other["pck"])


def test_pairs_without_grades_have_no_subsets() -> None:
    pair, found = made_pair("1", "a", "b", 0, [0.0, 0.2])
    matches = tables.match_rows(dataclasses.replace(pair, flags=None), {"nearest": found})
    table = tables.category_table("chair", matches, (0.1,), 10, seed=0)
    assert set(table["subset"]) == {"all"}
    assert table["pck"].iloc[0] == pytest.approx(0.5)


def test_rows_of_real_pair_annotations() -> None:
    """The sample's pair 000001: its own keypoints as predictions are right, its sources are not."""
    pair = next(iter(open_dataset("spair-71k", SAMPLE).pairs("aeroplane", "val")))
    rows = tables.match_rows(
        pair, {"nearest": pair.target_keypoints, "aligned": pair.source_keypoints}
    )
    assert (rows["nearest_error"] == 0).all()
    assert list(rows["keypoint"]) == list(pair.ids)
    x1, y1, x2, y2 = pair.target_box
    expected = np.hypot(*(pair.source_keypoints - pair.target_keypoints).T) / max(x2 - x1, y2 - y1)
    np.testing.assert_allclose(rows["aligned_error"], expected)
    assert set(rows["viewpoint"]) == {pair.flags.viewpoint}
