"""The rules that stand in for a teacher read facts off plain English and leave the rest alone."""

from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz.fuzz import ratio

from pipeline.sources import ReadLimits, cut_passages, read_document
from pipeline.teacher.embedded.documents import document_questions
from pipeline.words import Questions
from tests.conftest import ROOT

SAMPLE = ROOT / "samples" / "good_and_bad_communication.pdf"


def schema(facts=20, wordings=8):
    questions = {"type": "array", "minItems": wordings, "maxItems": wordings, "items": {"type": "string"}}
    fact = {"type": "object", "properties": {"quote": {}, "answer": {}, "questions": questions}}
    return {"type": "object", "properties": {"facts": {"type": "array", "maxItems": facts, "items": fact}}}


def drafted(passage, heading="", **wanted):
    return document_questions({"heading": heading, "passage": passage}, schema(**wanted))["facts"]


def questions(passage, heading="", **wanted):
    return [question for fact in drafted(passage, heading, **wanted) for question in fact["questions"]]


@pytest.fixture(scope="module")
def passages():
    return cut_passages(read_document(SAMPLE, SAMPLE.name, ReadLimits()), 300)


@pytest.fixture(scope="module")
def sample(passages):
    return [(passage, drafted(passage.text, " > ".join(passage.heading))) for passage in passages]


@pytest.fixture(scope="module")
def facts(sample):
    return [fact for _, found in sample for fact in found]


def test_the_sample_gives_more_than_a_hundred_and_fifty_facts_in_nearly_eight_wordings_each(facts):
    assert len({fact["quote"] for fact in facts}) >= 150
    assert sum(len(fact["questions"]) for fact in facts) / len(facts) >= 7.5


def test_every_quote_of_the_sample_is_a_slice_of_its_passage(sample):
    assert all(fact["quote"] in passage.text for passage, found in sample for fact in found)


def test_every_question_of_the_sample_is_one_clean_line(facts):
    for question in (question for fact in facts for question in fact["questions"]):
        assert re.fullmatch(r"[A-Z“].*[\w”]\?", question), question
        assert "  " not in question
        assert " ," not in question
        assert len(question.split()) <= 34


def test_wordings_of_one_fact_are_different_formulations(facts):
    for fact in facts:
        for one, other in combinations(fact["questions"], 2):
            assert ratio(one.casefold(), other.casefold()) < 90, (one, other)


def test_no_two_facts_of_the_sample_share_a_question(facts):
    known = Questions()
    for fact in facts:
        assert [found for question in fact["questions"] if (found := known.like(question))] == []
        for question in fact["questions"]:
            known.add(fact["answer"], question)


def test_no_question_of_the_sample_speaks_of_the_document_or_points_outside_itself(facts):
    pointing = re.compile(
        r"\b(this|these|those|the (text|passage|document|handout|author|following|above)|he|she|we|our|ones)\b", re.I
    )
    opening = re.compile(r"^(Why|How|When|What|Where) (do|does|is|are|can|should) (it|they)\b(?! that)")
    for question in (question for fact in facts for question in fact["questions"]):
        asked = re.sub("“[^”]*”", "", question)
        assert not pointing.search(asked), question
        assert not opening.search(asked), question


