"""Configurations read: files, then what the command line says, validated together."""

import json
import os
import types
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import ValidationError

from ..errors import InputError
from .configuration import Configuration
from .problems import is_model, problems_of

HINT = "config/config.yaml explains every key."


def read_configuration(
    files: Iterable[str | os.PathLike[str]] = (), command: Mapping[str, Any] | None = None
) -> Configuration:
    """The configuration of YAML files and of the command line; keys that neither has keep their
    defaults.

    Parameters
    ----------
    files : later ones win. Texts keep the type that YAML gives them.
    command : sections as Snakemake's --config gives them, where every value is a text. Only these
        are read as numbers, true, false and null: where they look like it and the key may have
        such a value, and where they are not in quotes of their own.

    Raises
    ------
    InputError : a file can't be read, or lists every problem of the whole.
    """
    values: dict[str, Any] = {}
    for path in files:
        _update(values, _load(Path(path)))
    _update(values, _as_values(dict(command or {}), [Configuration]))
    try:
        return Configuration.model_validate(values)
    except ValidationError as error:
        raise InputError(problems_of(error), hint=HINT) from error


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML would drop the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in keys:
                line = key.start_mark.line + 1
                raise yaml.YAMLError(f"line {line}: {key.value} is given for the second time")
            keys.add(key.value)
        return super().construct_mapping(node, deep)


def _load(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_bytes().decode("utf-8-sig"), Loader=_Loader)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read ({error}): save it as UTF-8") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected sections such as dataset and masks, found {content!r}")
    return {str(key): _with_texts_as_keys(value) for key, value in content.items()}


def _with_texts_as_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _with_texts_as_keys(inner) for key, inner in value.items()}
    return value


def _update(values: dict[str, Any], newer: Mapping[str, Any]) -> None:
    for key, value in newer.items():
        if isinstance(value, Mapping) and isinstance(values.get(key), dict):
            _update(values[key], value)
        else:
            values[key] = dict(value) if isinstance(value, Mapping) else value


def _as_values(value: Any, kinds: Sequence[Any]) -> Any:
    """Numbers, true, false and null for texts that look like it, where a type allows them.

    Parameters
    ----------
    kinds : the types that the key may have; none for a key that does not exist.
    """
    if isinstance(value, Mapping):
        fields = {k: v for kind in kinds if is_model(kind) for k, v in kind.model_fields.items()}
        inner = {key: _members(field.annotation) for key, field in fields.items()}
        return {key: _as_values(each, inner.get(key, [])) for key, each in value.items()}
    if isinstance(value, list):
        lists = [get_args(kind)[0] for kind in kinds if get_origin(kind) is list]
        items = [member for each in lists for member in _members(each)]
        return [_as_values(each, items) for each in value]
    try:
        found = json.loads(value)
    except (TypeError, ValueError):
        return value
    if isinstance(found, str | list | dict):
        return found if isinstance(found, str) else value
    fits = type(found) in kinds or (type(found) is int and float in kinds)
    return found if fits or str not in kinds else value


def _members(kind: Any) -> list[Any]:
    """The types that a value may have, lists with that of their items."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _members(inner[0])
    if origin in (Union, types.UnionType):
        return [member for each in inner for member in _members(each)]
    if origin is Literal:
        return [type(value) for value in inner]
    return [kind]
