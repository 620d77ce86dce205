"""An export is whole and traceable or is not there, loads as it stands, and says what it leaves out."""

from __future__ import annotations

import fcntl
import json
import signal
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.cli import main
from pipeline.errors import CannotWrite, InputError, TryAgainLater, UsageError
from pipeline.exporting import export
from pipeline.files import sha256
from pipeline.publish.formats import FORMATS
from pipeline.publish.schema import Pair
from tests.commands import coursework as command
from tests.publish.formats.making import DIALOGUE, EVERY_SHAPE, OFF_TOPIC, plain_rows, row, write_dataset

ONE_VALIDATION_FILE = {"litgpt", "openai", "h2o-csv"}
OF_ROWS = [name for name, form in FORMATS.items() if not form.pairs]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory) -> Path:
    """Rows of every shape; nobody changes it."""
    return write_dataset(tmp_path_factory.mktemp("outputs") / "dataset", EVERY_SHAPE)


@pytest.fixture(scope="module")
def exported(dataset):
    """Each format's folder, and what was told."""
    said = {name: [] for name in OF_ROWS}
    return {name: (export(dataset, name, None, said[name].append), said[name]) for name in OF_ROWS}


def coursework(*arguments, **environment):
    return command(Path.cwd(), *arguments, environment=environment)


