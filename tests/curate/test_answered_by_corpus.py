"""A question to be refused is held against the whole corpus, by its words and by its meaning."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.corpus import Corpus
from pipeline.curate.refusals import CorpusMeaning, answered_by_words
from pipeline.recipe import Checks
from pipeline.records import Draft, Passage

TEXTS = [
    "Active listening asks for patience. It was first described by Carl Rogers.",
    "Gossip damages trust, and most of all the trust of those who hear it.",
    "Body language includes posture, gesture and distance. It has no dictionary.",
    *(f"People talk, and chapter {number} says how people should talk to people." for number in range(30)),
]


def passage(number: int, text: str, heading: tuple[str, ...] = ()) -> Passage:
    return Passage(
        id=f"p{number}", document="a.md", document_sha256="0", heading=heading, start=0, end=len(text),
        pages=((0, number + 1),), text=text,
    )  # fmt: skip


CORPUS = Corpus(passage(number, text) for number, text in enumerate(TEXTS))


def verdict(question: str, kind: str = "near_topic") -> str:
    draft = Draft(kind=kind, question=question, answer="No.", field="f", request="r")
    return answered_by_words(draft, CORPUS, Checks()).verdict


@pytest.mark.parametrize(
    "question",
    [
        "Why does active listening ask for patience?",
        "What does gossip damage?",
        "Who first described active listening?",
        "What is body language?",
        "Gossip?",
    ],
)
def test_what_one_passage_answers_is_rejected(question):
    assert verdict(question) == "rejected"


@pytest.mark.parametrize(
    "question",
    [
        "What is the Japanese expression for body language?",
        "What do sailors mean by body language?",
        "Which law regulates gossip in France?",
        "How long do eggs boil?",
        "Does gossip ask for a dictionary of patience?",  # its words stand in passages, in no single one
        "主动倾听是什么意思？",
    ],
)
def test_what_no_passage_answers_passes(question):
    assert verdict(question) == "passed"


def test_a_false_premise_may_use_the_passages_words_but_not_only_those():
    assert verdict("Why does active listening first ask for impatience?", "false_premise") == "flagged"
    assert verdict("Why does gossip damage trust most of all, hear hear?", "false_premise") == "rejected"
    rogers = "Why was Carl Rogers patient when active listening was first described in Rome?"
    assert verdict(rogers, "false_premise") == "flagged"
    assert verdict(rogers, "near_topic") == "rejected"


def test_the_finding_names_the_place_and_the_figure():
    draft = Draft(kind="off_topic", question="What does gossip damage?", answer="No.", field="f", request="r")
    found = answered_by_words(draft, CORPUS, Checks())
    assert (found.check, found.cause) == ("corpus_overlap", "answered_by_corpus")
    assert "100%" in found.measured
    assert "70%" in found.measured
    assert "p1, page 2" in found.detail


def test_the_threshold_is_the_recipes():
    draft = Draft(kind="off_topic", question="Which law regulates gossip?", answer="No.", field="f", request="r")
    share = CORPUS.nearest(draft.question)[0].share
    assert answered_by_words(draft, CORPUS, Checks(corpus_overlap=share - 0.01)).verdict == "rejected"
    assert answered_by_words(draft, CORPUS, Checks(corpus_overlap=share + 0.01)).verdict == "passed"


def test_words_of_the_headings_count():
    corpus = Corpus([passage(0, "It asks for patience.", ("Active listening",))])
    draft = Draft(kind="near_topic", question="Does active listening ask for patience?", answer="No.", request="r")
    assert answered_by_words(draft, corpus, Checks()).verdict == "rejected"


def test_the_nearest_passages_come_best_first_and_those_that_share_nothing_do_not():
    near = CORPUS.nearest("What does body language include besides patience?", 5)
    assert [one.passage.id for one in near] == ["p2", "p0"]
    assert near[0].share > near[1].share
    assert CORPUS.nearest("Quo vadis?") == []


class Letters:
    """Meaning as a small honest fake has it: which words a text holds, as vectors of length 1."""

    WORDS = ("gossip", "trust", "listening", "patience", "eggs")

    def encode(self, texts):
        counts = np.array([[word in text.lower() for word in self.WORDS] for text in texts], dtype=np.float32)
        return counts / np.maximum(np.linalg.norm(counts, axis=1, keepdims=True), 1e-9)


def test_a_question_that_means_what_a_sentence_says_is_doubtful_and_names_it():
    meaning = CorpusMeaning(TEXTS[:2], Letters())
    drafts = [
        Draft(kind="near_topic", question=question, answer="No.", request="r")
        for question in ("Does gossip cost trust?", "Do eggs need patience?", "Do eggs boil?")
    ]
    found = meaning.findings(drafts, Checks())
    assert [one.verdict for one in found] == ["doubtful", "passed", "passed"]
    assert TEXTS[1] in found[0].detail
    assert meaning.findings([], Checks()) == []


def test_without_sentences_nothing_is_close():
    draft = Draft(kind="near_topic", question="Does gossip cost trust?", answer="No.", request="r")
    assert CorpusMeaning([], Letters()).findings([draft], Checks())[0].verdict == "passed"
