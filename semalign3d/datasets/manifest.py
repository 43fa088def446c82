"""The manifest of a category: one row an image, as results/manifest/{category}.csv holds it."""

import os
from collections.abc import Iterable

import pandas as pd

from .records import ImageRecord


def manifest_table(records: Iterable[ImageRecord]) -> pd.DataFrame:
    """Image, split, size in pixels, box (x1, y1, x2, y2) and number of seen keypoints."""
    rows = [
        {
            "image": record.stem,
            "split": record.split,
            "width": record.width,
            "height": record.height,
            **dict(zip(("x1", "y1", "x2", "y2"), record.box, strict=True)),
            "keypoints": len(record.keypoints[record.visible]),
        }
        for record in records
    ]
    return pd.DataFrame(rows)


def read_manifest(path: str | os.PathLike[str]) -> pd.DataFrame:
    """The table of a manifest file; names stay texts, also those that look like numbers or NA."""
    return pd.read_csv(path, dtype={"image": str, "split": str}, keep_default_na=False)
