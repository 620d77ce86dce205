"""Training: what comes out, what is skipped, what an interruption leaves, and the trainer's silent traps."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import CourseworkError, InputError, RecipeError, TryAgainLater, UsageError
from tests.train.made_up_course import BRIEF, course_rows, rewrite, silent, write_course
from tests.train.measuring import mean_loss
from train.arguments import training_arguments
from train.dataset import read_dataset
from train.fit import check_fit, lessons_of
from train.settings import settings_of
from train.sft import hold_every_lesson, sft_trainer, train_student
from train.student_json import StudentFile, open_trained, read_student
from train.students import make_student, open_student, save_student, taught_as

pytest.importorskip("trl", reason="the training stage needs coursework[train]")


def test_a_student_learns_its_rows_and_ends_on_end_of_text(trained: Path) -> None:
    described = read_student(trained)
    assert described.loss[0].loss > 2 > 0.5 > described.loss[-1].loss
    data = read_dataset(trained.parent.parent / "dataset")
    student = open_trained(trained)
    ends = [_rank_of_end(student, lesson.tokens) for lesson in lessons_of(data.train[::7], student)]
    assert ends == [0] * len(ends)


def test_student_json_says_what_the_student_is_made_of(trained: Path) -> None:
    described = read_student(trained)
    data = read_dataset((trained / described.dataset).resolve())
    assert described.dataset_sha256 == data.sha256
    assert described.steps == described.settings["steps"]
    assert described.fit.rows == len(data.train)
    assert described.parameters.trainable == described.parameters.total > 100_000
    assert described.precision == "float32"
    assert described.versions["trl"]
    assert described.hardware["threads"] >= 1
    assert described.recipe_sha256 == data.manifest.recipe_sha256 != ""
    assert 0 < described.padding < 0.1
    assert (described.processes, described.resumed_at) == (1, [])


def test_the_course_of_the_loss_stands_beside_the_student(trained: Path) -> None:
    from PIL import Image

    described = read_student(trained)
    told = json.loads((trained / "loss.json").read_text(encoding="utf-8"))
    assert told["dataset_sha256"] == described.dataset_sha256
    assert [point["loss"] for point in told["points"]] == [point.loss for point in described.loss]
    with Image.open(trained / "loss.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 600
        assert len(picture.convert("RGB").getcolors(10_000_000)) > 20


def test_the_folder_names_no_path_of_this_machine(trained: Path) -> None:
    assert str(trained.parent.parent) not in (trained / "student.json").read_text(encoding="utf-8")


def test_a_base_and_its_student_are_both_kept(trained: Path) -> None:
    assert {path.name for path in trained.iterdir()} >= {"base", "model", "student.json"}
    assert not list(trained.rglob("*.bin"))


def test_the_same_seed_gives_the_same_weights(dataset: Path, tmp_path: Path) -> None:
    one, other = (brief(dataset, tmp_path / place) for place in ("one", "other"))
    assert one.weights_sha256 == other.weights_sha256
    assert [point.loss for point in one.loss] == [point.loss for point in other.loss]
    another = brief(dataset, tmp_path / "another", seed=1)
    assert another.weights_sha256 != one.weights_sha256


def test_what_was_trained_is_not_trained_again(dataset: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    home = train_student(dataset, BRIEF, tmp_path, False, silent)
    before = (home / "student.json").stat().st_mtime_ns
    assert train_student(dataset, BRIEF, tmp_path, False, lines.append) == home
    assert (home / "student.json").stat().st_mtime_ns == before
    assert "already trained" in lines[0]
    train_student(dataset, BRIEF, tmp_path, True, silent)
    assert (home / "student.json").stat().st_mtime_ns != before


def test_other_rows_or_settings_are_trained_anew(dataset: Path, tmp_path: Path) -> None:
    first = brief(dataset, tmp_path)
    second = brief(dataset, tmp_path, batch=8)
    rewrite(dataset, "unseen", [])
    third = brief(dataset, tmp_path, batch=8)
    assert first.settings != second.settings
    assert (second.settings, second.dataset_sha256) != (third.settings, third.dataset_sha256)


def test_an_interrupted_training_leaves_nothing(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train_student(dataset, BRIEF, tmp_path / "students", False, silent, _interrupt_at(2))
    assert [path.name for path in (tmp_path / "students").iterdir() if not path.name.endswith(".lock")] == []


def test_an_interrupted_retraining_leaves_the_student_that_was_there(dataset: Path, tmp_path: Path) -> None:
    before = brief(dataset, tmp_path)
    with pytest.raises(KeyboardInterrupt):
        train_student(dataset, BRIEF, tmp_path, True, silent, _interrupt_at(2))
    assert read_student(tmp_path / "brief") == before
    open_trained(tmp_path / "brief")


def test_what_a_killed_training_left_is_no_student_and_in_nobodys_way(dataset: Path, tmp_path: Path) -> None:
    left = tmp_path / ".brief.unfinished"
    (left / "model").mkdir(parents=True)
    with pytest.raises(InputError, match="not a trained student"):
        read_student(left)
    brief(dataset, tmp_path)
    assert not left.exists()


def test_a_folder_that_is_no_student_is_never_replaced(dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "brief").mkdir()
    (tmp_path / "brief" / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(UsageError, match="is not a student"):
        train_student(dataset, BRIEF, tmp_path, True, silent)
    assert (tmp_path / "brief" / "thesis.txt").exists()


def test_a_student_is_not_replaced_by_one_that_needs_it_as_base(dataset: Path, tmp_path: Path) -> None:
    brief(dataset, tmp_path)
    section = {"name": "brief", "base": str(tmp_path / "brief" / "model"), "method": "lora"}
    with pytest.raises(UsageError, match="which this training would replace"):
        train_student(dataset, section, tmp_path, False, silent)


def test_weights_that_are_no_numbers_are_never_saved(dataset: Path, base: Path, tmp_path: Path) -> None:
    broken = open_student(str(base))
    broken.model.lm_head.weight.data[5] = float("nan")
    save_student(broken, tmp_path / "broken")
    with pytest.raises(RecipeError, match=r"loss of nan"):
        train_student(dataset, {"base": str(tmp_path / "broken"), "steps": 2}, tmp_path / "out", False, silent)
    assert not (tmp_path / "out" / "broken-full").exists()


def test_two_processes_do_not_train_one_student(dataset: Path, tmp_path: Path) -> None:
    with (tmp_path / ".brief.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(TryAgainLater, match="another process"):
            brief(dataset, tmp_path)
    brief(dataset, tmp_path)


def test_training_prints_nothing_and_tells_its_progress(
    dataset: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps: list[tuple[str, int, int]] = []
    train_student(dataset, BRIEF, tmp_path, False, silent, lambda *step: steps.append(step))
    assert capfd.readouterr() == ("", "")
    assert steps == [("training", step, 4) for step in (1, 2, 3, 4)]


def test_training_an_adapter_prints_nothing_either(
    dataset: Path, base: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    train_student(dataset, {"base": str(base), "method": "lora", "steps": 2}, tmp_path, False, silent)
    assert capfd.readouterr() == ("", "")


def test_nobody_is_told_that_a_training_took_place(trained: Path) -> None:
    import huggingface_hub

    assert huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY is True


def test_a_dataset_that_does_not_fit_is_never_trained(dataset: Path, tmp_path: Path) -> None:
    rows = course_rows(concepts=3)["train"]
    rewrite(dataset, "train", [rows[0].model_copy(update={"completion": ""}), *rows[1:]])
    with pytest.raises(InputError, match="nothing follows"):
        brief(dataset, tmp_path)
    assert not (tmp_path / "brief").exists()


def test_a_trainer_that_drops_or_cuts_rows_is_caught(dataset: Path, tmp_path: Path) -> None:
    """TRL drops a row whose prompt fills max_length, and cuts the end off one that is a little longer."""
    data = read_dataset(dataset)
    wanted = settings_of(BRIEF, dataset)
    made = make_student(wanted, [row.prompt + row.completion for row in data.train], tmp_path / "base")
    student = taught_as(made, wanted, data.manifest.format_of_prompts)
    lessons = lessons_of(data.train, student)
    fit = check_fit(lessons, student, wanted)
    for max_length, complaint in ((10, "dropped the rest"), (fit.longest - 1, "in another way")):
        shorter = fit.model_copy(update={"longest": max_length})
        arguments = training_arguments(shorter, wanted, tmp_path, student.model)
        with pytest.raises(CourseworkError, match=complaint):
            hold_every_lesson(sft_trainer(student, lessons, arguments, wanted, lambda *_: None), lessons)


def test_end_of_text_stays_in_the_loss_when_it_is_also_the_padding(dataset: Path, tmp_path: Path) -> None:
    data = read_dataset(dataset)
    wanted = settings_of(BRIEF, dataset)
    made = make_student(wanted, [row.prompt + row.completion for row in data.train], tmp_path / "base")
    student = taught_as(made, wanted, data.manifest.format_of_prompts)
    student.tokenizer.pad_token = student.tokenizer.eos_token
    lessons = lessons_of(data.train[:6], student)
    fit = check_fit(lessons, student, wanted)
    trainer = sft_trainer(
        student, lessons, training_arguments(fit, wanted, tmp_path, student.model), wanted, lambda *_: None
    )
    batch = trainer.data_collator([trainer.train_dataset[number] for number in range(6)])
    end = student.tokenizer.eos_token_id
    assert [(row == end).sum().item() for row in batch["labels"]] == [1] * 6


def test_bfloat16_is_used_when_it_is_asked_for(dataset: Path, tmp_path: Path) -> None:
    assert brief(dataset, tmp_path, precision="bfloat16", steps=2).precision == "bfloat16"


def test_a_base_that_cannot_be_opened_is_named(dataset: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        train_student(dataset, {"base": "./nowhere"}, tmp_path, False, silent)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="cannot be opened"):
        train_student(dataset, {"base": str(tmp_path / "empty")}, tmp_path, False, silent)


def test_a_pretrained_base_is_trained_whole_from_where_it_stands(base: Path, tmp_path: Path) -> None:
    dataset = write_course(tmp_path / "dataset", concepts=3)
    section = {"base": str(base), "name": "further", "steps": 3}
    home = train_student(dataset, section, None, False, silent)
    described = read_student(home)
    assert described.loss[-1].loss < 1
    assert not (home / "base").exists()
    assert described.base_sha256


def test_a_neox_student_keeps_its_head_when_it_is_saved(dataset: Path, tmp_path: Path) -> None:
    """Its head is lm_head in memory and embed_out on disk; a loader that mixes them up starts from noise."""
    import torch

    student = neox(dataset, tmp_path / "neox")
    again = open_student(str(tmp_path / "neox"))
    tokens = torch.tensor([[5, 6, 7, 8]])
    with torch.inference_mode():
        assert torch.equal(student.model(tokens).logits, again.model(tokens).logits)
    section = {"base": str(tmp_path / "neox"), "name": "trained", "steps": 30, "learning_rate": 5e-3, "batch": 8}
    home = train_student(dataset, section, tmp_path, False, silent)
    described = read_student(home)
    lessons = lessons_of(read_dataset(dataset).train[:12], open_trained(home))
    assert mean_loss(open_trained(home), lessons) < described.loss[0].loss - 1
    assert mean_loss(open_trained(home, base=True), lessons) > described.loss[-1].loss + 1


def test_the_manifest_says_which_student_if_nobody_else_does(tmp_path: Path) -> None:
    dataset = write_course(tmp_path / "dataset", concepts=2, student={**BRIEF, "name": "from-manifest"})
    home = train_student(dataset, None, None, False, silent)
    assert home == tmp_path / "students" / "from-manifest"
    assert json.loads((home / "student.json").read_text())["settings"]["hidden"] == 32


def brief(dataset: Path, out: Path, **settings: Any) -> StudentFile:
    return read_student(train_student(dataset, {**BRIEF, **settings}, out, False, silent))


def neox(dataset: Path, folder: Path):  # type: ignore[no-untyped-def]
    """A small GPT-NeoX, the architecture of Pythia, with random weights and a tokenizer for the dataset."""
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, set_seed

    from train.students import Student

    rows = read_dataset(dataset).train
    made = make_student(settings_of(BRIEF, dataset), [row.prompt + row.completion for row in rows], folder / "made")
    set_seed(3)
    config = GPTNeoXConfig(
        vocab_size=len(made.tokenizer), hidden_size=48, intermediate_size=96, num_hidden_layers=2,
        num_attention_heads=2, eos_token_id=made.tokenizer.eos_token_id, bos_token_id=made.tokenizer.eos_token_id,
    )  # fmt: skip
    student = Student(GPTNeoXForCausalLM(config).eval(), made.tokenizer)
    save_student(student, folder)
    return student


def _interrupt_at(step: int):  # type: ignore[no-untyped-def]
    def progress(what: str, done: int, total: int) -> None:
        if done == step:
            raise KeyboardInterrupt

    return progress


def _rank_of_end(student, tokens: tuple[int, ...]) -> int:  # type: ignore[no-untyped-def]
    """How many tokens the student holds likelier than end-of-text where it belongs."""
    import torch

    with torch.inference_mode():
        scores = student.model(torch.tensor([tokens[:-1]])).logits[0, -1]
    return int((scores > scores[tokens[-1]]).sum())
