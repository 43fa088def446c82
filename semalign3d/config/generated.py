"""Files made from the models: config/config.yaml and config/schema.json."""

import json
import textwrap
from pathlib import Path

import yaml
from pydantic import BaseModel

from .configuration import Configuration

WIDTH = 100
HEAD = """\
# Every key of the pipeline with its default, made by `python -m semalign3d.config`.
# Three ways to change one: edit a copy and give it with --configfile; write
# --config masks='{candidate: best}' on the command line; or edit this file.
# Relative paths start from the folder that Snakemake runs in.
"""


def as_yaml() -> str:
    """All keys with their defaults, the descriptions as comments."""
    return HEAD + "".join(_section(name) for name in Configuration.model_fields)


def _section(name: str) -> str:
    default = Configuration.model_fields[name].default
    return f"\n# {type(default).__doc__}\n{name}:\n" + _keys(default, "  ")


def _keys(section: BaseModel, indent: str) -> str:
    lines = []
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if isinstance(value, BaseModel):
            lines.append(f"{indent}{name}: {_flow(value.model_dump())}")
            continue
        wrapped = textwrap.wrap(field.description or "", WIDTH - len(indent) - 2)
        lines += [f"{indent}# {line}" for line in wrapped]
        lines.append(f"{indent}{name}: {_flow(value)}")
    return "\n".join(lines) + "\n"


def _flow(value: object) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return text.removesuffix("...\n").strip()


def as_schema() -> str:
    """The JSON schema (draft 2020-12)."""
    return json.dumps(Configuration.model_json_schema(), indent=1) + "\n"


def write(folder: Path) -> list[Path]:
    """Write both files into a folder; returns those that were out of step."""
    changed = []
    for name, text in (("config.yaml", as_yaml()), ("schema.json", as_schema())):
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed
