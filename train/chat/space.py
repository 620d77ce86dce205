"""Writes a folder that a Hugging Face Space can run: the chat page of one student."""

from __future__ import annotations

import ast
import json
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from pipeline.errors import UsageError
from train.chat.serving import need_gradio
from train.chat.space_start import STUDENT, TAUGHT
from train.files import appearing_whole, write_whole
from train.settings import LOCAL
from train.student_json import StudentFile, base_of, read_student, write_student
from train.students import looks_like_path, need_answering_stack
from train.taught import Taught, taught_by

OURS = ("train", "pipeline")
PACKAGES = ("torch", "transformers", "peft", "pydantic", "pyyaml", "jinja2", "bm25s")
"""What our modules behind the page import; gradio itself comes with the Space."""
LARGE_FILES = "*.safetensors filter=lfs diff=lfs merge=lfs -text\n"


def write_space(student: Path, space: Path, hub: str = "", documents: bool = False) -> None:
    """Writes app.py, requirements.txt, README.md, our modules and the student, or its name on the hub.

    The documents of the dataset are left out unless they are asked for: who pushes the folder publishes
    them. Raises UsageError if there is something in the folder already: it might be a checkout.
    """
    need_gradio()
    need_answering_stack()
    described = read_student(student)
    if space.exists() and (not space.is_dir() or any(space.iterdir())):
        raise UsageError(f"{space} is not empty.", remedy="Name a new folder, and copy it into your checkout.")
    if hub and _base_is_a_folder(student, described):
        raise UsageError(
            f"--hub {hub}: {described.name} is an adapter to a base of this machine, so the hub can only hold what "
            "the two were merged into.",
            remedy="Leave --hub out: the adapter and its base go into the folder.",
        )
    taught = taught_by(student, described.dataset)
    if not documents:
        taught = taught.model_copy(update={"documents": ()})
    with appearing_whole(space) as folder:
        for path, inside in _modules_behind("train.chat.space_start"):
            (folder / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / inside)
        (folder / STUDENT).mkdir()
        if hub:
            write_student(folder / STUDENT, described)
        else:
            _copy_student(student, described, folder / STUDENT)
        write_whole(folder / TAUGHT, taught.model_dump_json(indent=2) + "\n")
        write_whole(folder / "app.py", _app(described.name, hub))
        write_whole(folder / "requirements.txt", _requirements())
        write_whole(folder / "README.md", _readme(described, hub, taught))
        write_whole(folder / ".gitattributes", LARGE_FILES)


def _base_is_a_folder(student: Path, described: StudentFile) -> bool:
    """Whether an adapter needs a base that is no model of the hub."""
    settings = described.read_settings()
    return settings.is_adapter and looks_like_path(base_of(student, settings))


def _modules_behind(start: str) -> Iterator[tuple[Path, Path]]:
    """Our modules that a module imports, at its top or late, each with its place in the package."""
    waiting, seen = [start], set()
    while waiting:
        name = waiting.pop()
        spec = find_spec(name) if name not in seen else None
        seen.add(name)
        if spec is None or spec.origin is None:
            continue
        path = Path(spec.origin)
        inside = Path(*name.split("."))
        yield path, inside / path.name if path.name == "__init__.py" else inside.with_suffix(".py")
        waiting += [name.rpartition(".")[0]] if "." in name else []
        waiting += [found for found in _imports(path) if found.split(".")[0] in OURS]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _copy_student(student: Path, described: StudentFile, folder: Path) -> None:
    """All that is needed to open it: an adapter's base too, where that is a folder of this machine."""
    settings = described.read_settings()
    shutil.copytree(student / settings.place, folder / settings.place)
    if _base_is_a_folder(student, described):
        shutil.copytree(Path(base_of(student, settings)).expanduser(), folder / "base")
        if settings.base != LOCAL:
            moved = {**described.settings, "base": f"./{STUDENT}/base"}
            described = described.model_copy(update={"settings": moved})
    write_student(folder, described)


def _app(name: str, hub: str) -> str:
    return (
        f'"""The chat page of {name}, written by coursework."""\n\n'
        "from pathlib import Path\n\n"
        "from train.chat.space_start import start\n\n"
        f"start(Path(__file__).resolve().parent{f', hub={hub!r}' if hub else ''})\n"
    )


def _requirements() -> str:
    return "\n".join(f"{name}=={version(name).split('+')[0]}" for name in PACKAGES) + "\n"


def _readme(described: StudentFile, hub: str, taught: Taught) -> str:
    base = described.read_settings().base
    models = [name for name in (hub, "" if looks_like_path(base) or base == LOCAL else base) if name]
    matter = {
        "title": described.name,
        "emoji": "\N{GRADUATION CAP}",
        "sdk": "gradio",
        "sdk_version": version("gradio"),
        "python_version": "3.11",
        "app_file": "app.py",
        "pinned": False,
        **({"models": models} if models else {}),
    }
    # JSON is YAML, and quotes what has to be quoted.
    front = "\n".join(f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in matter.items())
    imitates = (
        f"It imitates {', '.join(taught.imitates)}; nothing that it says is theirs.\n\n" if taught.imitates else ""
    )
    passages = (
        f"It looks questions up in {len(taught.documents)} passages of that dataset, which are part of this Space."
        if taught.documents
        else "No document of that dataset is part of this Space."
    )
    return (
        f"---\n{front}\n---\n\n# {described.name}\n\nA small language model, trained with coursework on the dataset "
        f"{described.dataset_name}. A small model is often wrong.\n\n{imitates}{passages}\n"
    )
