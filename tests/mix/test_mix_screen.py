"""What an imported row is held against, and how the manner of a set is measured."""

from __future__ import annotations

import pytest

from pipeline.curate import rejecting
from pipeline.curate.decontaminate import HeldOut, HeldOutText
from pipeline.mix.rows import Ticket
from pipeline.mix.screen import Against, Screen, draft_of, meet
from pipeline.mix.seen import Seen
from pipeline.mix.settings import ImportedSet
from pipeline.mix.similar import Meant, Own, Similar
from pipeline.mix.style import Drift, Measure, Tally
from pipeline.recipe import Checks, Decontamination

TERMS = Decontamination(files=("held.jsonl",))
HELD = "How many of the 24 lanterns in the old harbour does the keeper light every evening before seven?"
OWN = [
    Own("1", "What is active listening?", False),
    Own("2", "What does the keeper of the tower do at night?", True),
    Own("3", "Ada has 3 apples and buys 4 more at the market, how many apples has she now?", False),
]
ANSWER = "It is what the keeper does, because nobody else would do it."


def screen(language: str = "en", meant: Meant | None = None, **wanted) -> Screen:
    held_out = HeldOut([HeldOutText("held.jsonl", 7, HELD)], TERMS)
    against = Against(Checks(), language, held_out, meant, Similar(OWN, Checks()))
    return Screen(ImportedSet(files=("a.jsonl",), licence="MIT", **wanted), against, Seen())


def verdict(question: str, answer: str = ANSWER, context: str = "", earlier: tuple[str, ...] = (), **wanted) -> str:
    draft = draft_of(Ticket(0.5, "a.jsonl:1", question, answer, context, earlier), "a")
    found = rejecting(screen(**wanted).findings([draft])[0])
    if found is not None:
        assert found.detail
    return found.cause if found else ""


@pytest.mark.parametrize(
    ("cause", "question", "more"),
    [
        ("", "Write a short poem about the sea at dawn.", {}),
        ("", "Name three rivers that flow to the north.", {"answer": "1. The Nile.\n2. The Ob.\n3. The Lena."}),
        ("answer_length", "Why does ice float on water?", {"answer": "word " * 700}),
        ("question_length", "Why does ice float on water?", {"context": "word " * 400}),
        ("question_length", "Why does ice float on water?", {"question_words": (1, 5)}),
        ("wrong_language", "Warum schwimmt das Eis denn eigentlich auf dem Wasser und sinkt nicht?", {}),
        ("", "Warum schwimmt das Eis denn eigentlich auf dem Wasser und sinkt nicht?", {"language": "any"}),
        ("teacher_speak", "Why does ice float?", {"answer": "As an AI language model, I do not float."}),
        ("teacher_speak", "And why is that?", {"earlier": ("Why?", "As an AI, I cannot know.")}),
        ("speaks_of_source", "According to the passage, why does ice float?", {}),
        ("", "According to the passage, why does ice float?", {"context": "Ice is lighter than water."}),
        ("special_token", "Why does ice float?", {"answer": "It is light.<|im_end|> Is it?"}),
        ("special_token", "Why does ice float?", {"earlier": ("[INST] Why?", "So.")}),
        ("placeholder", "Write a letter to a friend.", {"answer": "Dear [Name], come soon."}),
        ("unclear_question", "What is it?", {}),
        ("", "What is it?", {"earlier": ("I saw a heron.", "A grey one?")}),
        ("contaminated", HELD, {}),
        ("contaminated", "Read on.", {"context": f"It says: {HELD} And then it ends."}),
        ("contaminated", "And then?", {"earlier": (HELD, "All of them.")}),
        ("near_held_out", "What does the keeper of the old tower do at night?", {}),
        ("exact_duplicate", "what is Active Listening", {}),
        ("similar_question", "Ada has 3 apples and buys 4 more at a market, how many apples has she got now?", {}),
        ("", "Ada has 5 apples and buys 9 more at the market, how many apples has she now?", {}),
        ("", "What is passive smoking?", {}),
    ],
)
def test_a_row_passes_or_its_cause_is_named(cause, question, more):
    assert verdict(question, **more) == cause


