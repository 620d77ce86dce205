"""Banks of the embedded teacher: data beside the code, and a choice from it that never depends on chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import TypeAdapter

from pipeline.records import content_id

Shape = TypeVar("Shape")

# The loader written in C reads a bank in a tenth of the time, where PyYAML was built with it.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read_bank(name: str, shape: type[Shape]) -> Shape:
    """The YAML file `name` of this package, checked against `shape`."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return TypeAdapter(shape).validate_python(yaml.load(text, Loader=_Loader))


def shuffled(items: Iterable[str], *key: str) -> list[str]:
    """The items in an order that looks random and is the same for the same key, whatever else is among them."""
    return sorted(items, key=lambda item: content_id(*key, item))


def share(*key: str) -> float:
    """A number from 0 up to 1, spread evenly over keys: how often something happens is decided by it."""
    return int(content_id(*key), 16) / 16**16


def most(schema: Mapping[str, Any], name: str) -> int:
    """How many items the reply schema allows in the list `name`; without a limit, as many as the bank has."""
    return int(schema.get("properties", {}).get(name, {}).get("maxItems", 10_000))
