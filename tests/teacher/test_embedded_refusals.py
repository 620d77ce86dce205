"""The banks of questions to be refused are wide, varied and never stray into the topic."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.fuzz import ratio
from rapidfuzz.process import cdist

from pipeline.curate.form import answer_form, question_form, wording
from pipeline.recipe import Checks
from pipeline.records import Draft
from pipeline.teacher.embedded import complete
from pipeline.teacher.embedded.refusals import (
    FALSE_PREMISES,
    NEAR_TOPIC_ASPECTS,
    OFF_TOPIC_FIELDS,
    answered_questions,
    false_premise_questions,
    near_topic_questions,
    off_topic_questions,
)
from pipeline.words import subject_words

TOPIC = "good or bad communication"
TERMS = """\
active listening
email
open questions
message
“I” statements
giving feedback
body language
gossip
how to keep it up
apologies
stonewalling"""
OF_THE_TOPIC = re.compile(
    r"\b(communicat|speak|spoken|speech|listen|hear\b|convers|talk|meeting|e-?mail|feedback|conflict|argu(?:e|ing|ment)"
    r"|messag|criticis|apolog|gossip|interrupt|discuss|dialogue|phone|letter|question|ask\b|answer)",
    re.IGNORECASE,
)


def drawn(field, count=100, topic=TOPIC):
    return off_topic_questions({"topic": topic, "field": field}, _schema(count))["questions"]


def near(aspect, count=8, terms=TERMS, topic=TOPIC):
    return near_topic_questions({"topic": topic, "terms": terms, "aspect": aspect}, _schema(count))["questions"]


def false(premise, count=8, terms=TERMS, topic=TOPIC):
    return false_premise_questions({"topic": topic, "terms": terms, "premise": premise}, _schema(count))["questions"]


def answered(passages, *questions):
    numbered = "\n".join(f"{number}. {question}" for number, question in enumerate(questions, 1))
    return answered_questions({"passages": passages, "questions": numbered}, {})["questions"]


def _schema(count):
    return {"properties": {"questions": {"type": "array", "maxItems": count}}}


def likest(texts):
    table = cdist(texts, texts, scorer=ratio)
    return max((table[i][j], texts[i], texts[j]) for i in range(len(texts)) for j in range(i))


ALL = [question for field in OFF_TOPIC_FIELDS for question in drawn(field)]


def test_the_bank_has_many_fields_and_many_questions_in_each():
    assert len(OFF_TOPIC_FIELDS) >= 24
    assert min(len(drawn(field)) for field in OFF_TOPIC_FIELDS) >= 16


def test_no_two_off_topic_questions_are_nearly_the_same():
    assert likest(ALL)[0] < 85


def test_off_topic_questions_keep_away_from_the_topic():
    assert [question for question in ALL if OF_THE_TOPIC.search(question)] == []


def test_off_topic_questions_begin_and_run_in_many_ways():
    first = Counter(question.split()[0] for question in ALL)
    assert first.most_common(1)[0][1] <= len(ALL) * 0.2
    assert len([word for word, times in first.items() if times >= 5]) >= 14
    lengths = [len(question.split()) for question in ALL]
    assert min(lengths) <= 4
    assert max(lengths) >= 14
    assert max(Counter(" ".join(q.split()[:3]) for q in ALL).values()) <= len(ALL) * 0.05


def test_every_question_passes_the_checks_of_form():
    near_all = [question for aspect in NEAR_TOPIC_ASPECTS for question in near(aspect, 40)]
    false_all = [question for premise in FALSE_PREMISES for question in false(premise, 40)]
    for question in [*ALL, *near_all, *false_all]:
        draft = Draft(kind="off_topic", question=question, answer="Please let's not.", request="r")
        assert not (question_form(draft, Checks()) or answer_form(draft, Checks()) or wording(draft)), question
        assert question[0].isupper(), question


def test_a_field_gives_as_many_as_wanted_and_always_the_same():
    assert drawn("astronomy", 5) == drawn("astronomy", 5)
    assert len(drawn("astronomy", 5)) == 5
    assert drawn("astronomy", 5) == drawn("astronomy")[:5]
    assert drawn(" Astronomy\n", 5) == drawn("astronomy", 5)


def test_an_unknown_field_or_aspect_gives_nothing():
    assert drawn("numismatics of Narnia") == []
    assert near("taste and smell of Narnia") == []


def test_the_field_that_is_the_topic_gives_nothing():
    assert drawn("cooking", topic="cooking at home") == []
    assert drawn("cooking", topic="astronomy") == drawn("cooking")


def test_a_question_that_shares_a_subject_with_the_topic_is_left_out():
    about_roses = drawn("gardening", topic="how to grow roses")
    assert "When should I prune my roses?" in drawn("gardening")
    assert "When should I prune my roses?" not in about_roses
    assert len(about_roses) >= 12


def test_near_topic_has_many_aspects_with_many_templates():
    assert len(NEAR_TOPIC_ASPECTS) >= 12
    assert min(len(near(aspect)) for aspect in NEAR_TOPIC_ASPECTS) == 8


def test_every_near_topic_question_names_a_term_and_asks_for_something_else():
    subjects = [*TERMS.replace("message", "messages").replace("how to keep it up\n", "").split("\n")]
    for aspect in NEAR_TOPIC_ASPECTS:
        for question in near(aspect):
            named = [subject for subject in subjects if subject in question]
            assert named, question
            # A question made of the corpus's own words would be answered by it.
            about = subject_words(question)
            assert len(about - subject_words(named[0])) >= 1, question


def test_near_topic_questions_are_spread_over_the_terms():
    named = Counter(
        term for term in TERMS.split("\n") for aspect in NEAR_TOPIC_ASPECTS for q in near(aspect) if term in q
    )
    assert set(named) == set(TERMS.split("\n")) - {"how to keep it up"}
    assert max(named.values()) <= 3 * min(named.values())


def test_no_two_near_topic_questions_are_nearly_the_same():
    assert likest([question for aspect in NEAR_TOPIC_ASPECTS for question in near(aspect, 16)])[0] < 90


def test_few_terms_still_fill_a_longer_list():
    for aspect in NEAR_TOPIC_ASPECTS:
        questions = near(aspect, 16, terms="active listening\nstonewalling\nopen questions")
        assert len(questions) == 16
        assert len(set(questions)) == 16


@pytest.mark.parametrize(
    ("term", "named"),
    [
        ("message", "messages"),
        ("The sender", "senders"),
        ("an open question", "open questions"),
        ("reply", "replies"),
        ("speech", "speech"),
        ("Active listening", "active listening"),
        ("empathy", "empathy"),
        ("eye contact", "eye contact"),
        ("feedback", "feedback"),
        ("meeting", "meetings"),
        ("giving feedback", "giving feedback"),
        ("2. sarcasm and contempt", "sarcasm and contempt"),
        ("Carl Rogers", "Carl Rogers"),
        ("apologies", "apologies"),
    ],
)
def test_a_term_is_named_as_one_names_a_subject(term, named):
    questions = near("prices", 9, terms=term)
    assert len(questions) == 9
    assert all(re.search(rf"(?<!\w){re.escape(named)}(?!\w)", question) for question in questions)


@pytest.mark.parametrize("term", ["how to listen", "keeping it up", "when you are angry", "a, b and c", "12", "—"])
def test_a_heading_that_is_no_noun_phrase_is_not_used_as_a_term(term):
    assert near("prices", 4, terms=f"{term}\nsilence") == near("prices", 4, terms="silence")


def test_without_terms_the_topic_serves():
    assert all(TOPIC in question for question in near("prices", 3, terms=""))


@given(st.text(max_size=80), st.sampled_from(NEAR_TOPIC_ASPECTS), st.integers(1, 20))
def test_any_terms_give_whole_questions(terms, aspect, count):
    questions = near(aspect, count, terms=terms)
    assert len(questions) <= count
    assert all(question.endswith("?") and "{term}" not in question for question in questions)


def test_false_premises_are_many_and_each_question_names_a_term():
    assert len(FALSE_PREMISES) >= 10
    for premise in FALSE_PREMISES:
        questions = false(premise)
        assert len(set(questions)) == 8
        assert all(question.endswith("?") and "{term}" not in question for question in questions)
        about = [subject_words(question) for question in questions]
        assert all(any(words & subject_words(term) for term in TERMS.split("\n")) for words in about)
    assert false("a premise that nobody knows") == []


def test_no_verb_of_a_false_premise_agrees_with_the_term():
    """A term may stand in the singular or the plural, so nothing may be conjugated after it."""
    for premise in FALSE_PREMISES:
        for question in false(premise, 40, terms="gossip"):
            assert not re.search(r"\b(?:does|do|has|have|is|are|was|were) gossip\b", question), question
            assert not re.search(r"\bgossip (?:does|has|is|are|was|were)\b", question), question


def test_whether_a_question_is_answered_is_said_with_the_sentence_that_does():
    passages = "Gossip damages trust. It spreads.\n\nActive listening asks for patience."
    questions = ("What does gossip damage?", "Who invented gossip?", "Does active listening ask for patience?")
    assert [(item["number"], item["answered"], item["words"]) for item in answered(passages, *questions)] == [
        (1, True, "Gossip damages trust."),
        (2, False, ""),
        (3, True, "Active listening asks for patience."),
    ]


def test_an_endpoint_without_a_reply_schema_is_told_apart_by_the_slots():
    def kind(*slots):
        user = "\n".join(f"<{slot}>\n{text}\n</{slot}>" for slot, text in slots)
        content = complete({"messages": [{"role": "user", "content": user}]})["choices"][0]["message"]["content"]
        return json.loads(content)["questions"]

    asked = kind(("topic", TOPIC), ("terms", TERMS), ("excerpt", "Gossip."), ("premise", FALSE_PREMISES[0]))
    assert asked == false(FALSE_PREMISES[0], 10_000)
    assert kind(("passages", "Gossip damages trust."), ("questions", "1. What does gossip damage?"))[0]["answered"]