@pytest.fixture
def verb(monkeypatch, capsys):
    """The command in this process: its exit code, and the lines of both streams."""

    def called(*arguments):
        monkeypatch.setattr(sys, "argv", ["coursework", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        streams = capsys.readouterr()
        return end.value.code or 0, streams.out.splitlines(), streams.err.splitlines()

    return called


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("name", OF_ROWS)
def test_datasets_loads_the_folder_as_it_stands_and_guesses_no_type(name, exported, tmp_path):
    datasets = pytest.importorskip("datasets")
    folder, _ = exported[name]
    loaded = datasets.load_dataset(str(folder), cache_dir=str(tmp_path))
    validation = {"val": 4} if name in ONE_VALIDATION_FILE else {"rephrased": 3, "off_topic": 1}
    rows = {"train": 15, "unseen": 3, **validation}
    if name in ("alpaca", "litgpt"):
        rows["train"] = 14
    if name == "h2o-csv":
        rows["train"] = 16  # a dialogue has a line for each turn
    assert {split: len(of) for split, of in loaded.items()} == rows
    head = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    declared = [column["name"] for column in head["dataset_info"]["features"]]
    assert all(of.column_names == declared for of in loaded.values())


@pytest.mark.parametrize("name", OF_ROWS)
def test_export_json_vouches_for_every_file_and_names_the_manifest_it_came_from(name, exported, dataset):
    folder, said = exported[name]
    about = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert folder == dataset.parent / "exports" / name
    files = content(folder)
    del files["export.json"]
    assert about["files"] == {file: sha256(bytes_) for file, bytes_ in files.items()}
    assert about["manifest_sha256"] == sha256((dataset / "manifest.json").read_bytes())
    assert sum(about["rows"].values()) + sum(about["left_out"].values()) == 22
    assert [line for line in said if "left out" in line] == [
        f"left out: {rows} rows, for {why}" for why, rows in about["left_out"].items()
    ]


@pytest.mark.parametrize("name", ["alpaca", "litgpt"])
def test_what_a_format_has_no_place_for_is_told_once_with_a_count_there_and_in_the_readme(name, exported):
    folder, said = exported[name]
    (line,) = [line for line in said if "left out" in line]
    assert line.startswith("left out: 1 rows, for ")
    assert line.removeprefix("left out: ") in (folder / "README.md").read_text(encoding="utf-8")


def test_side_files_name_files_that_are_there(exported):
    llama = exported["llama-factory"][0]
    info = json.loads((llama / "dataset_info.json").read_text(encoding="ascii"))
    lines = yaml.safe_load((llama / "sft.yaml").read_text(encoding="utf-8"))
    assert all((llama / each["file_name"]).is_file() for each in info.values())
    assert {lines["dataset"], *lines["eval_dataset"].split(",")} == set(info) - {"rivers_unseen"}
    axolotl = exported["axolotl"][0]
    lines = yaml.safe_load((axolotl / "sft.yaml").read_text(encoding="utf-8"))
    assert [each["path"] for each in lines["datasets"]] == ["train.jsonl"]
    assert [each["path"] for each in lines["test_datasets"]] == ["rephrased.jsonl", "off_topic.jsonl"]
    oumi = exported["oumi"][0]
    lines = yaml.safe_load((oumi / "sft.yaml").read_text(encoding="utf-8"))["data"]
    paths = [each["dataset_path"] for part in lines.values() for each in part["datasets"]]
    assert paths == ["train.jsonl", "rephrased.jsonl", "off_topic.jsonl"]


def test_without_anything_held_out_no_side_file_speaks_of_validation(tmp_path):
    dataset = write_dataset(tmp_path / "dataset", {"train": plain_rows()})
    for name in OF_ROWS:
        folder = export(dataset, name, None, lambda _: None)
        for text in (path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")):
            assert not {"eval_dataset", "test_datasets", "validation", "dataset_test_split"} & set(yaml.safe_load(text))
    litgpt = yaml.safe_load((tmp_path / "exports" / "litgpt" / "litgpt.yaml").read_text(encoding="utf-8"))
    assert litgpt["data"]["init_args"]["json_path"] == "train.jsonl"


def test_the_imitation_of_a_living_person_is_named_wherever_its_answers_go(tmp_path):
    dataset = write_dataset(tmp_path / "dataset", {"train": plain_rows()}, living_persons=["Ada Example"])
    for name in OF_ROWS:
        readme = export(dataset, name, None, lambda _: None) / "README.md"
        assert "Ada Example, a living person" in readme.read_text(encoding="utf-8")


COUNTS = {"read": 9, "checked": 9}
MIXED = {
    "chats": COUNTS | {"licence": "CC-BY-SA-4.0", "hub": "acme/chats", "revision": "0123abc", "taken": 2},
    "sums": COUNTS | {"licence": "CC0-1.0", "url": "https://example.org/sums", "files": {"sums.csv": "0"}, "taken": 1},
    "none": COUNTS | {"licence": "MIT", "files": {"none.csv": "0"}, "taken": 0},
}


def with_a_mix(folder, **manifest):
    imported = [
        row("What is a fen?", "Wet ground.", kind="imported", source="chats", earlier=("What is a bog?", "Wet too.")),
        row("What is a rill?", "A small brook.", kind="imported", source="chats"),
        row("What is 3 + 4?", "It is 7.", kind="imported", source="sums"),
    ]
    return write_dataset(folder, {"train": [*plain_rows(), *imported]}, mix=MIXED, **manifest)


@pytest.mark.parametrize("name", OF_ROWS)
def test_the_readme_names_what_is_mixed_in_with_its_share_of_this_export_and_its_licence(name, tmp_path):
    folder = export(with_a_mix(tmp_path / "dataset", own_licence="CC-BY-4.0"), name, None, lambda _: None)
    text = (folder / "README.md").read_text(encoding="utf-8")
    about = json.loads((folder / "export.json").read_bytes())
    chats = 1 if name in ("alpaca", "litgpt") else 2  # they have no place for turns
    assert about["mixed"] == {"chats": chats, "sums": 1}
    trained = about["rows"]["train"]
    assert f"| `chats` | {chats} | {chats / trained:.1%} | CC-BY-SA-4.0 | acme/chats at 0123abc |" in text
    assert f"| `sums` | 1 | {1 / trained:.1%} | CC0-1.0 | sums.csv, https://example.org/sums |" in text
    assert "`none`" not in text
    assert (
        "**not settled**. What was drafted: CC-BY-4.0; what was mixed in: `chats` CC-BY-SA-4.0, `sums` CC0-1.0." in text
    )
    assert "license" not in yaml.safe_load(text.split("---\n")[1])


def test_where_the_licence_of_the_whole_follows_the_readme_states_it(tmp_path):
    mixed = with_a_mix(tmp_path / "mixed", own_licence="CC-BY-SA-4.0", licence="CC-BY-SA-4.0")
    plain = write_dataset(tmp_path / "plain", {"train": plain_rows()}, own_licence="ODC-By-1.0", licence="ODC-By-1.0")
    for dataset, licence in ((mixed, "cc-by-sa-4.0"), (plain, "odc-by")):
        text = (export(dataset, "trl", tmp_path / licence, lambda _: None) / "README.md").read_text(encoding="utf-8")
        assert yaml.safe_load(text.split("---\n")[1])["license"] == licence
        assert ("Mixed in" in text) == (dataset == mixed)


def no_manifest(dataset):
    (dataset / "manifest.json").unlink()


def torn(dataset):
    path = dataset / "train.jsonl"
    path.write_bytes(path.read_bytes()[:-40])


def shorter(dataset):
    path = dataset / "rephrased.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def without_a_slice(dataset):
    (dataset / "unseen.jsonl").unlink()


def with_a_bad_row(dataset):
    rows = [each.model_dump() for each in plain_rows()]
    rows[4]["page"] = "three"
    text = "".join(json.dumps(each) + "\n" for each in rows).encode()
    (dataset / "train.jsonl").write_bytes(text)
    manifest = json.loads((dataset / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"]["train.jsonl"] = sha256(text)
    (dataset / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


DAMAGES = {
    no_manifest: "no manifest.json",
    torn: "train.jsonl is not the file",
    shorter: "rephrased.jsonl is not the file",
    without_a_slice: "unseen.jsonl is missing",
    with_a_bad_row: "train.jsonl:5: page",
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
def test_a_damaged_dataset_is_refused_and_leaves_no_trace(damage, tmp_path):
    dataset = write_dataset(tmp_path / "dataset", EVERY_SHAPE)
    damage(dataset)
    with pytest.raises(InputError, match=DAMAGES[damage]):
        export(dataset, "trl", tmp_path / "out", lambda _: None)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out.aside"))


def test_the_command_says_what_it_wrote_and_ends_with_the_code_of_what_went_wrong(verb, tmp_path):
    dataset = write_dataset(tmp_path / "dataset", EVERY_SHAPE)
    code, said, _ = verb("export", dataset, "--format", "alpaca", "--out", tmp_path / "mine")
    assert code == 0
    assert said[0].split() == ["14", "train.jsonl"]
    assert said[-1] == f"export: {tmp_path / 'mine'}"
    torn(dataset)
    code, said, errors = verb("export", dataset, "--format", "alpaca")
    assert (code, said, len(errors)) == (65, [], 1)
    code, _, (error,) = verb("export", dataset, "--format", "csv")
    assert code == 2
    assert all(name in error for name in FORMATS)


def test_the_help_names_every_format(verb):
    _, said, _ = verb("export", "--help")
    assert all(name in " ".join(said) for name in FORMATS)


def test_a_folder_with_things_of_ones_own_is_left_alone(dataset, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    for out in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(UsageError, match=r"thesis\.txt"):
            export(dataset, "trl", out, lambda _: None)
    with pytest.raises(UsageError, match="which no export put there"):
        export(dataset, "trl", dataset, lambda _: None)
    assert content(tmp_path) == {"thesis.txt": b"years of work"}


def test_an_export_replaces_an_earlier_one_whole_and_the_same_rows_give_the_same_bytes(dataset, tmp_path):
    out = tmp_path / "out"
    first = content(export(dataset, "litgpt", out, lambda _: None))
    export(dataset, "trl", out, lambda _: None)
    assert "litgpt.yaml" not in content(out)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"notes\.txt"):
        export(dataset, "litgpt", out, lambda _: None)
    (out / "notes.txt").unlink()
    assert content(export(dataset, "litgpt", out, lambda _: None)) == first


@pytest.mark.parametrize("point", ["file-half-written", "file-renamed:2", "export-between-two-renames"])
def test_a_killed_export_leaves_the_old_one_or_none_and_the_next_is_whole(point, dataset, tmp_path):
    out = tmp_path / "out"
    whole = content(export(dataset, "oumi", out, lambda _: None))
    killed = coursework("export", dataset, "--format", "axolotl", "--out", out, COURSEWORK_CRASH_AT=point)
    assert killed.returncode == -signal.SIGKILL
    assert (content(out) if out.exists() else whole) == whole
    assert content(export(dataset, "oumi", out, lambda _: None)) == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.lock", "out"]


def test_two_exports_into_one_folder_do_not_meet(dataset, tmp_path):
    with (tmp_path / ".out.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TryAgainLater):
            export(dataset, "trl", tmp_path / "out", lambda _: None)
    export(dataset, "trl", tmp_path / "out", lambda _: None)


def test_where_nothing_can_be_written_the_error_names_the_place(dataset, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="file"):
        export(dataset, "trl", tmp_path / "file" / "out", lambda _: None)


def test_a_dataset_of_which_the_format_can_carry_nothing_is_refused_with_the_reason(tmp_path):
    dataset = write_dataset(tmp_path / "dataset", {"train": [DIALOGUE], "rephrased": [OFF_TOPIC]})
    with pytest.raises(InputError, match=r"nothing of it can be exported as alpaca: 1 rows, for .* turns before"):
        export(dataset, "alpaca", None, lambda _: None)


def test_what_openai_would_not_take_is_named_by_the_line_of_the_dataset(tmp_path):
    dataset = write_dataset(tmp_path / "dataset", {"train": [*plain_rows(count=8), row("Is that all?", "")]})
    with pytest.raises(InputError) as refused:
        export(dataset, "openai", None, lambda _: None)
    assert f"{dataset / 'train.jsonl'}:9: messages.1: expected text" in str(refused.value)
    assert f"{dataset / 'train.jsonl'}: 9 examples" in str(refused.value)
    assert not (tmp_path / "exports" / "openai").exists()


def test_the_check_of_openais_rules_can_be_called_on_any_file(verb, exported, tmp_path):
    good, bad = exported["openai"][0] / "train.jsonl", tmp_path / "bad.jsonl"
    bad.write_text('{"messages": []}\n' * 10)
    code, said, errors = verb("check-openai", good, bad)
    assert code == 65
    assert said[:2] == [f"{good}: keeps the rules", f"{bad}:1: messages: expected 1 at least, found 0"]
    assert "1 of 2 files" in errors[0]
    assert verb("check-openai", good)[0] == 0
    assert verb("check-openai", tmp_path / "none.jsonl")[0] == 65


def pair(number: int, **more) -> Pair:
    values = dict(
        prompt="p", chosen=" It is wide.", rejected=" It is a bird.", question=f"How wide is river {number}?",
        kind="preference", id=f"pair{number}", parent="r1", fault="vague", fact="f", source="rivers.txt", page=1,
        quote="wide", passage="p1", model="m", edited=False,
    )  # fmt: skip
    return Pair(**(values | more))


@pytest.fixture
def paired(tmp_path) -> Path:
    """A dataset with pairs, one of them after an earlier turn and beside a text."""
    pairs = [pair(1), pair(2, earlier=("Is it a river?", "Yes."), context="The river is wide.")]
    return write_dataset(tmp_path / "dataset", {"train": plain_rows(), "preference": pairs})


def test_pairs_go_out_as_conversations_that_dpo_takes(paired, tmp_path):
    datasets = pytest.importorskip("datasets")
    folder = export(paired, "dpo", None, lambda _: None)
    rows = list(datasets.load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"])
    assert [row["id"] for row in rows] == ["pair1", "pair2"]
    assert rows[0]["prompt"] == [{"role": "user", "content": "How wide is river 1?"}]
    assert [turn["role"] for turn in rows[1]["prompt"]] == ["user", "assistant", "user"]
    assert rows[1]["prompt"][0]["content"].startswith("The river is wide.")
    assert rows[0]["chosen"] == [{"role": "assistant", "content": "It is wide."}] != rows[0]["rejected"]


def test_a_format_of_rows_says_that_the_pairs_stay_behind(paired):
    said = []
    folder = export(paired, "trl", None, said.append)
    assert "left out: 2 rows, for pairs of answers go out with --format dpo" in said
    assert "--format dpo" in (folder / "README.md").read_text(encoding="utf-8")


def test_without_pairs_there_is_nothing_for_dpo(dataset):
    with pytest.raises(InputError, match="holds no pairs"):
        export(dataset, "dpo", None, lambda _: None)
