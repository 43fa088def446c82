"""Errors list every problem; generators depend on seed and names only."""

import pickle

import numpy as np
import pytest

from semalign3d.errors import InputError
from semalign3d.seeds import generator


def test_one_problem_is_the_message():
    error = InputError("chair_000.jpg: no such file", hint="Download it.")
    assert str(error) == "chair_000.jpg: no such file\nDownload it."
    assert error.problems == ("chair_000.jpg: no such file",)


def test_every_problem_gets_a_line():
    lines = str(InputError(["first", "second"], hint="Do this.")).splitlines()
    assert lines == ["2 problems:", "  - first", "  - second", "Do this."]


def test_error_survives_pickling():
    error = pickle.loads(pickle.dumps(InputError(["a", "b"], hint="c")))
    assert error.problems == ("a", "b")
    assert error.hint == "c"


def test_generator_depends_on_seed_and_names():
    def first(*arguments):
        return generator(*arguments).integers(1 << 62)

    assert first(0, "points", "chair_000") == first(0, "points", "chair_000")
    streams = {
        first(*arguments)
        for arguments in [
            (0, "points", "chair_000"),
            (1, "points", "chair_000"),
            (0, "chair_000", "points"),
            (0, "pointschair_000"),
            (0, "points", "chair_001"),
            (-1, "points", "chair_000"),
            (0,),
        ]
    }
    assert len(streams) == 7


def test_generator_is_the_same_on_every_machine():
    assert generator(0, "dense", "chair").integers(1 << 62) == 3429940221110075130


@pytest.mark.parametrize("seed", [0, np.int64(0)])
def test_generator_takes_any_integer(seed):
    assert generator(seed, "a").integers(1 << 62) == generator(0, "a").integers(1 << 62)
