"""The banks of questions to be refused are wide, varied and never stray into the topic."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.fuzz import ratio
from rapidfuzz.process import cdist

from pipeline.curate import first_rejection
from pipeline.curate.form import Form, form_findings
from pipeline.records import Draft
from pipeline.teacher.embedded.refusals import (
    NEAR_TOPIC_ASPECTS,
    OFF_TOPIC_FIELDS,
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
    for question in [*ALL, *(question for aspect in NEAR_TOPIC_ASPECTS for question in near(aspect, 40))]:
        draft = Draft(kind="off_topic", question=question, answer="Please let's not.", request="r")
        assert first_rejection(form_findings(draft, Form())) is None, question
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
