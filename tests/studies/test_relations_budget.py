"""The study of the budget of relations."""

import pytest

from studies.relations.budget import ALL, Cell, draw, measure, table


def test_the_table_has_a_row_for_each_number_of_keypoints():
    cells = [Cell(14, 512, 1.0, 0.5), Cell(14, ALL, 0.9, 0.6), Cell(68, 512, 1.2, 2.0)]
    lines = table(cells).splitlines()
    assert lines[0] == "| K | 512 | all |"
    assert lines[2:] == ["| 14 | 1.00 %, 0.5 s | 0.90 %, 0.6 s |", "| 68 | 1.20 %, 2.0 s | - |"]
    assert len(draw(cells).axes[0].lines) == 2


def test_a_small_budget_is_measured_against_the_truth():
    cell = measure(14, 300, 1)
    assert cell.error == pytest.approx(1.1, abs=0.6)
    assert cell.seconds > 0.0
