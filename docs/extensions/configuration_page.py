"""The reference of the configuration, generated from its models when the site is built."""

import types
import typing
from pathlib import Path

from pydantic import BaseModel

HEAD = """# Configuration

Every key with its type and default. Defaults stand in `config/config.yaml`. Change a key in a copy
that you give with `--configfile`, or for one run on the command line:
`--config dense='{points: 2000}'`. An unknown key is an error that names the nearest right one.
"""


def page(model: type[BaseModel]) -> str:
    """The page in Markdown: a table for each section."""
    parts = [HEAD]
    for name, field in model.model_fields.items():
        section = field.annotation
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            raise TypeError(f"{name}: expected a section, found {section}")
        doc = (section.__doc__ or "").strip()
        rows = "\n".join(rows_of(section, field.default, f"{name}."))
        head = "| key | type | default | meaning |\n| --- | --- | --- | --- |"
        parts.append(f"## {name}\n\n{doc}\n\n{head}\n{rows}\n")
    return "\n".join(parts)


def rows_of(model: type[BaseModel], default: object, prefix: str) -> list[str]:
    """Rows of a section's keys, those of sections inside it with dotted names."""
    rows = []
    for name, field in model.model_fields.items():
        value = getattr(default, name)
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            rows += rows_of(kind, value, f"{prefix}{name}.")
            continue
        text = (field.description or "").replace("|", "\\|").replace("<", "&lt;")
        rows.append(f"| `{prefix}{name}` | {type_name(kind)} | `{as_yaml(value)}` | {text} |")
    return rows


def type_name(kind: object) -> str:
    """A type as users of YAML would name it."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return type_name(inner[0])
    if origin in (typing.Union, types.UnionType):
        names = [type_name(each) for each in inner if each is not type(None)]
        return ", ".join(dict.fromkeys(names)) + (" or null" if type(None) in inner else "")
    if origin is typing.Literal:
        return ", ".join(f"`{as_yaml(value)}`" for value in inner)
    if origin is list:
        return f"list of {type_name(inner[0])}"
    return {bool: "true or false", int: "integer", float: "number", str: "text"}[kind]  # type: ignore[index]


def as_yaml(value: object) -> str:
    """A value as YAML writes it on one line."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(as_yaml, value))}]"
    return str(value)


def write_page(app: typing.Any) -> None:
    """Write the page before Sphinx looks for sources."""
    from semalign3d.config import Configuration

    path = Path(app.srcdir) / "reference" / "configuration.md"
    text = page(Configuration)
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)


def setup(app: typing.Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", write_page)
    return {"parallel_read_safe": True}