def test_answers_of_the_sample_are_whole_sentences(facts):
    assert all(re.match(r"[A-Z“]", fact["answer"]) and fact["answer"].endswith((".", ".”")) for fact in facts)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Paraphrasing means repeating a message in other words.", "What is meant by paraphrasing?"),
        ("An open question is a question that cannot be answered with yes.", "How would you define an open question?"),
        ("Photosynthesis is the process by which plants turn light into energy.", "What is photosynthesis?"),
        ("People often interrupt because they are afraid of forgetting their point.", "Why do people often interrupt?"),
        ("A rumour grows with every telling because each teller fills a gap.",
         "Why does a rumour grow with every telling?"),
        ("Memory is short, so a careful speaker writes the main points down.",
         "Why does a careful speaker write the main points down?"),
        ("Ask one question at a time so that nobody is lost.", "What is the point of asking one question at a time?"),
        ("Criticism should be given in private to spare the person an audience.",
         "For what purpose should criticism be given in private?"),
        ("A witness can end gossip by asking for a source.", "How can a witness end gossip?"),
        ("If a custom puzzles you, ask about it with curiosity.", "What should you do if a custom puzzles you?"),
        ("Silence turns into a weapon when it punishes someone.", "When does silence turn into a weapon?"),
        ("Good opponents state the other view before they criticise it.",
         "What do good opponents state before they criticise it?"),
        ("A clear refusal is kinder than a vague promise.", "Which is kinder, a clear refusal or a vague promise?"),
        ("Managers should praise people by name rather than thank the department.",
         "What should managers do rather than thank the department?"),
        ("Rolling your eyes is the most common sign of contempt.", "What is the most common sign of contempt?"),
        ("Asking for an example turns a vague complaint into something useful.",
         "What does asking for an example turn a vague complaint into?"),
        ("Praise for effort encourages people to try hard tasks.",
         "What does praise for effort encourage people to do?"),
        ("A good refusal thanks the person and gives one honest reason.", "What does a good refusal do?"),
        ("A meeting that only informs can be replaced by an email.",
         "What can a meeting that only informs be replaced by?"),
        ("Direct cultures value a plain no, while indirect cultures protect dignity.",
         "How do direct cultures differ from indirect cultures?"),
        ("Plain words reach more people than clever ones.",
         "Which reaches more people, plain words or clever words?"),
        ("The support desk of Harbour opens at nine on Mondays.", "When does the support desk of Harbour open?"),
        (
            "A kettle that was used cannot be returned, but it can be repaired.",
            "What cannot be returned, but can be repaired?",
        ),
    ],
)  # fmt: skip
def test_a_rule_asks_what_the_sentence_says(sentence, expected):
    (fact,) = drafted(sentence, wordings=10)
    assert fact["quote"] == fact["answer"] == sentence
    assert expected in fact["questions"]


@pytest.mark.parametrize(
    "sentence",
    [
        "It shows the speaker that the message has arrived.",
        "This habit protects a person's time.",
        "Such questions invite a fuller account of the day.",
        "They interrupt because the pause feels long.",
        "The following steps turn a complaint into feedback.",
        "The report describes a behaviour that can be changed.",
        "We recommend a short break after every quarrel.",
        "He closed the door because the room was cold.",
        "Why do people interrupt each other in meetings?",
        "The reward is large: fewer quarrels and shorter meetings.",
        "A message sent at midnight woke a man in the next house.",
        "“Stay here,” said the oldest of the sisters.",
        "Restoration of Copyright Both treaties require parties to protect works.",
        "Thi s conduct prohibition takes effect after two years.",
        "Situation | Poor habit | Better habit",
        "See www.example.org/guide for the newest version of the guide.",
    ],
)
def test_a_sentence_that_needs_its_neighbours_or_is_no_plain_statement_is_left_alone(sentence):
    assert drafted(sentence) == []


@pytest.mark.parametrize(
    "passage",
    [
        "La communication est le travail qui rend le sens d'une personne clair pour une autre.",
        "Eine offene Frage ist eine Frage, die man nicht mit Ja oder Nein beantworten kann.",
        "La escucha activa es el hábito de dar a quien habla toda la atención.",
        "Een open vraag is een vraag die niet met ja of nee beantwoord kan worden.",
        "Общение - это работа, которая делает мысль одного человека ясной другому.",
        "الاستماع الجيد يهدئ الغاضب في معظم الأحيان.",
        "",
    ],
)
def test_text_in_another_language_gives_no_facts(passage):
    assert drafted(passage, wordings=1) == []


def test_what_opens_at_an_hour_is_not_asked_what_it_does():
    asked = questions("The support desk of Harbour opens at nine on Mondays.")
    assert asked and not any(re.search(r"\bdo\?|\bdoes\b(?! the)", one) for one in asked), asked


def test_a_heading_that_is_half_a_sentence_is_no_subject():
    asked = questions("Water under the base usually comes from a worn seal.", "When the kettle leaks")
    assert asked and not any("subject of" in one for one in asked)


def test_a_connective_is_dropped_from_the_answer_but_not_from_the_quote():
    (fact,) = drafted("However, sarcastic remarks confuse readers because an email carries no tone of voice.")
    assert fact["quote"].startswith("However, ")
    assert fact["answer"] == "Sarcastic remarks confuse readers because an email carries no tone of voice."


