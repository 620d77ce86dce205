"""The embedded teacher's persona questions and answers would pass for written ones, and keep every constraint."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.fuzz import ratio
from rapidfuzz.process import cdist

from pipeline.constraints import Bounds, Constraints, broken_constraints, emoji, hashtags
from pipeline.curate.form import answer_form, question_form, wording
from pipeline.errors import TeacherError
from pipeline.recipe import Checks
from pipeline.records import Draft
from pipeline.sources.personas import read_persona
from pipeline.teacher.embedded import complete
from pipeline.teacher.embedded.asking import choices, topic_of, type_of
from pipeline.teacher.embedded.bank import read_bank
from pipeline.teacher.embedded.personas import persona_answers, persona_questions
from pipeline.teacher.embedded.voice import shortened
from pipeline.words import content_words, subject_words
from tests.conftest import ROOT

MUSK = read_persona(ROOT / "personas" / "elon_musk.yaml")
COOK = {
    "name": "Ada Tull",
    "voice": "A polite ship's cook.",
    "do": ["Answer first."],
    "dont": ["Never shout."],
    "phrases": [
        "If I may say so:",
        "Speaking from the galley:",
        "By your leave.",
        "There is tea in the pot.",
        "The sea salts everything.",
        "Mind the step, dear.",
        "Supper is at six.",
        "A dry biscuit cures pride.",
    ],
    "topics": ["fish soup", "sea biscuits", "storms", "harbour markets", "copper pots"],
    "examples": [{"question": "Is it raining?", "answer": "It is, my dear, and salt water too. ⚓"}],
    "constraints": {
        "words": {"min": 8, "max": 40},
        "hashtags": {"min": 0, "max": 0},
        "emoji": {"min": 0, "max": 1},
    },
}
UNSEEN = """\
Why does bread go stale so quickly at sea?
What is the secret of a good broth?
Do you prefer tea or coffee in a gale?
How often should one sharpen a kitchen knife?
Is a sailor's appetite really as big as people say?
Which spice could you never sail without?
Where do you store the butter in the tropics?
When is a fish too old for the pot?
Would you rather lose your whisk or your best copper pot?
How would you feed a hundred guests?
If the captain wanted a cake in a hurricane, what would you do?
Are copper pots worth the polishing?
Should passengers be allowed into the galley?
Who washes the dishes after a storm?""".split("\n")


def card_of(**changes):
    return yaml.safe_dump({**COOK, **changes}, allow_unicode=True)


def questions_for(card, instruction, count):
    schema = {"properties": {"questions": {"type": "array", "maxItems": count}}}
    return persona_questions({"persona": card, "instruction": instruction}, schema)["questions"]


def answers_to(card, questions):
    lines = "\n".join(f"{number}. {question}" for number, question in enumerate(questions, 1))
    schema = {"properties": {"answers": {"type": "array", "maxItems": len(questions)}}}
    answers = persona_answers({"persona": card, "questions": lines}, schema)["answers"]
    assert [item["number"] for item in answers] == list(range(1, len(questions) + 1))
    return [item["answer"] for item in answers]


@pytest.fixture(scope="module")
def lists():
    return {prompt.id: questions_for(MUSK.card(), prompt.prompt, prompt.count) for prompt in MUSK.questions}


@pytest.fixture(scope="module")
def pairs(lists):
    """As a run asks: each list in groups of ten."""
    found = []
    for questions in lists.values():
        for start in range(0, len(questions), 10):
            group = questions[start : start + 10]
            found += zip(group, answers_to(MUSK.card(), group), strict=True)
    return found


def likest(texts):
    table = cdist(texts, texts, scorer=ratio)
    return max((table[i][j], texts[i], texts[j]) for i in range(len(texts)) for j in range(i))


def test_four_prompts_bring_two_hundred_questions_no_two_alike(lists):
    questions = [question for listed in lists.values() for question in listed]
    assert {name: len(listed) for name, listed in lists.items()} == dict.fromkeys(lists, 50)
    assert likest(questions)[0] < 90
    # The same content words in another frame would be the same question to a reader.
    assert len({frozenset(content_words(question)) for question in questions}) == 200


def test_questions_and_answers_pass_the_checks_of_form(pairs):
    for question, answer in pairs:
        draft = Draft(kind="persona", question=question, answer=answer, persona="x", request="r")
        assert not (question_form(draft, Checks()) or answer_form(draft, Checks()) or wording(draft)), (
            question,
            answer,
        )
        assert "{" not in question + answer
        assert re.match(r"[A-Z'0-9]", question)
        assert re.match(r"[A-Z'0-9]", answer)


def test_each_prompt_gets_its_own_kind_of_question(lists):
    assert "Is nepotism really so bad if the child is talented?" in lists["controversial"]
    assert "Why do most start-ups fail?" in lists["tech_entrepreneur"]
    assert "Do you talk to your plants?" in lists["funny"]
    assert "How would you hide an elephant in a small flat?" in lists["hilarious"]


def test_some_questions_are_about_the_topics_of_the_card(lists):
    for listed in lists.values():
        named = {topic for topic in MUSK.topics for question in listed if topic in question}
        assert len(named) >= 6


def test_any_other_instruction_gets_questions_on_the_cards_topics():
    questions = questions_for(card_of(), "Ask her about her life at sea.", 20)
    assert len(questions) == 20
    assert all(any(topic in question for topic in COOK["topics"]) for question in questions)
    assert set(COOK["topics"]) == {topic for topic in COOK["topics"] if any(topic in q for q in questions)}


@pytest.mark.parametrize("count", [1, 7, 60, 500])
def test_no_more_questions_than_wanted_and_none_twice(count):
    questions = questions_for(card_of(), "List funny questions.", count)
    assert len(questions) == count or count == 500
    assert len(set(questions)) == len(questions)
    assert likest(["?", *questions])[0] < 90


def test_a_card_without_topics_or_phrases_still_gets_questions_and_answers():
    card = yaml.safe_dump({"name": "Nobody"})
    questions = questions_for(card, "Ask something.", 10)
    assert len(questions) == 10
    assert all(answers_to(card, questions))


def test_answers_keep_the_constraints_of_the_card(pairs):
    broken = [(answer, broken_constraints(answer, MUSK.constraints)) for _, answer in pairs]
    assert [found for found in broken if found[1]] == []


def test_answers_are_varied(pairs):
    answers = [answer for _, answer in pairs]
    assert likest(answers)[0] < 85
    for length in (2, 3):
        opening, times = Counter(" ".join(answer.split()[:length]) for answer in answers).most_common(1)[0]
        assert times <= 16, f"{opening!r} opens {times} of 200 answers"
    turns = Counter(turn for turn in MUSK.phrases for answer in answers if turn in answer)
    assert max(turns.values()) <= 16


def test_answers_in_the_voice_of_the_card_carry_its_turns(pairs):
    assert sum(any(turn in answer for turn in MUSK.phrases) for _, answer in pairs) >= 80
    questions = [question for question, _ in pairs]
    cook = [answer for start in range(0, 200, 10) for answer in answers_to(card_of(), questions[start : start + 10])]
    assert sum(any(turn in answer for turn in COOK["phrases"]) for answer in cook) >= 80
    assert [answer for answer in cook if any(turn in answer for turn in MUSK.phrases)] == []
    assert {sign for answer in cook for sign in emoji(answer)} == {"⚓"}


def test_every_situation_of_the_bank_has_two_answers_that_fit_it():
    """Each situation has two answers, and at least one shares a word with the question."""
    moods = read_bank("persona_questions.yaml", list[dict])
    for situation in (s for mood in moods for s in mood["situations"]):
        about = subject_words(situation["ask"])
        assert len(set(situation["say"])) >= 2, situation["ask"]
        assert "{topic}" not in situation["ask"] or all("opic}" in text for text in situation["say"])
        assert any(about & subject_words(text) for text in situation["say"]), situation["ask"]


def sentences_of(bank):
    if isinstance(bank, str):
        return [bank]
    inside = bank.values() if isinstance(bank, dict) else bank
    return [text for part in inside for text in sentences_of(part)]


def test_the_bank_never_makes_a_verb_agree_with_a_topic_of_unknown_number():
    agreeing = re.compile(
        r"(?:^|[.:;,!?'] '?|\b(?:that|if|when|where|what|how|as) )\{[Tt]opic\} (?:\w+s|are|have|do)\b"
    )
    for name in ("persona_questions.yaml", "persona_answers.yaml"):
        assert [text for text in sentences_of(read_bank(name, object)) if agreeing.search(text)] == []


def test_an_unseen_question_is_answered_about_what_it_asks():
    for question, answer in zip(UNSEEN, answers_to(card_of(), UNSEEN), strict=True):
        assert subject_words(question) & subject_words(answer), (question, answer)
        assert broken_constraints(answer, Constraints.model_validate(COOK["constraints"])) == []


def test_a_yes_or_no_question_gets_a_stance():
    stance = re.compile(r"\b(yes|no|never|not|certainly|sometimes)\b", re.IGNORECASE)
    asked = [question for question in UNSEEN if type_of(question) == "yes_no"]
    assert len(asked) == 3
    for answer in answers_to(card_of(), asked):
        assert stance.search(answer), answer


def test_a_choice_is_made_between_the_things_on_offer():
    answer = answers_to(card_of(phrases=[]), ["Do you prefer black tea or white coffee?"])[0].casefold()
    assert ("black tea" in answer) != ("white coffee" in answer)


def test_a_question_in_other_words_meets_the_same_situation():
    known = answers_to(card_of(phrases=[], examples=[]), ["Why do most start-ups fail?"])[0]
    reworded = answers_to(card_of(phrases=[], examples=[]), ["So why do most start-ups really fail?"])[0]
    opposite = answers_to(card_of(phrases=[], examples=[]), ["Why do most start-ups thrive?"])[0]
    bank = {s["ask"]: s["say"] for mood in read_bank("persona_questions.yaml", list[dict]) for s in mood["situations"]}
    assert known in bank["Why do most start-ups fail?"]
    assert reworded in bank["Why do most start-ups fail?"]
    assert opposite not in bank["Why do most start-ups fail?"]


@st.composite
def bounds(draw, low, high, least_room=0):
    smallest = draw(st.integers(low, high))
    return Bounds(min=smallest, max=smallest + least_room + draw(st.integers(0, 30)))


@settings(max_examples=60, deadline=None)
@given(bounds(5, 70), bounds(0, 2), bounds(0, 3), st.sampled_from([*UNSEEN, "Is a hot dog a sandwich?", "Why?"]))
def test_any_sane_constraints_are_kept(length, tags, signs, question):
    wanted = Constraints(words=length, hashtags=tags, emoji=signs)
    answer = answers_to(card_of(constraints=wanted.model_dump()), [question])[0]
    assert broken_constraints(answer, wanted) == [], answer


def test_hashtags_name_the_subject():
    card = card_of(constraints={"hashtags": {"min": 1, "max": 1}})
    assert hashtags(answers_to(card, ["Would a cat be any good with fish soup?"])[0]) == ["FishSoup"]


@pytest.mark.parametrize("most", range(1, 20))
def test_a_shortened_text_fits_and_does_not_dangle(most):
    text = (
        "'Well executed, and with a plan of its own.' A pigeon values praise; the sandwich is gone, and that is that."
    )
    short = shortened(text, most)
    assert 1 <= len(short.split()) <= most
    assert not re.search(r"\b(?:and|with|a|of|its)\.$", short) or most == 1
    assert short.count("'") % 2 == 0


@pytest.mark.parametrize(
    ("question", "kind", "topic"),
    [
        ("Why does bread go stale so quickly?", "why", "bread"),
        ("What is the secret of a good broth?", "what", "a good broth"),
        ("How often should one sharpen a knife?", "how_much", "a knife"),
        ("How would you feed your guests?", "how", "my guests"),
        ("If I gave you a ship, what would you cook?", "if", "a ship"),
        ("In a storm, who steers?", "who", "a storm"),
        ("Is rocket science hard?", "yes_no", "rockets"),
        ("Tea or coffee?", "choice", "tea"),
        ("Tell me.", "other", "that"),
    ],
)
def test_the_type_and_the_subject_of_a_question_are_read(question, kind, topic):
    assert type_of(question) == kind
    assert topic_of(question, ["rockets"]) == topic


def test_a_choice_is_read_with_its_alternatives():
    assert choices("Would you rather lose your whisk or your pot?") == ["lose my whisk", "my pot"]
    assert choices("Which is better, tea or coffee?") == ["tea", "coffee"]
    assert choices("Is it true or not?") == []
    assert choices("Is it late?") == []


def test_same_request_same_reply_through_the_door():
    said = f"<persona>\n{MUSK.card()}\n</persona>\n<questions>\n1. Is a hot dog a sandwich?\n7) Why?\n</questions>"
    body = {
        "messages": [{"role": "user", "content": said}],
        "response_format": {"json_schema": {"name": "persona_answers", "schema": {"properties": {"answers": {}}}}},
    }
    first, second = (complete(body)["choices"][0]["message"]["content"] for _ in range(2))
    assert first == second
    assert [item["number"] for item in json.loads(first)["answers"]] == [1, 7]


def test_a_card_that_cannot_be_read_is_a_letter_not_an_empty_list():
    with pytest.raises(TeacherError, match="cannot read the persona's card"):
        questions_for("name: [", "funny", 5)
    with pytest.raises(TeacherError, match="cannot read the persona's card"):
        questions_for("just prose", "funny", 5)
