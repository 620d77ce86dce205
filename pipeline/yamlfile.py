"""YAML files read into pydantic models, with every fault named by file, line and field."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import RecipeError

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[str | int, ...]


class Section(BaseModel):
    """A part of a YAML file: read once, and every key in it is known."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def read_yaml(path: Path, model: type[Model]) -> Model:
    """The file as a `model`. Raises RecipeError that lists every fault as `file:line: field: what`."""
    value, lines = _parse(path)
    return validated(value, model, path, lines)


def read_mapping(path: Path) -> dict[str, Any]:
    """The file as a plain mapping. Raises RecipeError if it cannot be read or is no mapping."""
    value, _ = _parse(path)
    return value


def validated(value: dict[str, Any], model: type[Model], path: Path, lines: dict[Place, int] | None = None) -> Model:
    """`value` as a `model`; `lines` maps each place in it to its line in `path`."""
    try:
        return model.model_validate(value)
    except ValidationError as fault:
        letters = [_letter(path, lines or {}, model, error) for error in fault.errors()]
        raise RecipeError("\n".join(letters)) from None


def _parse(path: Path) -> tuple[dict[str, Any], dict[Place, int]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RecipeError(
            f"{path}: no such file.", remedy="`coursework init DIR` makes a workspace to start from."
        ) from None
    except (OSError, UnicodeDecodeError) as fault:
        raise RecipeError(f"{path}: cannot be read: {fault}.") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise RecipeError(
            f"{where}: not YAML: {fault.problem}.", remedy="Check indentation, colons and quotes there."
        ) from None
    except yaml.YAMLError as fault:
        raise RecipeError(f"{path}: not YAML: {fault}.") from None
    if root is None or not isinstance(value, dict):
        raise RecipeError(
            f"{path}:1: expected `field: value` lines, found {'nothing' if root is None else 'something else'}."
        )
    lines: dict[Place, int] = {(): 1}
    _note_lines(root, (), lines, path)
    return value, lines


def _note_lines(node: yaml.Node, place: Place, lines: dict[Place, int], path: Path) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, child in node.value:
            here = (*place, key.value)
            line = key.start_mark.line + 1
            if here in lines:
                name = ".".join(map(str, here))
                raise RecipeError(
                    f"{path}:{line}: {name}: is said twice, first in line {lines[here]}.", remedy="Keep one."
                )
            lines[here] = line
            _note_lines(child, here, lines, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            lines[(*place, index)] = child.start_mark.line + 1
            _note_lines(child, (*place, index), lines, path)


def _letter(path: Path, lines: dict[Place, int], model: type[BaseModel], error: Any) -> str:
    place: Place = tuple(error["loc"])
    known = place
    while known and known not in lines:
        known = known[:-1]
    where = f"{path}:{lines[known]}" if known in lines else str(path)
    name = ".".join(map(str, place)) or "recipe"
    kind = error["type"]
    if kind == "missing":
        return f"{where}: {name}: is missing and has no default."
    if kind == "extra_forbidden":
        return f"{where}: {name}: is not a field.{_nearest(model, place)}"
    message = error["msg"].removeprefix("Value error, ")
    found = error.get("input")
    shown = "" if isinstance(found, dict | list) else f" (found {found!r})"
    return f"{where}: {name}: {message[0].lower()}{message[1:]}{shown}."


def _nearest(model: type[BaseModel], place: Place) -> str:
    """The fields allowed where an unknown one was met, the most similar name first."""
    from difflib import get_close_matches

    owner: Any = model
    keyed = False
    for step in place[:-1]:
        if keyed:  # a name that the person chose
            keyed = False
            continue
        field = getattr(owner, "model_fields", {}).get(step)
        owner = _section(field.annotation) if field is not None else None
        keyed = field is not None and get_origin(field.annotation) is dict
    names = list(getattr(owner, "model_fields", {}))
    if not names:
        return ""
    close = get_close_matches(str(place[-1]), names, n=1)
    return f" Did you mean {close[0]}?" if close else f" Expected one of: {', '.join(names)}."


def _section(annotation: Any) -> Any:
    """The model in an annotation such as `Documents | None`."""
    return next((part for part in (annotation, *get_args(annotation)) if hasattr(part, "model_fields")), None)