def test_a_name_keeps_its_capital_inside_a_question():
    asked = questions("The treaty with Denmark was old. Denmark needs more sailors than soldiers at the moment.")
    assert asked
    assert not [question for question in asked if "denmark" in question]


def test_a_quotation_inside_a_sentence_is_no_part_of_its_grammar():
    asked = questions("The sentence “You never think of anyone else” starts a quarrel.")
    assert "What does the sentence “You never think of anyone else” start?" in asked


def test_a_step_of_a_list_is_told_as_a_step_of_its_heading():
    passage = "The following steps help.\n1. Pause: Let the other person speak before you go on."
    (fact,) = drafted(passage, "Feedback > Giving feedback")
    assert fact["quote"] == "Pause: Let the other person speak before you go on."
    assert (
        fact["answer"]
        == "In giving feedback, the step called “Pause” is to let the other person speak before you go on."
    )
    assert "Which step in giving feedback asks you to let the other person speak before you go on?" in fact["questions"]


def test_a_row_of_a_table_of_situations_is_told_as_a_sentence():
    row = "A meeting drifts off course | Looking at the clock | Asking which decision is needed"
    (fact,) = drafted(f"The table helps you and the others.\nSituation | Poor habit | Better habit\n{row}")
    assert fact["quote"] == row
    assert fact["answer"] == (
        "When a meeting drifts off course, a poor habit is looking at the clock, "
        "and a better habit is asking which decision is needed."
    )
    assert "How does a better habit differ from a poor habit when a meeting drifts off course?" in fact["questions"]


def test_never_more_facts_or_wordings_than_the_schema_allows(passages):
    text = max((passage.text for passage in passages), key=len)
    for facts, wordings in ((1, 8), (3, 1), (20, 10)):
        found = drafted(text, facts=facts, wordings=wordings)
        assert 0 < len(found) <= facts
        assert all(0 < len(fact["questions"]) <= wordings for fact in found)


def test_ten_wordings_come_out_where_ten_are_wanted(passages):
    counts = [len(fact["questions"]) for passage in passages for fact in drafted(passage.text, wordings=10)]
    assert sum(counts) / len(counts) >= 9


def test_the_facts_that_can_be_asked_in_most_ways_are_chosen_and_stay_in_order(passages):
    for passage in passages:
        every = drafted(passage.text)
        few = drafted(passage.text, facts=2)
        assert [fact for fact in every if fact in few] == few
        left = [len(fact["questions"]) for fact in every if fact not in few]
        assert min(len(fact["questions"]) for fact in few) >= max(left, default=0)


def test_a_definition_in_the_schema_is_followed():
    fact = {"properties": {"questions": {"maxItems": 3}}}
    wanted = {"properties": {"facts": {"maxItems": 1, "items": {"$ref": "#/$defs/Fact"}}}, "$defs": {"Fact": fact}}
    text = "People often interrupt because they are afraid of forgetting their point."
    (found,) = document_questions({"heading": "", "passage": text}, wanted)["facts"]
    assert len(found["questions"]) == 3


WORDS = st.sampled_from(
    "the a of to and that who when if because so should is are does not people speaker Silence questions answer gives "
    "makes asks means than more better by asking “I” “go on” , . ; : ? ! | 1. • it they This ’s — ( ) é ... \n".split(
        " "
    )
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=40).map(" ".join)), st.text(max_size=30))
@example("A", '"')
def test_whatever_the_text_the_reply_is_well_formed_and_the_same_each_time(passage, heading):
    found = drafted(passage, heading)
    assert found == drafted(passage, heading)
    for fact in found:
        assert fact["quote"] in passage
        assert fact["quote"].strip()
        assert fact["answer"].strip()
        assert fact["questions"]
        assert all(question.endswith("?") and question[0] != "?" for question in fact["questions"])


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_sentence_torn_or_shuffled_never_breaks_the_rules(passages, data):
    words = data.draw(st.sampled_from(passages)).text.split(" ")
    start = data.draw(st.integers(0, len(words)))
    size = data.draw(st.integers(0, 25))
    torn = " ".join(data.draw(st.permutations(words[start : start + size]))) + "."
    for fact in drafted(torn[:1].upper() + torn[1:]):
        assert fact["quote"] in torn[:1].upper() + torn[1:]


def test_a_long_run_of_dots_takes_no_time():
    assert drafted("The list of the habits is here " + "." * 20000 + " 17") == []
