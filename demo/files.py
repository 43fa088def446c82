"""Atomic, reproducible files: the same content gives the same bytes, and none is half written."""

from __future__ import annotations

import io
import json
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import torch


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file under a temporary name in its folder (made if needed), then rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a mapping as JSON in one line, as SPair-71k does."""
    write_bytes(path, json.dumps(content).encode())


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write lines of text."""
    write_bytes(path, "".join(f"{line}\n" for line in lines).encode())


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Write (H, W, 3) uint8 as JPEG (quality 92), or (H, W) bool as a black and white PNG."""
    buffer = io.BytesIO()
    if pixels.dtype == bool:
        Image.fromarray(pixels.astype(np.uint8) * 255).save(buffer, "PNG")
    else:
        Image.fromarray(pixels).save(buffer, "JPEG", quality=92)
    write_bytes(path, buffer.getvalue())


def write_array(path: Path, values: np.ndarray) -> None:
    """Write one array as .npy."""
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=False)
    write_bytes(path, buffer.getvalue())


def write_arrays(path: Path, values: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as a compressed .npz."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **values)
    write_bytes(path, buffer.getvalue())


def write_state_dict(path: Path, state: Mapping[str, torch.Tensor]) -> None:
    """Write a network's weights."""
    import torch

    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    write_bytes(path, buffer.getvalue())


def write_tensors(path: Path, values: np.ndarray | Mapping[str, np.ndarray]) -> None:
    """Write an array, or named arrays, as float tensors with a batch axis of one in a .pt file."""
    import torch

    def tensor(array: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32)[None].copy())

    buffer = io.BytesIO()
    if isinstance(values, np.ndarray):
        torch.save(tensor(values), buffer)
    else:
        torch.save({name: tensor(array) for name, array in values.items()}, buffer)
    write_bytes(path, buffer.getvalue())