def test_a_question_met_before_is_rejected_also_but_for_trifles_and_beside_other_text_it_is_another():
    at, of = screen(), [
        ("Why does ice float?", "", ()),
        ("why does ice float", "", ()),
        ("Please, why does the ice float?", "", ()),
        ("Why does ice float?", "In salt water.", ()),
        ("Why does ice float?", "In salt  water.", ()),
        ("Why does ice float?", "", ("Hello.", "Good day.")),
    ]  # fmt: skip
    drafts = [draft_of(Ticket(0.5, "a.jsonl:1", *one[:1], ANSWER, *one[1:]), "a") for one in of]
    found = [finding.cause for finding in at.repeats(drafts)]
    assert found == ["", "exact_duplicate", "near_duplicate", "", "exact_duplicate", ""]
    assert [finding.cause for finding in at.repeats(drafts[:1])] == ["exact_duplicate"]


def test_only_rows_that_were_looked_at_are_remembered():
    at = screen()
    drafts = [draft_of(Ticket(0.5, "a.jsonl:1", f"Why does ice number {n} float?", ANSWER), "a") for n in range(3)]
    next(at.repeats(drafts))
    assert [finding.cause for finding in at.repeats(drafts)] == ["exact_duplicate", "", ""]


def test_what_the_dataset_has_itself_is_met_before_all_rows():
    at = screen()
    meet(at.seen, "Why does ice float?", "", (), "en")
    draft = draft_of(Ticket(0.5, "a.jsonl:1", "Why does the ice float?", ANSWER), "a")
    assert [finding.cause for finding in at.repeats([draft])] == ["near_duplicate"]


class Flat:
    """An embedder for which texts with the same first word mean the same."""

    name, dimensions = "flat", 26

    def encode(self, texts):
        import numpy as np

        self.encoded = getattr(self, "encoded", 0) + len(texts)
        return np.array([np.eye(26, dtype=np.float32)[ord(text.lower()[0]) - 97] for text in texts])


def test_what_means_the_same_as_a_held_out_question_is_rejected_and_few_are_put_to_the_model():
    flat = Flat()
    meant = Meant([HeldOutText("unseen.jsonl", 3, "Why do keepers light lanterns?")], TERMS, flat)
    assert verdict("Why are the lanterns lit by keepers?", meant=meant) == "near_held_out"
    assert verdict("How do keepers light the lanterns?", meant=meant) == ""
    assert flat.encoded == 4
    assert verdict("Why does ice float on water?", meant=meant) == ""
    assert flat.encoded == 4


CURT = [("What is 2 + 3?", "5"), ("What is 2 + 4?", "6"), ("What is 9 - 1?", "8")]
LONG = [
    ("Why does ice float on a lake in winter?", "Because it is lighter than water, so it stays on top of the lake.")
]


def style(rows, language="en"):
    tally, measure = Tally(), Measure(language)
    for row in rows:
        tally.add(measure.of(*row))
    return tally.style()


def test_a_mix_of_bare_results_is_said_to_make_answers_curt():
    own, mixed = style(LONG * 10), style(LONG * 10 + CURT * 20)
    warned = list(Drift(own=own, mixed=mixed, sets={"sums": style(CURT)}).warnings())
    assert "the mix makes answers shorter: a median of 14 words without it, 1 with" in warned
    assert "the mix changes the share of answers that explain: 100% without it, 14% with it" in warned
    assert "the mix changes the share of answers of three words or fewer: 0% without it, 86% with it" in warned
    assert list(Drift(own=own, mixed=style(LONG * 12), sets={}).warnings()) == []


def test_lists_code_and_openings_are_measured_and_what_a_language_hides_is_not_told():
    found = style(
        [("How?", "First:\n1. Cut it.\n2. Sew it.\n```\ncode\n```"), ("How?", "First you cut it, then you sew.")]
    )
    assert (found.lists, found.code, found.explain) == (0.5, 0.5, 0.5)
    assert found.openings[0].words == "first 1 cut"
    assert style([("为什么？", "因为它很轻。")], "zh").explain == 1
    assert style([("Miksi?", "Koska se on kevyt.")], "fi").explain is None


def test_the_table_has_a_row_for_each_that_is_compared():
    table = Drift(own=style(LONG), mixed=style(LONG + CURT), sets={"sums": style(CURT)}).table()
    assert [row[0] for row in table] == ["", "without the mix", "with it", "sums"]
    assert {len(row) for row in table} == {9}
