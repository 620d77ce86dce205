"""A near-topic refusal is laid beside the trained question with an answer that it sounds like."""

from __future__ import annotations

from pipeline.publish.twins import find_twins
from pipeline.records import Record


def question(name: str, text: str, term: str = "") -> Record:
    kind = "near_topic" if term else "persona"
    return Record(
        id=name, kind=kind, question=text, answer="A.", source="s", term=term, fact=name,
        model="m", prompt="p", request="r",
    )  # fmt: skip


ANSWERED = [
    question("listen", "What does active listening ask of people?"),
    question("gossip", "Why does gossip damage trust?"),
    question("spread", "What spreads faster than gossip in an office?"),
    question("open", "Which questions open a talk?"),
    question("body", "What does body language include?"),
    question("words", "Which language is plain?"),
]


def twins(text: str, term: str, least: float = 0.5) -> str:
    return find_twins([question("q", text, term)], ANSWERED, least).get("q", "")


def test_the_twin_names_the_term_and_opens_alike_where_it_can():
    assert twins("Which law regulates gossip in France?", "gossip") in {"gossip", "spread"}
    assert twins("Why do Danish bakers close their shops for gossip?", "gossip") == "gossip"
    assert twins("What percentage of adults had heard of gossip?", "gossip") == "spread"
    assert twins("Who invented active listening?", "Active listening") == "listen"


def test_of_a_term_of_several_words_the_twin_holds_most():
    assert twins("Who coined the word body language?", "body language") == "body"
    assert twins("Who coined the word sign language?", "sign language", least=0.6) == ""


def test_what_shares_only_other_words_is_no_twin():
    assert twins("What damage does denial do to trust?", "denial") == ""
    assert twins("Which law regulates that in France?", "") == ""
