"""Configurations read: files, then what the command line says, validated together."""

import difflib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from ..errors import InputError
from .configuration import Configuration

HINT = "config/config.yaml explains every key."


def read_configuration(
    files: Iterable[str | os.PathLike[str]] = (), command: Mapping[str, Any] | None = None
) -> Configuration:
    """The configuration of YAML files and of the command line; keys that neither has keep their
    defaults.

    Parameters
    ----------
    files : later ones win.
    command : sections as Snakemake's --config gives them, where every value is a text. Only these
        are read as numbers, true, false and null where they look like it: texts of files keep the
        type that YAML gives them.

    Raises
    ------
    InputError : a file can't be read, or lists every problem of the whole.
    """
    values: dict[str, Any] = {}
    for path in files:
        _update(values, _load(Path(path)))
    _update(values, _as_values(dict(command or {})))
    try:
        return Configuration.model_validate(values)
    except ValidationError as error:
        raise InputError(_problems(error), hint=HINT) from error


def _load(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected sections such as dataset and masks, found {content!r}")
    return content


def _update(values: dict[str, Any], newer: Mapping[str, Any]) -> None:
    for key, value in newer.items():
        if isinstance(value, Mapping) and isinstance(values.get(key), dict):
            _update(values[key], value)
        else:
            values[key] = dict(value) if isinstance(value, Mapping) else value


def _as_values(value: Any) -> Any:
    """Numbers, true, false and null for texts that look like it."""
    if isinstance(value, Mapping):
        return {key: _as_values(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_values(inner) for inner in value]
    try:
        found = json.loads(value)
    except (TypeError, ValueError):
        return value
    return value if isinstance(found, str | list | dict) else found


def _problems(error: ValidationError) -> list[str]:
    """A line a key; a value that may have several types gives pydantic one problem a type."""
    wanted: dict[str, list[str]] = {}
    found: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for each in error.errors():
        key, model = _key(each["loc"])
        if each["type"] == "extra_forbidden":
            unknown[key] = _nearest(key, model)
            continue
        wanted.setdefault(key, []).append(_expected(each))
        found[key] = repr(each["input"])
    wrong = [f"{key}: expected {_either(wanted[key])}, found {found[key]}" for key in wanted]
    return wrong + [f"{key}: unknown key{near}" for key, near in unknown.items()]


def _expected(error: Any) -> str:
    """Pydantic's message as what was expected."""
    if error["type"] == "model_type":
        return "a section"
    text = str(error["msg"]).removeprefix("Value error, expected ")
    text = text.removeprefix("Input should be ")
    return text.replace("String should match pattern", "a text like")


def _either(texts: list[str]) -> str:
    return " or ".join(dict.fromkeys(texts))


def _key(location: tuple[int | str, ...]) -> tuple[str, type[BaseModel]]:
    """The dotted key of a problem's place, and the model that should have it."""
    parts: list[str] = []
    model: type[BaseModel] = Configuration
    for part in location:
        parts.append(str(part))
        field = model.model_fields.get(str(part))
        if field is None or not _is_model(field.annotation):
            break
        model = field.annotation  # type: ignore[assignment]
    return ".".join(parts), model


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def all_keys(model: type[BaseModel] = Configuration, prefix: str = "") -> list[str]:
    """Dotted keys of a model and of those inside it, sections included."""
    found = []
    for name, field in model.model_fields.items():
        found.append(prefix + name)
        if _is_model(field.annotation):
            found += all_keys(field.annotation, f"{prefix}{name}.")  # type: ignore[arg-type]
    return found


def _nearest(key: str, model: type[BaseModel]) -> str:
    """The key that was meant: a like one of the section, else of the same name elsewhere."""
    section, _, name = key.rpartition(".")
    every = all_keys()
    like = difflib.get_close_matches(name, list(model.model_fields), n=1, cutoff=0.75)
    start = f"{section}." if section else ""
    if like:
        return f"; did you mean {start}{like[0]}?"
    if key in every:
        parts = key.split(".")
        return f"; write it as {parts[-1]} inside the section {'.'.join(parts[:-1])}"
    same = [other for other in every if other.split(".")[-1] == name.split(".")[-1]]
    close = same or difflib.get_close_matches(key, every, n=1)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; {section or 'the configuration'} has {', '.join(model.model_fields)}"
