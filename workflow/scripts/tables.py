"""Tables in CSV files, whole or not at all."""

import os
from pathlib import Path

import pandas as pd

from semalign3d.evaluation.tables import GRADES

TEXTS = {"pair": str, "source": str, "target": str}


def write_table(table: pd.DataFrame, path: str) -> None:
    """Write a table without its index; numbers with 6 digits."""
    partial = Path(path).with_suffix(".partial")
    table.to_csv(partial, index=False, float_format="%.6g")
    os.replace(partial, path)


def read_matches(path: str) -> pd.DataFrame:
    """A category's matches; names stay texts, also those that look like numbers or NA."""
    grades = dict.fromkeys(GRADES, "Int64")
    missing = {name: [""] for name in GRADES}
    return pd.read_csv(path, dtype={**TEXTS, **grades}, keep_default_na=False, na_values=missing)
