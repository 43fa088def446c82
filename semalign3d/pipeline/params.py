"""What the parameters of a rule describe."""

import dataclasses
from typing import Any, TypeVar

from semalign3d.datasets import Dataset, open_dataset

Settings = TypeVar("Settings")


def opened_dataset(params: Any) -> Dataset:
    """Open the dataset of the parameters dataset_name, dataset_root and so on."""
    start = "dataset_"
    settings = {k.removeprefix(start): v for k, v in params.items() if k.startswith(start)}
    return open_dataset(**settings)


def settings_of(kind: type[Settings], params: Any) -> Settings:
    """A dataclass of settings from the parameters of its fields; others keep their defaults."""
    names = {field.name for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in params.items() if name in names})
