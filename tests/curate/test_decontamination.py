"""No record holds what the student will be examined on elsewhere."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.curate import Material, Origin, curate
from pipeline.curate.decontaminate import HeldOut, HeldOutText, held_out_texts
from pipeline.drafted import read_held_out
from pipeline.errors import InputError
from pipeline.recipe import Checks, Decontamination, load_recipe
from pipeline.records import Draft

WANTED = Decontamination(files=("exam.jsonl",))
ASKED = (
    "Weng earns $12 an hour for babysitting. Yesterday, she just did 50 minutes of babysitting. How much did she earn?"
)
EXAM = json.dumps({"question": ASKED, "meta": {"answers": ["Ten dollars in all.", 10]}}) + "\n"
EXAM += (
    "\n"
    + json.dumps({"q": "Who wrote Faust?"})
    + "\n"
    + json.dumps("请问积极倾听的第一步是什么而第二步又是什么呢")
    + "\n"
)


def draft(question: str, answer: str = "It depends on the day.") -> Draft:
    return Draft(kind="off_topic", question=question, answer=answer, fact=question, request="r")


def findings(*drafts: Draft, embedder=None):
    return HeldOut(held_out_texts("exam.jsonl", EXAM.encode()), WANTED, embedder).findings(drafts)


@pytest.mark.parametrize(
    ("question", "answer", "place"),
    [
        ("Tell me: yesterday she just did 50 minutes of babysitting, how much did she earn, roughly?", "So.", ":1"),
        ("How much?", "Weng earns $12 an hour for babysitting. Yesterday, she JUST did 50 minutes!", ":1"),
        ("Who wrote “Faust”?", "Goethe.", ":3"),
        ("积极倾听的第一步是什么而第二步又是什么？", "好。", ":4"),
    ],
)
def test_a_draft_that_holds_a_held_out_text_is_contaminated_and_says_by_which_line(question, answer, place):
    (found,) = findings(draft(question, answer))
    assert (found.verdict, found.cause) == ("rejected", "contaminated")
    assert f"exam.jsonl{place} " in found.detail


@pytest.mark.parametrize(
    "question",
    [
        "Weng earns $12 an hour for babysitting. How much does she earn in a day?",  # 7 words in a row
        "Yesterday, she just did 15 minutes of babysitting. How much did she earn then?",
        "Who wrote Faust and why?",
        "积极倾听的第一步是什么？",
    ],
)
def test_fewer_words_in_common_are_not_held_against_it(question):
    assert findings(draft(question))[0].verdict == "passed"


@given(st.integers(0, 20), st.integers(13, 20))
def test_any_thirteen_words_of_a_held_out_text_are_found(start, count):
    words = ASKED.split()
    piece = words[start : start + count]
    (found,) = findings(draft(" ".join(["so", *piece, "then?"])))
    assert (found.verdict == "rejected") == (len(piece) >= 13)


class Counter:
    """Vectors of letter counts."""

    name, dimensions = "letters", 26

    def encode(self, texts, /):
        rows = np.array([[text.lower().count(chr(97 + at)) for at in range(26)] for text in texts], np.float32)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)


def test_the_same_meaning_is_contaminated_and_a_near_one_flagged():
    same, near, far = findings(
        draft("Faust, who wrote?"), draft("Who wrote Faust, that is?"), draft("Zzz, pppp?"), embedder=Counter()
    )
    assert (same.verdict, same.cause) == ("rejected", "contaminated")
    assert (near.verdict, near.cause, far.verdict) == ("flagged", "near_held_out", "passed")
    assert "exam.jsonl:3" in near.detail


def test_plain_text_counts_by_the_paragraph():
    content = "\ufeffOne line\nand another.\n\n\n  A third.\r\n".encode()
    texts = list(held_out_texts("exam.txt", content))
    assert texts == [HeldOutText("exam.txt", 1, "One line and another."), HeldOutText("exam.txt", 5, "  A third.\r")]


@pytest.mark.parametrize("bad", [b'{"question": ', b"\xff\xfe", b"[" * 100_000])
def test_a_line_that_cannot_be_read_is_named(bad):
    with pytest.raises(InputError, match=r"exam\.jsonl:2: "):
        list(held_out_texts("exam.jsonl", b'{"q": "a"}\n' + bad + b'\n{"q": "b"}\n'))


def test_a_recipe_names_the_files_and_what_they_hold_is_rejected(tmp_path):
    (tmp_path / "exam.jsonl").write_text(EXAM, encoding="utf-8")
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: x\npersona: {file: p.yaml}\ndecontamination:\n  files: [exam.jsonl]\n")
    material = Material({}, lambda key: Origin("m", "p"), held_out=read_held_out(load_recipe(recipe)))
    rejection, record = curate([draft("Who wrote Faust?"), draft("How long do eggs boil?")], material, Checks())
    assert rejection.cause == "contaminated"
    assert record.question == "How long do eggs boil?"


def test_a_file_that_is_not_there_is_named(tmp_path):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: x\npersona: {file: p.yaml}\ndecontamination:\n  files: [none.jsonl]\n")
    with pytest.raises(InputError, match=r"none\.jsonl: No such file"):
        read_held_out(load_recipe(recipe))
