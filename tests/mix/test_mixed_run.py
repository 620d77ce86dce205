"""A recipe with a mix, from the outside: what is trained, told, laid before a person, and the same again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from random import Random

import pytest
import yaml

from pipeline.errors import InputError
from pipeline.recipe import load_recipe
from pipeline.run import Options, run
from pipeline.runlog import Log
from pipeline.verify import verify
from pipeline.why import why
from tests.conftest import ROOT

RECIPE = """\
name: own
licence: CC-BY-4.0
meaning: {{enabled: false}}
documents:
  files: [docs]
  wordings: 4
refusals:
  topic: good or bad communication
  sentence: Please let's keep our discussion related to good or bad communication.
  asked_from: 1
  share: 0.2
  off_topic: {{fields: [astronomy, cooking, geography, chemistry, football, history], per_field: 16}}
typos: {{train: 0.05, slices: 0.05}}
split: {{unseen: 0.2, salt: {salt}}}
mix: {mix}
"""
SETS = {
    "sums": {"files": ["../sets/a.jsonl", "../sets/b.csv"], "licence": "cc0", "weight": 3},
    "chats": {"files": "../sets/chats.json", "licence": "CC-BY-4.0", "url": "https://example.org/chats"},
}
WORDS = "kettle ladder violin garden bridge bicycle letter window engine market harbour lantern river ticket".split()


def sums(numbers: range) -> list[tuple[str, str]]:
    return [
        (
            f"{WORDS[n % 14].title()} keeper Nr {n} sells {n + 3} of {n * 2 + 9}, how many are left?",
            f"{n + 6} are left.",
        )
        for n in numbers
    ]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A workspace with a document, two sets, and a finished run without any of them."""
    root = tmp_path_factory.mktemp("mixed")
    (root / "recipes" / "docs").mkdir(parents=True)
    document = (ROOT / "samples" / "good_and_bad_communication.md").read_text(encoding="utf-8")
    (root / "recipes" / "docs" / "a.md").write_text(
        "## " + "\n## ".join(document.split("\n## ")[1:4]), encoding="utf-8"
    )
    mixing(root, None)
    held = [row["question"] for stem in ("unseen", "off_topic") for row in rows(root, stem)]
    (root / "sets").mkdir()
    bad = ["{broken", json.dumps({"question": "Why?"}), json.dumps({"question": held[0], "answer": "It is so, I say."})]
    good = [json.dumps({"question": asked, "answer": told}) for asked, told in sums(range(300))]
    (root / "sets" / "a.jsonl").write_text("\n".join([*good, *bad, good[0]]) + "\n", encoding="utf-8")
    lines = [f"{asked};{told}" for asked, told in sums(range(300, 500))]
    (root / "sets" / "b.csv").write_text("\n".join(["question;answer", *lines]) + "\n", encoding="utf-8")
    chats = [
        {
            "conversations": [
                {"from": "system", "value": "You are a helpful assistant." if n % 2 else "Answer as a sailor would."},
                {"from": "human", "value": f"My {WORDS[n % 14]} number {n} is old, should I mend it or sell it?"},
                {"from": "gpt", "value": f"Mend it, because number {n} has served you well."},
                {"from": "human", "value": "And if that fails?"},
                {"from": "gpt", "value": f"First ask a neighbour, then look for number {n + 1} at the market."},
            ]
        }
        for n in range(200)
    ]
    chats.append(
        {"conversations": [{"from": "human", "value": held[-1]}, {"from": "gpt", "value": "So they say, yes."}]}
    )
    (root / "sets" / "chats.json").write_text(json.dumps(chats), encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def mixed(made, tmp_path_factory) -> tuple[Path, list[str]]:
    """The same after a run with the sets, and what that said. Not to be changed."""
    root = Path(shutil.copytree(made, tmp_path_factory.mktemp("with") / "sets"))
    return root, mixing(root, {"share": 0.4, "sample": 3, "sets": SETS})


@pytest.fixture
def workspace(mixed, tmp_path) -> Path:
    return Path(shutil.copytree(mixed[0], tmp_path / "copy"))


def mixing(root: Path, mix: dict | None, salt: str = "oak", ask: bool = True) -> list[str]:
    """A run; what it said."""
    path = root / "recipes" / "own.yaml"
    path.write_text(RECIPE.format(mix=json.dumps(mix), salt=salt).replace("mix: null\n", ""), encoding="utf-8")
    said: list[str] = []
    run(load_recipe(path), Options(root / "outputs", ask=ask), said.append, Log())
    return said


def rows(root: Path, stem: str = "train") -> list[dict]:
    path = root / "outputs" / "own" / "dataset" / f"{stem}.jsonl"
    return [json.loads(line) for line in path.open(encoding="utf-8")] if path.exists() else []


def imported(root: Path, name: str = "") -> list[dict]:
    return [row for row in rows(root) if row["kind"] == "imported" and name in ("", row["source"])]


def manifest(root: Path) -> dict:
    return json.loads((root / "outputs" / "own" / "dataset" / "manifest.json").read_bytes())


def test_the_shares_hold_and_only_train_jsonl_holds_imported_rows(made, mixed):
    root, said = mixed
    train = rows(root)
    assert len(imported(root)) == pytest.approx(0.4 * len(train), abs=1)
    assert sum(row["refusal"] for row in train) == pytest.approx(0.2 * len(train), abs=1)
    assert len(imported(root, "sums")) == pytest.approx(3 * len(imported(root, "chats")), abs=3)
    for stem in ("rephrased", "unseen", "off_topic"):
        assert rows(root, stem) == rows(made, stem)
    assert any(line.startswith("refusals: ") and line.endswith("(20.0% wanted)") for line in said), said
    assert any(line.startswith(f"imported  {len(imported(root)):>6}   40.0% of train.jsonl") for line in said)
    assert manifest(root)["counts"]["train"] == len(train)
    found: list[str] = []
    assert verify(root / "outputs" / "own", found.append).problems == 0, found


def test_the_same_salt_takes_the_same_rows_in_whatever_order_they_stand(mixed, workspace):
    path = workspace / "outputs" / "own" / "dataset" / "train.jsonl"
    first = path.read_bytes()
    shuffled = {"sums": SETS["sums"] | {"files": SETS["sums"]["files"][::-1]}, "chats": SETS["chats"]}
    mixing(workspace, {"share": 0.4, "sample": 3, "sets": shuffled})
    assert path.read_bytes() == first
    lines = (workspace / "sets" / "a.jsonl").read_text(encoding="utf-8").splitlines()
    Random(1).shuffle(lines)
    (workspace / "sets" / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    mixing(workspace, {"share": 0.4, "sample": 3, "sets": SETS})
    assert [row["id"] for row in rows(workspace)] == [row["id"] for row in rows(mixed[0])]
    assert path.read_bytes() != first  # for they stand in other lines of their file


def test_more_rows_are_the_same_rows_and_others_and_another_salt_takes_others(mixed, workspace):
    many = {row["id"] for row in imported(workspace)}
    mixing(workspace, {"share": 0.1, "sets": SETS})
    few = {row["id"] for row in imported(workspace)}
    assert few < many
    mixing(workspace, {"share": 0.1, "sets": SETS}, salt="ash")
    assert not {row["id"] for row in imported(workspace)} <= many


def test_without_a_share_all_that_pass_are_taken_and_the_rest_is_counted_by_cause(made, workspace):
    sets = {"sums": {name: value for name, value in SETS["sums"].items() if name != "weight"}}
    said = mixing(workspace, {"sets": sets | {"chats": SETS["chats"] | {"cap": 50}}})
    held = {row["question"] for stem in ("unseen", "off_topic", "rephrased") for row in rows(made, stem)}
    assert not held & {row["question"] for row in rows(workspace)}
    of_sums, of_chats = (manifest(workspace)["mix"][name] for name in ("sums", "chats"))
    assert of_sums["rejected"] == {"exact_duplicate": 1, "near_held_out": 1, "no_answer": 1, "unreadable_row": 1}
    assert of_sums["read"] == 504 == of_sums["taken"] + 4
    assert (of_chats["taken"], of_chats["read"]) == (50, 201)
    examples = [json.loads(line) for line in (workspace / "outputs" / "own" / "imported_rejected.jsonl").open()]
    assert {one["place"] for one in examples if one["cause"] == "unreadable_row"} == {"a.jsonl:301"}
    assert all(one["detail"] and one["field"] in SETS for one in examples)
    assert any("mixed        500   sums (CC0-1.0)" in line for line in said)


def test_turns_contexts_and_places_are_kept(mixed):
    root, _ = mixed
    chats = imported(root, "chats")
    one = next(row for row in chats if row["context"])
    assert one["context"] == "Answer as a sailor would."
    assert one["question"] == "And if that fails?"
    assert one["earlier"][1].startswith("Mend it, because number")
    assert one["prompt"].startswith(f"{one['context']}\n\nQuestion: {one['earlier'][0]}")
    assert {row["context"] for row in chats} == {"", "Answer as a sailor would."}
    place, number = one["place"].split(":")
    stands = json.loads((root / "sets" / place).read_bytes())[int(number) - 1]
    assert stands["conversations"][1]["value"] == one["earlier"][0]
    of_csv = next(row for row in imported(root, "sums") if row["place"].startswith("b.csv"))
    line = (root / "sets" / "b.csv").read_text().splitlines()[int(of_csv["place"].split(":")[1]) - 1]
    assert line == f"{of_csv['question']};{of_csv['answer']}"


def test_a_sample_is_laid_and_what_a_person_makes_of_it_counts(workspace):
    sheet = workspace / "outputs" / "own" / "review" / "0002.jsonl"
    lines = [json.loads(line) for line in sheet.open(encoding="utf-8")]
    assert sorted(line["source"] for line in lines) == ["chats"] * 3 + ["sums"] * 3
    assert all(line["flags"] == ["sample_of_imported"] for line in lines)
    mine = [line for line in lines if line["source"] == "sums"]
    mine[0]["review"], mine[1]["answer"] = "drop", "I counted them, and it is so."
    sheet.write_text("".join(json.dumps(line) + "\n" for line in lines if line is not mine[2]), encoding="utf-8")
    before = len(imported(workspace, "sums"))
    mixing(workspace, {"share": 0.4, "sample": 3, "sets": SETS})
    after = {row["id"]: row for row in imported(workspace, "sums")}
    assert len(after) == before  # others took their place
    assert not after.keys() & {mine[0]["id"], mine[2]["id"]}
    assert (after[mine[1]["id"]]["answer"], after[mine[1]["id"]]["edited"]) == (mine[1]["answer"], True)
    assert not (sheet.parent / "0003.jsonl").exists()
    assert manifest(workspace)["mix"]["sums"]["rejected"]["dropped_by_person"] == 2
    mixing(workspace, None)
    assert not imported(workspace)  # what a person edited goes with its set


def card(root: Path) -> str:
    return (root / "outputs" / "own" / "dataset" / "README.md").read_text(encoding="utf-8")


def test_the_card_names_every_set_and_a_licence_only_where_it_follows(mixed, workspace):
    root, _ = mixed
    assert yaml.safe_load(card(root).split("---")[1])["license"] == "cc-by-4.0"
    assert "| `chats` |" in card(root)
    assert "| CC-BY-4.0 | chats.json, https://example.org/chats |" in card(root)
    assert "| without the mix |" in card(root)
    drift = manifest(root)["drift"]
    assert drift["sets"]["chats"]["explain"] == 1
    assert drift["own"]["rows"] + len(imported(root)) == drift["mixed"]["rows"]
    mixing(workspace, {"share": 0.2, "sets": SETS | {"chats": SETS["chats"] | {"licence": "CC-BY-SA-4.0"}}})
    assert "license" not in yaml.safe_load(card(workspace).split("---")[1])
    assert "**not settled**" in card(workspace)


def test_why_tells_a_rows_set_file_and_number(mixed):
    root, _ = mixed
    recipe, out = root / "recipes" / "own.yaml", root / "outputs"
    one = imported(root, "sums")[0]
    place, number = one["place"].split(":")
    story = "\n".join(why(one["id"], [recipe], out, "", print))
    assert f"source     row {number} of {place}, set sums (CC0-1.0)" in story
    assert "check      passed   question_words:" in story
    assert story.endswith("trained on, in train.jsonl")
    told = why(f"{out / 'own' / 'imported_rejected.jsonl'}:1", [recipe], out, "", print)
    assert told[-1].startswith("fate       rejected as ")


def test_verify_knows_what_an_imported_row_must_say(workspace):
    path = workspace / "outputs" / "own" / "dataset" / "train.jsonl"
    text = path.read_text(encoding="utf-8").replace('"source": "chats"', '"source": "others"')
    path.write_text(text.replace("a.jsonl:", "z.jsonl:"), encoding="utf-8")
    found: list[str] = []
    verify(workspace / "outputs" / "own", found.append)
    assert any("its set 'others' is not named by the manifest" in problem for problem in found)
    assert any("which is no part of its set" in problem for problem in found)


def test_the_rows_load_as_one_table(mixed):
    datasets = pytest.importorskip("datasets")
    loaded = datasets.load_dataset(str(mixed[0] / "outputs" / "own" / "dataset"))["train"]
    assert loaded["place"] == [row["place"] for row in rows(mixed[0])]


@pytest.mark.parametrize(
    ("one", "said"),
    [
        ({"files": "../sets/none.jsonl"}, "none.jsonl: no such file"),
        ({"files": "../sets/a.jsonl", "format": "alpaca"}, "mix: sums: a.jsonl: alpaca was looked for"),
        ({"files": "../sets/a.jsonl", "fields": {"messages": "turns"}}, "its columns are question, answer"),
    ],
)
def test_a_set_that_cannot_be_used_ends_the_run_before_anything_is_asked(tmp_path, made, one, said):
    shutil.copytree(made / "recipes", tmp_path / "recipes")
    shutil.copytree(made / "sets", tmp_path / "sets")
    with pytest.raises(InputError, match=said) as fault:
        mixing(tmp_path, {"sets": {"sums": one | {"licence": "MIT"}}})
    assert fault.value.exit_code == 65
    assert not (tmp_path / "outputs" / "own" / "ledger.sqlite").exists()


def test_a_night_without_the_hub_publishes_the_same_bytes_with_a_warning(workspace):
    pytest.importorskip("datasets")
    tome = workspace / "recipes" / "acme" / "tome"
    tome.mkdir(parents=True)
    lines = [json.dumps({"question": asked, "answer": told}) for asked, told in sums(range(600, 700))]
    (tome / "train.jsonl").write_text(
        "\n".join([*lines, '{"question": "Why?", "answer": ""}']) + "\n", encoding="utf-8"
    )
    mix = {"share": 0.1, "sets": {"tome": {"hub": "acme/tome", "licence": "MIT"}}}
    said = mixing(workspace, mix)
    dataset = workspace / "outputs" / "own" / "dataset"
    published = {path.name: path.read_bytes() for path in dataset.iterdir()}
    assert imported(workspace, "tome") and not any(line.startswith("warning: mix:") for line in said)
    shutil.move(tome, workspace / "elsewhere")
    said = mixing(workspace, mix)
    assert {path.name: path.read_bytes() for path in dataset.iterdir()} == published
    assert any("warning: mix: tome: what was drawn of it before is used" in line for line in said), said
    found: list[str] = []
    assert verify(workspace / "outputs" / "own", found.append).problems == 0, found
    next((workspace / "outputs" / "own" / "drawn").glob("*.zst")).write_bytes(b"x")
    assert verify(workspace / "outputs" / "own", found.append).problems == 1
    assert "not what was drawn of the set tome" in found[-2 if found[-1].endswith("problem") else -1]


def test_real_sets_pass_the_checks(shared, workspace):
    sets = {
        "gsm": {"files": str(shared / "data" / "gsm8k_test.jsonl"), "licence": "MIT", "cap": 200},
        "tasks": {
            "files": str(shared / "data" / "self_instruct_seed_tasks.jsonl"), "licence": "Apache-2.0",
            "fields": {"question": "instruction", "answer": "instances.0.output", "context": "instances.0.input"},
        },
    }  # fmt: skip
    mixing(workspace, {"sets": sets})
    account = manifest(workspace)["mix"]
    assert account["gsm"]["checked"] <= 202
    assert account["tasks"]["taken"] >= 140
