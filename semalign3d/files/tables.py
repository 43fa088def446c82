"""Tables as CSV files."""

import os
from pathlib import Path

import pandas as pd


def write_table(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a table as CSV without its index, whole or not at all; numbers with 6 digits."""
    partial = Path(path).with_suffix(".partial")
    try:
        table.to_csv(partial, index=False, float_format="%.6g")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
