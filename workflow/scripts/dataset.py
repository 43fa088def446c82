"""The dataset that a rule's parameters describe."""

from typing import Any

from semalign3d.datasets import Dataset, open_dataset


def opened_dataset(params: Any) -> Dataset:
    """Open the dataset of the parameters dataset_name, dataset_root and so on."""
    start = "dataset_"
    settings = {k.removeprefix(start): v for k, v in params.items() if k.startswith(start)}
    return open_dataset(**settings)
