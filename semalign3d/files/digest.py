"""Digests of files and values: what a result was made from."""

import functools
import hashlib
import json
from pathlib import Path
from typing import Any

import xxhash


def file_digest(path: str | Path) -> str:
    """XXH3 (128 bits) of a file's bytes, in hex; remembered while size and time of change stay.

    It tells a changed file, not a forged one. Feature files are large: SHA-256 would take a tenth
    of the descriptors stage, XXH3 takes a sixth of that, little more than the reading.
    """
    status = Path(path).stat()
    return _file_digest(str(path), status.st_size, status.st_mtime_ns)


@functools.cache
def _file_digest(path: str, size: int, changed: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, xxhash.xxh3_128).hexdigest()


def values_digest(**values: Any) -> str:
    """SHA-256 of named values: numbers, texts, None, and lists, tuples and dicts of them.

    The order of names plays no part; `1`, `1.0`, `True` and `"1"` differ; a list and a tuple do
    not.

    Raises
    ------
    TypeError : a value of another type.
    """
    text = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
