"""A student as GGUF files, each held against the model it was written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import UsageError
from pipeline.publish.schema import Row
from train.dataset import read_dataset
from train.endpoint import Endpoint
from train.files import appearing_whole, sha256_of, write_whole
from train.generation import Generation, answers_to
from train.out import llama_cpp
from train.out.gguf_check import check_metadata, open_gguf
from train.out.gguf_writer import TYPES, begins_with_bos, why_not, write_gguf
from train.out.merge import merge_student
from train.progress import Progress, Say, no_progress
from train.student_json import StudentFile, read_student, weights_of
from train.students import Student, need_training_stack, open_student

FILE, ANSWERS, PAGE = "gguf.json", "answers.jsonl", "gguf.md"
FORMAT_VERSION = 1
FINE = "q4_k_m"
ASKED = 20
REFUSED = {
    "opt": "llama.cpp knows no OPT, so no GGUF file of it could be run",
    "gpt_neox": "llama.cpp's converter reads a GPT-NeoX as transformers 4 saved it, not as training saves it "
    "(rotary_pct)",
}


@dataclass(frozen=True)
class Wanted:
    """Where the files go, where llama.cpp lies, and which server runs one of them."""

    out: Path | None = None
    llama_cpp: Path | None = None
    server: str | None = None


class GgufFile(BaseModel):
    """One file, by its bytes, and who wrote it."""

    model_config = ConfigDict(frozen=True)

    kind: str
    name: str
    sha256: str
    bytes: int
    written_by: str


class GgufFolder(BaseModel):
    """gguf.json: the files of a student, written last, so that a folder with it is finished."""

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT_VERSION
    student: str
    dataset_sha256: str
    weights_sha256: str = Field(description="of the model that they were written from")
    files: list[GgufFile]


@dataclass(frozen=True)
class _Source:
    """What the files are written from: the whole model of a student."""

    described: StudentFile
    folder: Path
    student: Student


def gguf_of_student(student: Path, wanted: Wanted, say: Say, progress: Progress = no_progress) -> Path:
    """Writes F16, Q8_0 and, where llama-quantize is, Q4_K_M to `gguf` in the student's folder, and returns the page on
    which twenty of their answers stand beside the model's.

    Files of the same weights stay. Raises UsageError for an architecture that has none and for one that needs
    llama.cpp's converter without it, InputError for a file whose metadata is not the model's; nothing is left then.
    """
    described = read_student(student)
    _need_gguf()
    folder = _model_of(student, described, say, progress)
    source = _Source(described, folder, replace(open_student(str(folder)), rendering=described.rendering))
    _refuse(source, wanted)
    home = wanted.out or student / "gguf"
    binary = llama_cpp.quantizer(wanted.llama_cpp)
    if not _is_written(home, folder, (*TYPES, FINE) if binary else TYPES):
        with appearing_whole(home) as aside:
            _write(aside, source, wanted.llama_cpp, binary, progress)
    elif (home / PAGE).exists() and not wanted.server:
        say(f"{described.name}: already written and compared ({home}).")
        return home / PAGE
    if binary is None:
        say(f"No {FINE.upper()}: put {llama_cpp.QUANTIZER} on the PATH or name its folder with --llama-cpp.")
    rows = read_dataset((student / described.dataset).resolve()).some(ASKED)
    _compare(home, rows, source, wanted.server, progress)
    return home / PAGE


def _need_gguf() -> None:
    need_training_stack()
    if find_spec("gguf") is None:
        raise UsageError(
            "GGUF files need gguf, which is not installed.", remedy='Install it with: pip install "coursework[train]"'
        )


def _model_of(student: Path, described: StudentFile, say: Say, progress: Progress) -> Path:
    if described.read_settings().is_adapter:
        return merge_student(student, None, say, progress)
    return student / "model"


def _refuse(source: _Source, wanted: Wanted) -> None:
    kind, name = source.student.model.config.model_type, source.described.name
    if kind in REFUSED:
        raise UsageError(
            f"{name}: {REFUSED[kind]}.",
            remedy="Serve it with transformers, or train a Llama, Qwen or SmolLM for llama.cpp.",
        )
    reason = why_not(source.student)
    if reason and wanted.llama_cpp is None:
        raise UsageError(
            f"{name}: {reason}, so llama.cpp's own converter has to write it.",
            remedy=f"Name a checkout with --llama-cpp: {llama_cpp.HOW_TO_GET_IT}.",
        )


def _is_written(home: Path, model: Path, kinds: Sequence[str]) -> bool:
    """Whether the same files lie there whole. Raises UsageError where something else lies in the way."""
    if not home.exists():
        return False
    try:
        there = _listed(home)
    except (FileNotFoundError, NotADirectoryError, ValidationError):
        raise UsageError(
            f"{home} exists and holds no GGUF files of a student: it would be replaced.",
            remedy="Name another folder with --out.",
        ) from None
    whole = [
        file.kind
        for file in there.files
        if (home / file.name).exists() and sha256_of([home / file.name]) == file.sha256
    ]
    return whole == list(kinds) and there.weights_sha256 == weights_of(model)


def _listed(home: Path) -> GgufFolder:
    return GgufFolder.model_validate_json((home / FILE).read_bytes())


def _write(folder: Path, source: _Source, checkout: Path | None, binary: Path | None, progress: Progress) -> None:
    kinds = (*TYPES, FINE) if binary else TYPES
    files: list[GgufFile] = []
    for number, kind in enumerate(kinds):
        progress(f"writing {kind}", number, len(kinds))
        path = folder / f"{source.described.name}-{kind}.gguf"
        if binary and kind == FINE:
            llama_cpp.quantize(binary, folder / files[0].name, path, FINE)
            who = binary.name
        else:
            who = _write_one(source, path, kind, checkout)
        check_metadata(path, source.student, source.described.fit.end_of_text)
        size, digest = path.stat().st_size, sha256_of([path])
        files.append(GgufFile(kind=kind, name=path.name, sha256=digest, bytes=size, written_by=who))
    found = GgufFolder(
        student=source.described.name,
        dataset_sha256=source.described.dataset_sha256,
        weights_sha256=weights_of(source.folder),
        files=files,
    )
    write_whole(folder / FILE, found.model_dump_json(indent=2) + "\n")


def _write_one(source: _Source, path: Path, kind: str, checkout: Path | None) -> str:
    """Written by ours where it can, else by llama.cpp's converter; returns who did."""
    if checkout and why_not(source.student):
        llama_cpp.convert(checkout, source.folder, path, kind)
        return llama_cpp.CONVERTER
    data = source.described
    about = f"trained by coursework on {data.dataset_name}, sha256 {data.dataset_sha256}"
    write_gguf(source.student, path, kind, data.name, about)
    return f"gguf {version('gguf')}"


