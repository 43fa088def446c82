"""Arrays in from `.npy` files: numbers, never pickled objects."""

from pathlib import Path

import numpy as np

from ..errors import InputError
from .system import system_error


def load_array(path: Path, wanted: str) -> np.ndarray:
    """Read an array from a `.npy` file, refusing pickled objects.

    Raises
    ------
    InputError : missing (`wanted` says what was looked for), damaged, or objects instead of
        numbers.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; {wanted} is needed")
    try:
        values = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        if refused := system_error(error, path):
            raise InputError(str(refused)) from error
        raise InputError(f"{path}: not a whole array file of numbers ({error})") from error
    if not isinstance(values, np.ndarray):
        raise InputError(f"{path}: expected one array (.npy), found an archive of several")
    return values


def times(shape: tuple[int, ...]) -> str:
    """A shape as errors show it."""
    return " x ".join(map(str, shape)) or "a single number"
