"""Paths that tests import from."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "workflow")]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Real runs of Snakemake come first: what takes minutes must not be left to the end."""
    items.sort(key=lambda item: "workflow" not in item.path.parts)
