"""GGUF files: what they say and answer is what the model says and answers, or there are none."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import InputError, TeacherError, UsageError
from tests.train.bases import write_adapted, write_base
from tests.train.loopback import Quiet, served
from tests.train.made_up_course import silent
from train.out.gguf import Wanted, gguf_of_student
from train.out.gguf_check import check_metadata, read_metadata
from train.out.gguf_writer import why_not, write_gguf
from train.student_json import read_student
from train.students import open_student

pytest.importorskip("trl", reason="the training stage needs coursework[train]")
pytest.importorskip("gguf", reason="the training stage needs coursework[train]")


@pytest.fixture(scope="session")
def written(_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose student was written as GGUF files."""
    workspace = Path(shutil.copytree(_course, tmp_path_factory.mktemp("gguf") / "course"))
    gguf_of_student(workspace / "students" / "tiny", Wanted(), silent)
    return workspace / "students" / "tiny"


@pytest.fixture
def student(written: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed at will."""
    return Path(shutil.copytree(written.parent.parent, tmp_path / "course")) / "students" / "tiny"


def test_the_files_answer_twenty_questions_as_the_model_does(written: Path) -> None:
    lines = [json.loads(line) for line in (written / "gguf" / "answers.jsonl").read_text("utf-8").splitlines()]
    assert len(lines) == 20
    assert all(line["files"]["f16"] == line["model"] != "" for line in lines)
    assert sum(line["files"]["q8_0"] == line["model"] for line in lines) >= 18
    page = (written / "gguf" / "gguf.md").read_text("utf-8")
    assert "f16: 20 of 20" in page
    assert lines[0]["question"] in page


def test_the_weights_of_a_file_are_the_models(written: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = open_student(str(written / "model")).model
    tokens = torch.arange(3, 50).unsqueeze(0)
    for name, nearly in (("tiny-f16.gguf", 0.02), ("tiny-q8_0.gguf", 0.3)):
        read = AutoModelForCausalLM.from_pretrained(written / "gguf", gguf_file=name, dtype=torch.float32)
        with torch.inference_mode():
            assert (read(tokens).logits - model(tokens).logits).abs().max() < nearly
    sizes = [(written / "gguf" / f"tiny-{kind}.gguf").stat().st_size for kind in ("f16", "q8_0")]
    assert sizes[1] < 0.75 * sizes[0]


def test_a_file_says_where_to_stop_and_that_nothing_stands_before_the_prompt(written: Path) -> None:
    found, tokenizer = read_metadata(written / "gguf" / "tiny-f16.gguf"), open_student(str(written / "model")).tokenizer
    assert found.stops_on == {tokenizer.eos_token_id}
    assert found.add_bos is False
    assert (found.architecture, found.tokenizer, found.chat_template) == ("llama", "gpt2", "")


@pytest.mark.parametrize("fault", ["another end", "another template", "another beginning"])
def test_a_file_whose_metadata_differs_is_refused(written: Path, tmp_path: Path, fault: str) -> None:
    end = read_student(written).fit.end_of_text
    changed = open_student(str(written / "model"))
    write_gguf(changed, tmp_path / "same.gguf", "f16", "tiny", "")
    check_metadata(tmp_path / "same.gguf", changed, end)
    if fault == "another end":
        changed.tokenizer.eos_token = "Question"
    elif fault == "another template":
        changed.tokenizer.chat_template = "{{ messages }}"
    else:
        changed.tokenizer.bos_token = changed.tokenizer.pad_token
        begins = changed.tokenizer.backend_tokenizer
        from tokenizers.processors import TemplateProcessing

        begins.post_processor = TemplateProcessing(single="<|pad|> $A", special_tokens=[("<|pad|>", 1)])
    write_gguf(changed, tmp_path / "other.gguf", "f16", "tiny", "")
    with pytest.raises(InputError, match="is not the student it was written from"):
        check_metadata(tmp_path / "other.gguf", open_student(str(written / "model")), end)
    if fault == "another beginning":
        assert read_metadata(tmp_path / "other.gguf").add_bos is True


def test_a_chat_template_and_tied_weights_go_into_the_file(written: Path, tmp_path: Path) -> None:
    tokenizer = open_student(str(written / "model")).tokenizer
    tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    tied = open_student(str(write_base(tmp_path / "tied", "llama", tokenizer, tied=True)))
    write_gguf(tied, tmp_path / "tied.gguf", "q8_0", "tied", "")
    assert check_metadata(tmp_path / "tied.gguf", tied, "<|endoftext|>").chat_template == tokenizer.chat_template
    from gguf import GGUFReader

    names = {tensor.name for tensor in GGUFReader(tmp_path / "tied.gguf").tensors}
    assert "token_embd.weight" in names
    assert "output.weight" not in names


def test_an_adapter_is_merged_and_written(written: Path, tmp_path: Path) -> None:
    """Heads of queries and of keys differ in number, so that each is turned by its own."""
    dataset = written.parent.parent / "dataset"
    base = write_base(tmp_path / "base", "llama", open_student(str(written / "model")).tokenizer)
    home = write_adapted(dataset, base, tmp_path / "adapted")
    page = gguf_of_student(home, Wanted(out=tmp_path / "files"), silent)
    assert page.parent == tmp_path / "files"
    assert "f16: 20 of 20" in page.read_text("utf-8")
    assert (home / "merged" / "merged.json").exists()


@pytest.mark.parametrize(("architecture", "why"), [("opt", "no OPT"), ("neox", "rotary_pct")])
def test_an_architecture_without_a_file_is_refused_with_the_reason(
    written: Path, tmp_path: Path, architecture: str, why: str
) -> None:
    home = foreign(written, tmp_path, write_base(tmp_path / "base", architecture, tokenizer_of(written)))
    with pytest.raises(UsageError, match=why):
        gguf_of_student(home, Wanted(llama_cpp=tmp_path), silent)
    assert not (home / "gguf").exists()


def test_what_only_the_converter_can_write_says_how_to_get_it(written: Path, tmp_path: Path) -> None:
    base = write_base(tmp_path / "base", "llama", tokenizer_of(written))
    config = json.loads((base / "config.json").read_text("utf-8"))
    config["rope_parameters"] = {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}
    (base / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert why_not(open_student(str(base))) == "its positions are scaled"
    home = foreign(written, tmp_path, base)
    with pytest.raises(UsageError, match="converter has to write it") as fault:
        gguf_of_student(home, Wanted(), silent)
    assert "--llama-cpp" in fault.value.remedy
    with pytest.raises(UsageError, match=r"holds no convert_hf_to_gguf\.py"):
        gguf_of_student(home, Wanted(llama_cpp=tmp_path), silent)
    (tmp_path / "convert_hf_to_gguf.py").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="no environment") as fault:
        gguf_of_student(home, Wanted(llama_cpp=tmp_path), silent)
    assert "--set-up" in fault.value.remedy
    assert not (home / "gguf").exists()


def test_a_finer_kind_is_left_to_llama_quantize(student: Path, tmp_path: Path) -> None:
    """The stand-in copies the file; that the real one is called alike was seen once (docs/students.md)."""
    said: list[str] = []
    gguf_of_student(student, Wanted(), said.append)
    assert "already written" in said[-1]
    tool = tmp_path / "build" / "bin" / "llama-quantize"
    tool.parent.mkdir(parents=True)
    tool.write_text('#!/bin/sh\n[ "$3" = Q4_K_M ] && cp "$1" "$2"\n', encoding="utf-8")
    tool.chmod(tool.stat().st_mode | stat.S_IXUSR)
    page = gguf_of_student(student, Wanted(llama_cpp=tmp_path), said.append)
    assert "q4_k_m: 20 of 20" in page.read_text("utf-8")
    files = json.loads((student / "gguf" / "gguf.json").read_text("utf-8"))["files"]
    assert [(file["kind"], file["written_by"].split()[0]) for file in files] == [
        ("f16", "gguf"), ("q8_0", "gguf"), ("q4_k_m", "llama-quantize"),
    ]  # fmt: skip
    tool.write_text("#!/bin/sh\necho unknown model >&2\nexit 1\n", encoding="utf-8")
    (student / "gguf" / "tiny-q4_k_m.gguf").unlink()
    with pytest.raises(InputError, match="unknown model"):
        gguf_of_student(student, Wanted(llama_cpp=tmp_path), silent)


def test_a_server_that_runs_a_file_is_asked_instead(student: Path) -> None:
    lines = [json.loads(line) for line in (student / "gguf" / "answers.jsonl").read_text("utf-8").splitlines()]
    answers = {line["question"]: line["model"] for line in lines}
    answers[lines[3]["question"]] = "Something else."
    with completing(answers) as (url, asked):
        page = gguf_of_student(student, Wanted(server=url), silent).read_text("utf-8")
    assert "server: 19 of 20" in page
    assert "- server: Something else." in page
    assert len(asked) == 20
    assert all(one["temperature"] == 0 and one["prompt"].endswith("\nAnswer:") for one in asked)


def test_a_server_that_is_not_there_is_one_line(student: Path) -> None:
    with pytest.raises(TeacherError, match="does not answer"):
        gguf_of_student(student, Wanted(server="http://127.0.0.1:9/v1"), silent)


def tokenizer_of(student: Path):  # type: ignore[no-untyped-def]
    return open_student(str(student / "model")).tokenizer


def foreign(written: Path, tmp_path: Path, model: Path) -> Path:
    """The student with another model in its folder."""
    home = Path(shutil.copytree(written, tmp_path / "students" / "tiny", ignore=shutil.ignore_patterns("gguf")))
    shutil.rmtree(home / "model")
    shutil.copytree(model, home / "model")
    return home


@contextmanager
def completing(answers: dict[str, str]) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """A server that completes the prompts of the course."""
    asked: list[dict[str, object]] = []

    class Handler(Quiet):
        def do_POST(self) -> None:
            one = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(one)
            question = one["prompt"].removeprefix("Question: ").removesuffix("\nAnswer:")
            choice = {"index": 0, "text": f" {answers[question]}", "finish_reason": "stop", "logprobs": None}
            self.answer({"id": "1", "object": "text_completion", "created": 0, "model": "m", "choices": [choice]})

    with served(Handler) as url:
        yield f"{url}/v1", asked