def _compare(home: Path, rows: Sequence[Row], source: _Source, server: str | None, progress: Progress) -> None:
    """Asks the model and each file (or the server that runs one of them) the same questions, greedily."""
    prompts = [source.student.prompt_of(row.question, row.context, row.earlier) for row in rows]
    generation = Generation.for_longest(source.described.fit.longest_answer)

    def answers(student: Student, who: str) -> list[str]:
        asked = answers_to(prompts, student, generation, lambda done, total: progress(f"asking {who}", done, total))
        return [answer.text for answer in asked]

    model = answers(source.student, "the model")
    if server:
        endpoint = Endpoint(server, source.described.name)
        # A server puts begin-of-text before a prompt by itself, as the file tells it to.
        begin = source.student.tokenizer.bos_token if begins_with_bos(source.student.tokenizer) else ""
        texts = [prompt.removeprefix(begin) for prompt in prompts]
        found = {"server": [endpoint.complete(text, generation.max_new_tokens) for text in texts]}
    else:
        found = {
            file.kind: answers(open_gguf(home / file.name, source.student, prompts), file.kind)
            for file in _listed(home).files
        }
    _tell(home, rows, model, found)


def _tell(home: Path, rows: Sequence[Row], model: Sequence[str], found: Mapping[str, Sequence[str]]) -> None:
    by = "a server" if "server" in found else "transformers"
    counts = ", ".join(
        f"{kind}: {sum(a == b for a, b in zip(model, answers, strict=True))} of {len(model)}"
        for kind, answers in found.items()
    )
    lines = [f"Answers equal to the model's, greedy, the file read by {by}: {counts}.", ""]
    for number, row in enumerate(rows):
        lines += [f"**{row.question}**", "", f"- model: {model[number]}"]
        for kind, answers in found.items():
            same = answers[number] == model[number]
            lines.append(f"- {kind}: {'the same' if same else answers[number]}")
        lines.append("")
    table = [
        _Line(id=row.id, question=row.question, model=model[number], files={k: a[number] for k, a in found.items()})
        for number, row in enumerate(rows)
    ]
    write_whole(home / ANSWERS, "".join(line.model_dump_json() + "\n" for line in table))
    write_whole(home / PAGE, "\n".join(lines))


class _Line(BaseModel):
    """One question of answers.jsonl."""

    id: str
    question: str
    model: str
    files: dict[str, str]
