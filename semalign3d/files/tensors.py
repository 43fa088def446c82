"""Tensors in from torch files: data, never code."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import InputError


def load_tensors(path: str | Path) -> Any:
    """Load a `.pt` or `.pth` file of tensors onto the CPU.

    Raises
    ------
    InputError : missing, truncated, no torch file, or one that holds code or objects: that is
        refused, nothing of it runs.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except MemoryError:
        raise
    except pickle.UnpicklingError as error:
        if "Weights only load failed" not in str(error):
            raise InputError(f"{path}: not a whole torch file ({_first_line(error)})") from error
        raise InputError(
            f"{path}: refused, since it holds code or objects other than tensors",
            hint="Only plain tensors are loaded (weights_only=True). Save it again as tensors, "
            "or as a state dict.",
        ) from error
    except Exception as error:  # a damaged pickle may raise anything
        raise InputError(f"{path}: not a whole torch file ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__


def load_state_dict(path: str | Path) -> dict[str, torch.Tensor]:
    """Load a network's weights.

    Raises
    ------
    InputError : as `load_tensors`, or it is no plain state dict.
    """
    values = load_tensors(path)
    if not isinstance(values, Mapping) or not all(
        isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in values.items()
    ):
        raise InputError(f"{path}: expected a plain state dict (name: tensor)")
    return dict(values)
