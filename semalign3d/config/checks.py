"""The checks."""

from pydantic import Field

from .section import Section


class Checks(Section):
    """What the checks of the inputs let pass (howto/checks)."""

    strict: bool = Field(
        False, description="true: warnings stop the later stages, as errors always do."
    )
