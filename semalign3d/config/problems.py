"""What is wrong with a configuration, a line a key: expected, found, and the nearest right key."""

import datetime
import difflib
from typing import Any

from pydantic import BaseModel, ValidationError

from .configuration import Configuration

_EXPECTED = {
    "string_type": "a text",
    "int_type": "an integer",
    "int_from_float": "an integer",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "a section",
    "string_too_short": "a text that is not empty",
}
_COMPARED = ("greater_than", "greater_than_equal", "less_than", "less_than_equal")
MAX_SHOWN = 80


def problems_of(error: ValidationError) -> list[str]:
    """A line a key; a value that may have several types gives pydantic one problem a type."""
    wrong: dict[str, list[Any]] = {}
    unknown: dict[str, str] = {}
    for each in error.errors():
        section, name, model, places = _key(each["loc"])
        key = f"{section}.{name}" if section else name
        if each["type"] == "extra_forbidden":
            unknown[key] = _nearest(section, name, model)
        else:
            wrong.setdefault(key, []).append((places, each))
    lines = [line for key, found in wrong.items() for line in _wrong(key, found)]
    return lines + [f"{key}: unknown key{near}" for key, near in unknown.items()]


def _wrong(key: str, found: list[Any]) -> list[str]:
    """A line each for the innermost values that are wrong: items of a list, else the whole."""
    all_places = {places for places, _ in found}
    lines: dict[str, list[Any]] = {}
    for places, each in found:
        inner = any(other[: len(places)] == places for other in all_places - {places})
        if not inner:
            name = key + "".join(f"[{place}]" for place in places)
            lines.setdefault(name, []).append(each)
    return [
        f"{name}: expected {_either([_expected(each) for each in errors])}, "
        f"found {_shown(errors[0]['input'])}{_remedy(errors)}"
        for name, errors in lines.items()
    ]


def _expected(error: Any) -> str:
    """Pydantic's message as what was expected."""
    kind, context = error["type"], error.get("ctx", {})
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    if kind in ("too_long", "too_short"):
        bound = "at most" if kind == "too_long" else "at least"
        return f"a list of {bound} {context.get('max_length', context.get('min_length'))}"
    text = str(error["msg"]).removeprefix("Value error, expected ")
    text = text.removeprefix("Input should be ")
    if kind in _COMPARED:
        return f"a number {text}"
    return text.replace("String should match pattern", "a text like")


def _either(texts: list[str]) -> str:
    return " or ".join(dict.fromkeys(texts))


def _shown(value: Any) -> str:
    """A value as YAML writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, datetime.date):
        return str(value)
    text = repr(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def _remedy(errors: list[Any]) -> str:
    """What to write instead, where quotes make the difference."""
    value, kinds = errors[0]["input"], {error["type"] for error in errors}
    if "string_type" in kinds and isinstance(value, bool):
        return "; YAML takes yes, no, on and off for true and false: write the text in quotes"
    if "string_type" in kinds and isinstance(value, int | float | datetime.date):
        return f'; a text is written in quotes: "{value}"'
    if not isinstance(value, str) or "string_type" in kinds:
        return ""
    if "bool_type" in kinds:
        return ", which is a text; true and false have no quotes"
    if kinds & {"int_type", "float_type"} and _is_number(value):
        power = "e" in value.lower()
        return ", which is a text; a number has no quotes" + power * ", and all its digits"
    return ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _key(location: tuple[int | str, ...]) -> tuple[str, str, type[BaseModel], tuple[int, ...]]:
    """Section and name of a problem's key, the model that should have it, and places in lists."""
    parts: list[str] = []
    model: type[BaseModel] = Configuration
    for part in location:
        parts.append(str(part))
        field = model.model_fields.get(str(part))
        if field is None or not is_model(field.annotation):
            break
        model = field.annotation  # type: ignore[assignment]
    places = tuple(part for part in location[len(parts) :] if isinstance(part, int))
    return ".".join(parts[:-1]), parts[-1], model, places


def is_model(kind: Any) -> bool:
    """Whether a type is that of a section."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def all_keys(model: type[BaseModel] = Configuration, prefix: str = "") -> list[str]:
    """Dotted keys of a model and of those inside it, sections included."""
    found = []
    for name, field in model.model_fields.items():
        found.append(prefix + name)
        if is_model(field.annotation):
            found += all_keys(field.annotation, f"{prefix}{name}.")  # type: ignore[arg-type]
    return found


def _nearest(section: str, name: str, model: type[BaseModel]) -> str:
    """The key that was meant: without dots, a like one of the section, or one elsewhere."""
    every = all_keys()
    outer, _, inner = name.rpartition(".")
    if outer and name in every:
        return f"; write it as {inner} inside the section {outer}"
    if outer in every:
        fields = [key.rpartition(".")[2] for key in every if key.rpartition(".")[0] == outer]
        near = difflib.get_close_matches(inner.casefold(), fields, n=1, cutoff=0.75)
        meant = f"did you mean {near[0]}?" if near else f"it has {', '.join(fields)}"
        return f"; keys of {outer} are written inside that section, and {meant}"
    fields = list(model.model_fields)
    near = difflib.get_close_matches(name.casefold(), fields, n=1, cutoff=0.75)
    if near:
        return f"; did you mean {f'{section}.' * bool(section)}{near[0]}?"
    close = [key for key in every if key.rpartition(".")[2] == name]
    close = close or difflib.get_close_matches(name, every, n=1, cutoff=0.75)
    if close:
        return f"; did you mean {' or '.join(close)}?"
    return f"; {section or 'the configuration'} has {', '.join(fields)}"
