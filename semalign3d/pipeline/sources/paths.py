"""Paths that the configuration gives for sources, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from snakemake.exceptions import WorkflowError

if TYPE_CHECKING:
    from ...config import Configuration


class SourcePaths:
    """The paths of sources, with their problems noted.

    A problem stops the jobs that need the path, not the others.

    Parameters
    ----------
    configuration : of the run.

    Attributes
    ----------
    is_demo : whether the sources may be the demo's own.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.is_demo = configuration.dataset.name == "demo"
        self._problems: dict[str, str] = {}

    def find(self, key: str, demo_value: str | None, remedy: str) -> str:
        """The path that a key gives, or for the demo its own default; empty if there is none.

        Parameters
        ----------
        key : such as "masks.root".
        demo_value : the demo's path.
        remedy : what a user should do where the path is missing.
        """
        section, name = key.split(".")
        value = getattr(getattr(self._configuration, section), name)
        if self.is_demo and (value or demo_value):
            return str(value or demo_value)
        if value is None:
            self._problems[key] = f"{key} is not set: {remedy}"
        elif value != "raw" and not Path(value).exists():
            self._problems[key] = f"{key}: {value} does not exist: {remedy}"
        return value or ""

    def require(self, key: str) -> None:
        """Raise an error that lists the problems of all sources if this one has any."""
        if key in self._problems:
            raise WorkflowError("The configuration has problems:", *self._problems.values())

    def unused(self, section: str, *names: str) -> list[str]:
        """Warnings of keys that are set and play no part with the chosen source."""
        of_section = getattr(self._configuration, section)
        keys = [f"{section}.{name}" for name in names if getattr(of_section, name) is not None]
        if not keys:
            return []
        return [f"Not used, since {section}.source is {of_section.source}: {', '.join(keys)}"]
