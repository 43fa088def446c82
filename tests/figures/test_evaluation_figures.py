"""Pictures of matches, alignments and PCK: what they show is where it should be."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb

from semalign3d.evaluation.examples import example_pairs
from semalign3d.evaluation.tables import summary_table
from semalign3d.figures import matches as drawing
from semalign3d.figures.alignment import draw_alignment
from semalign3d.figures.matches import PairMatches, draw_matches, draw_sheet
from semalign3d.figures.pck import draw_pck

SOURCE = np.full((40, 80, 3), 200, np.uint8)
TARGET = np.full((60, 30, 3), 90, np.uint8)


def lines_of(panel: object) -> list[LineCollection]:
    return [c for c in panel.collections if isinstance(c, LineCollection)]  # type: ignore[attr-defined]


def test_a_sheet_joins_queries_with_matches_in_the_colour_of_their_verdict() -> None:
    """Photos have height 1: source pixel (39.5, 19.5) is at (1, 0.5), the target begins at 2.03."""
    pair = PairMatches(
        title="a to b",
        source=SOURCE,
        target=TARGET,
        points=np.array([[39.5, 19.5], [0.0, 0.0]]),
        truth=np.array([[14.5, 29.5], [20.0, 20.0]]),
        predicted={
            "nearest": np.array([[14.5, 29.5], [1.0, 1.0]]),
            "aligned": np.array([[14.5, 29.5], [20.0, 20.0]]),
        },
        right={"nearest": np.array([True, False]), "aligned": np.array([True, True])},
    )
    left, right = draw_sheet([pair], "sheet").axes
    (joined,) = lines_of(left)
    np.testing.assert_allclose(joined.get_segments()[0], [[1.0, 0.5], [2.03 + 0.25, 0.5]])
    colors = [tuple(c[:3]) for c in joined.get_colors()]
    assert colors == [to_rgb(drawing.RIGHT), to_rgb(drawing.WRONG)]
    assert "nearest 1 of 2" in left.get_title()
    assert "aligned 2 of 2" in right.get_title()


def test_matches_of_any_points_are_numbered_and_coloured_by_confidence() -> None:
    points = np.array([[1.0, 2.0], [30.0, 5.0], [60.0, 9.0]])
    figure = draw_matches(SOURCE, TARGET, points, points / 3, np.array([0.0, 0.5, 1.0]))
    assert {text.get_text() for text in figure.axes[0].texts} == {"0", "1", "2"}
    assert len({tuple(c) for c in lines_of(figure.axes[0])[0].get_colors()}) == 3


def test_an_alignment_shows_what_is_seen() -> None:
    keypoints = np.array([[5.0, 5.0], [20.0, 30.0], [np.nan, np.nan]])
    visible = np.array([0.9, 0.1, 0.0])
    points = np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    figure = draw_alignment(
        TARGET, points, np.eye(3), np.array([1.0, 0.2, 0.8]), keypoints, visible, "title"
    )
    cloud = figure.axes[1].collections[0]
    np.testing.assert_allclose(cloud.get_offsets(), [[1, 1], [3, 3]])
    np.testing.assert_allclose(cloud.get_facecolors()[:, :3], np.eye(3)[[0, 2]])
    seen, hidden = figure.axes[2].collections
    np.testing.assert_allclose(seen.get_offsets(), [[5, 5]])
    np.testing.assert_allclose(hidden.get_offsets(), [[20, 30]])
    assert len(hidden.get_facecolors()) == 0
    assert {text.get_text() for text in figure.axes[2].texts} == {"0", "1"}


def made_matches(errors: dict[str, tuple[list[float], list[float]]]) -> pd.DataFrame:
    """Matches of pairs by two methods, given the errors of both."""
    parts = [
        pd.DataFrame(
            {
                "pair": name,
                "source": name[0],
                "target": name[1],
                **dict.fromkeys(("viewpoint", "scale", "truncation", "occlusion"), 0),
                "nearest_error": nearest,
                "aligned_error": aligned,
            }
        )
        for name, (nearest, aligned) in errors.items()
    ]
    return pd.concat(parts, ignore_index=True)


def test_examples_go_from_the_largest_gain_to_the_largest_loss() -> None:
    found = made_matches(
        {
            "ab": ([0.2, 0.2], [0.0, 0.0]),
            "bc": ([0.0, 0.0], [0.2, 0.0]),
            "cd": ([0.2, 0.0], [0.0, 0.0]),
            "de": ([0.0, 0.0], [0.0, 0.0]),
        }
    )
    assert example_pairs(found, 9, 0.1, "nearest", "aligned") == ["ab", "cd", "de", "bc"]
    assert example_pairs(found, 2, 0.1, "nearest", "aligned") == ["ab", "bc"]


def test_pck_figure_has_a_bar_for_each_category_and_method() -> None:
    found = made_matches({"ab": ([0.2, 0.0], [0.0, 0.0]), "bc": ([0.07, 0.2], [0.0, 0.2])})
    table = summary_table({"chair": found, "bottle": found}, (0.1, 0.05), 50, seed=0)
    figure = draw_pck(table[table["category"] != "all pairs"])
    panels = figure.axes
    assert len(panels) == 4
    heights = [bar.get_height() for bar in panels[0].patches]
    assert heights == pytest.approx([50, 50, 50, 75, 75, 75])
    assert [panel.get_title() for panel in panels][:2] == [
        "PCK@0.1 per point",
        "PCK@0.05 per point",
    ]
