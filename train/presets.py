"""Students by name: those of presets.yaml, and any folder or name on the hub."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pipeline.yamlfile import read_mapping
from train.settings import StudentSettings, settings_of

FILE = Path(__file__).with_name("presets.yaml")


@cache
def presets() -> dict[str, dict[str, Any]]:
    """The student sections of presets.yaml, by name."""
    return read_mapping(FILE)


def student_named(name: str) -> StudentSettings:
    """The settings of a preset; any other name is a base, trained whole."""
    return settings_of(presets().get(name, {"base": name}), FILE)
