"""Tables as CSV files."""

import os

import pandas as pd

from .system import write_whole


def write_table(table: pd.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a table as CSV without its index, whole or not at all; numbers with 6 digits."""
    write_whole(path, table.to_csv(index=False, float_format="%.6g").encode())
