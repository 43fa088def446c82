"""The generated reference of the configuration."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

sys.path.append(str(Path(__file__).parents[2] / "docs" / "extensions"))

from configuration_page import as_yaml, page, type_name

from semalign3d.config import Configuration
from semalign3d.config.problems import all_keys


class Inner(BaseModel):
    deep: int = Field(3, description="How deep.")


class Part(BaseModel):
    """A part."""

    name: str | None = Field(None, description="A name | a <path>.")
    inner: Inner = Inner()


class Whole(BaseModel):
    part: Part = Part()


def test_a_row_a_key_with_type_default_and_meaning() -> None:
    text = page(Whole)
    assert "## part\n\nA part.\n" in text
    assert "| `part.name` | text or null | `null` | A name \\| a &lt;path>. |" in text
    assert "| `part.inner.deep` | integer | `3` | How deep. |" in text


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (bool, "true or false"),
        (Annotated[float, Field(gt=0)], "number"),
        (Literal["a", 1], "`a`, `1`"),
        (list[str], "list of text"),
        (Literal["none"] | list[int] | None, "`none`, list of integer or null"),
    ],
)
def test_types_as_users_of_yaml_name_them(kind: object, name: str) -> None:
    assert type_name(kind) == name


def test_values_as_yaml_writes_them() -> None:
    assert as_yaml([True, None, 0.5, "x"]) == "[true, null, 0.5, x]"


def test_every_key_of_the_configuration_has_a_row() -> None:
    text = page(Configuration)
    leaves = [key for key in all_keys() if not any(k.startswith(f"{key}.") for k in all_keys())]
    assert [key for key in leaves if f"| `{key}` |" not in text] == []
