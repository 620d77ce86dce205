"""student.json: what a trained student is made of, written last, so that a folder with it is finished."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import InputError
from pipeline.publish.schema import PromptFormat
from train.files import sha256_of, write_whole
from train.fit import Fit
from train.rendering import Rendering
from train.settings import LOCAL, StudentSettings
from train.students import STACK, Student, has_gpu, looks_like_path, open_student, place_of, taught_as

FILE = "student.json"
FORMAT_VERSION = 2


class LossPoint(BaseModel):
    """One reading of the training loss: the mean since the reading before."""

    model_config = ConfigDict(frozen=True)

    step: int
    loss: float
    learning_rate: float
    token_accuracy: float | None = Field(default=None, description="share of trained tokens that came first")


class Parameters(BaseModel):
    """How many weights the student has, and how many of them training moved."""

    model_config = ConfigDict(frozen=True)

    trainable: int
    total: int


class StudentFile(BaseModel):
    """student.json. Its `dataset_sha256` and `settings` say whether training again would change anything."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT_VERSION
    name: str
    dataset: str = Field(description="the dataset folder, seen from the student's")
    dataset_name: str
    dataset_sha256: str = Field(description="of its rows, prompt format and refusals")
    recipe_sha256: str = Field(default="", description="of the recipe that the dataset was made by")
    settings: dict[str, Any] = Field(description="the student section, every default written out")
    base_sha256: str = Field(description="of the base's weights, empty where they are the hub's")
    base_revision: str = Field(default="", description="commit of a base from the hub")
    weights_sha256: str = Field(description="of the trained weights; same data, settings and machine give the same")
    parameters: Parameters
    fit: Fit
    steps: int
    loss: list[LossPoint]
    precision: str
    hardware: dict[str, Any]
    processes: int = Field(default=1, description="that trained it together")
    versions: dict[str, str]
    seconds: float = Field(description="that training took, without the start of the program")
    padding: float = Field(description="share of the tokens computed that only filled shorter rows up")
    resumed_at: list[int] = Field(default_factory=list, description="steps at which it went on after a kill")

    @property
    def rendering(self) -> Rendering:
        """How a question is put to the student."""
        return self.fit.rendering

    @property
    def prompts(self) -> PromptFormat:
        """The dataset's plain form, of which the rendering was made."""
        return PromptFormat(self.rendering.prompt_format, self.rendering.context_format)

    def read_settings(self) -> StudentSettings:
        """The settings as the model that checked them."""
        return StudentSettings.model_validate(self.settings)


def read_student(folder: Path) -> StudentFile:
    """The student.json of a student's folder. Raises InputError if the folder holds no finished student."""
    path = folder / FILE
    try:
        return StudentFile.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        raise InputError(
            f"{folder} is not a trained student: it has no {FILE}.",
            remedy="Name a folder under students/, or train one with `coursework train`.",
        ) from None
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(
            f"{path}: {where}: {first['msg']}.", remedy="Train the student again with this version."
        ) from None


def write_student(folder: Path, student: StudentFile) -> None:
    """Writes student.json; it is the last file of a training."""
    write_whole(folder / FILE, student.model_dump_json(indent=2) + "\n")


def weights_of(folder: Path) -> str:
    """The hash of the weights in a folder, empty if it holds none."""
    files = [path for pattern in ("*.safetensors", "*.bin") for path in folder.glob(pattern)]
    return sha256_of(files) if files else ""


def base_of(folder: Path, settings: StudentSettings) -> str:
    """Where the base of a student is opened from: beside a local one, else where the settings say."""
    if settings.base == LOCAL:
        return str(folder.resolve() / "base")
    # Of another student its model, for whoever reads the adapter with other programs.
    return str(place_of(settings.base)) if (Path(settings.base).expanduser() / FILE).exists() else settings.base


def base_weights(base: str) -> str:
    """The hash of a base that is a folder, so that new weights in it are noticed; empty for the hub's."""
    return weights_of(place_of(base)) if looks_like_path(base) else ""


def open_trained(folder: Path, base: bool = False) -> Student:
    """A trained student, or with `base` the model it was trained from, ready to answer.

    Raises InputError if the base of an adapter is no longer the one it was trained beside: the two
    together would be a third model that nobody trained.
    """
    student = read_student(folder)
    settings = student.read_settings()
    place = base_of(folder, settings)
    revision = settings.revision or student.base_revision or None
    if base or settings.is_adapter:
        if base_weights(place) != student.base_sha256:
            raise InputError(
                f"base {place}: is not the one that {student.name} was trained from; its weights changed or are gone.",
                remedy="Put the old weights back, or train the student again.",
            )
        opened = open_student(place, revision, None if base else folder / "adapter")
    else:
        opened = open_student(str(folder.resolve() / "model"))
    return _as_trained(taught_as(opened, settings, student.prompts), student)


def _as_trained(opened: Student, student: StudentFile) -> Student:
    """Raises InputError if the student would now be asked in another form than the one it was taught in."""
    if opened.asked != student.rendering:
        raise InputError(
            f"{student.name} was trained with another chat template than the one that is there now: it would be asked "
            "in a form that it was not taught.",
            remedy="Put the old chat_template.jinja back, or train the student again.",
        )
    return opened


def versions() -> dict[str, str]:
    """Of Python, of this package and of all that shapes the weights."""
    found = {"python": platform.python_version()}
    for name in ("coursework", *STACK, "tokenizers", "accelerate"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = ""
    return found


def hardware() -> dict[str, Any]:
    """What the training ran on; across kinds of hardware weights differ in the last digits."""
    import torch

    return {
        "device": torch.cuda.get_device_name(0) if has_gpu() else "cpu",
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
    }
