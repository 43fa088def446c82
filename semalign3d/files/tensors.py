"""Tensors in from torch files: data, never code."""

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ..errors import InputError
from .system import system_error

LISTED = 5
"""Names that an error lists at most."""


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
        if isinstance(error, OSError) and (refused := system_error(error, path)):
            raise InputError(str(refused)) from error
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


def load_weights(
    network: nn.Module, state: Mapping[str, torch.Tensor], problem: str, hint: str
) -> None:
    """Give a network its weights, in float32, and make it ready for inference.

    Parameters
    ----------
    network : may lie on the meta device, without values.
    problem, hint : begin and end of the error.

    Raises
    ------
    InputError : other names or shapes than the network's; tells how they differ.
    """
    differences = _differences(network.state_dict(), state)
    if differences:
        raise InputError(f"{problem}: {'; '.join(differences)}", hint=hint)
    values = {name: value.float() for name, value in state.items()}
    network.load_state_dict(values, assign=True)
    network.eval().requires_grad_(False)


def _differences(
    expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> list[str]:
    """How the names and shapes of two state dicts differ, in words."""
    shapes = [
        f"{name} (expected {tuple(expected[name].shape)}, found {tuple(found[name].shape)})"
        for name in sorted(expected.keys() & found.keys())
        if expected[name].shape != found[name].shape
    ]
    listed = {
        "missing": sorted(expected.keys() - found.keys()),
        "unknown": sorted(found.keys() - expected.keys()),
        "of another shape": shapes,
    }
    return [
        f"weights {what} ({len(names)}): "
        + ", ".join([*names[:LISTED], *["..."] * (len(names) > LISTED)])
        for what, names in listed.items()
        if names
    ]
