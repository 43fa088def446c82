"""Tables as CSV files."""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path


def write_rows(
    path: str | os.PathLike[str], columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Write a CSV file, whole or not at all."""
    partial = Path(path).with_suffix(".partial")
    with open(partial, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    os.replace(partial, path)
