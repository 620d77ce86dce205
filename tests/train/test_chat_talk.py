"""What is typed on the page is answered by one side or both, with what was said before and what the documents say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from pydantic import ValidationError

from pipeline.errors import InputError
from tests.train.talking import Scripted, chat_of
from train.chat.conversation import LONGEST_QUESTION, Session, Talk, Wish
from train.chat.retrieval import Document
from train.chat.turns import Turn
from train.generation import Generation
from train.taught import Taught

WISH = Wish(
    decoding="greedy", temperature=0, top_p=1, tokens=30, seed=0, system="", lookup=False, documents=1, beside=False
)
KETTLE = Document(text="The kettle holds a litre.", source="manual.pdf", page=3)
LID = Document(text="The lid has a button.", source="manual.pdf", page=5)


def echo(turn: Turn, rules: Generation) -> Sequence[str]:
    return ["You said ", turn.question]


def told(session: Session, side: str = "student") -> list[tuple[str, str]]:
    return [(one["role"], one["content"]) for one in session.logs[side].messages]  # type: ignore[index]


def ask(talk: Talk, *questions: str, wish: Wish = WISH) -> Session:
    session = Session()
    for question in questions:
        list(talk.answer(question, session, wish))
    return session


def test_an_answer_grows_on_the_page_piece_by_piece() -> None:
    session = Session()
    talk = Talk(chat_of(Scripted(echo)))
    seen = [told(session)[-1] for _ in talk.answer(" Hi ", session, WISH)]
    assert seen == [("user", "Hi"), ("assistant", "You said "), *[("assistant", "You said Hi")] * 2]


def test_the_base_answers_beside_the_student_only_where_it_is_wished() -> None:
    base = Scripted(lambda turn, rules: ["Blah"])
    talk = Talk(chat_of(Scripted(echo), base))
    assert told(ask(talk, "Hi"), "base") == []
    session = ask(talk, "Hi", wish=replace(WISH, beside=True))
    assert told(session) == [("user", "Hi"), ("assistant", "You said Hi")]
    assert told(session, "base") == [("user", "Hi"), ("assistant", "Blah")]
    assert len(base.turns) == 1


def test_a_question_stands_alone_unless_the_dataset_holds_conversations() -> None:
    alone, building_on = Scripted(echo), Scripted(echo)
    ask(Talk(chat_of(alone)), "One", "Two")
    assert alone.turns[1].earlier == ()
    ask(Talk(chat_of(building_on, taught=Taught(dialogues=True))), "One", "Two", "Three")
    assert building_on.turns[2].earlier == ("One", "You said One", "Two", "You said Two")


def test_documents_stand_beside_the_question_and_are_named_under_the_answer() -> None:
    pytest.importorskip("bm25s", reason="retrieval needs coursework[chat]")
    voice = Scripted(echo)
    talk = Talk(chat_of(voice, taught=Taught(documents=(LID, KETTLE))))
    session = ask(talk, "How much does the kettle hold?", wish=replace(WISH, lookup=True))
    assert voice.turns[0].documents == (KETTLE,)
    source = session.logs["student"].messages[-1]
    assert (source["metadata"]["title"], source["content"]) == ("manual.pdf, page 3", KETTLE.text)
    ask(talk, "How much does the kettle hold?")
    assert voice.turns[1].documents == ()
    ask(talk, "the kettle", wish=replace(WISH, lookup=True, documents=99))
    assert voice.turns[2].documents == (KETTLE, LID)


def test_only_the_documents_that_found_room_are_named() -> None:
    pytest.importorskip("bm25s", reason="retrieval needs coursework[chat]")

    class Narrow(Scripted):
        def fitting(self, turn: Turn, rules: Generation) -> Turn:
            return replace(turn, documents=())

    session = ask(
        Talk(chat_of(Narrow(echo), taught=Taught(documents=(KETTLE,)))), "kettle", wish=replace(WISH, lookup=True)
    )
    assert len(session.logs["student"].messages) == 2


@pytest.mark.parametrize(
    ("wish", "rules"),
    [
        (WISH, Generation(max_new_tokens=30)),
        (replace(WISH, temperature=0.9, top_p=0.3, seed=4), Generation(max_new_tokens=30)),
        (
            replace(WISH, decoding="balanced", temperature=0.9, top_p=0.3, seed=4),
            Generation(decoding="balanced", temperature=0.9, top_p=0.3, seed=4, max_new_tokens=30),
        ),
        (replace(WISH, decoding="balanced", temperature=0), Generation(max_new_tokens=30)),
    ],
)
def test_the_controls_come_to_a_generation(wish: Wish, rules: Generation) -> None:
    assert wish.rules() == rules


def test_without_a_seed_each_answer_is_drawn_anew() -> None:
    wish = replace(WISH, decoding="creative", temperature=1.0)
    assert wish.rules().seed != wish.rules().seed


def test_a_control_out_of_its_range_is_no_rule() -> None:
    for wish in (replace(WISH, tokens=0), replace(WISH, decoding="wild", temperature=1)):
        with pytest.raises(ValidationError):
            wish.rules()


def test_a_system_prompt_is_handed_on_only_where_it_is_another_and_has_a_place() -> None:
    voice = Scripted(echo)
    with_place = Talk(chat_of(voice, form="chat", system="Be brief."))
    for system in ("Be brief.", "Rhyme.", ""):
        ask(with_place, "Hi", wish=replace(WISH, system=system))
    ask(Talk(chat_of(voice)), "Hi", wish=replace(WISH, system="Rhyme."))
    assert [turn.system for turn in voice.turns] == [None, "Rhyme.", "", None]


def test_what_cannot_be_answered_is_said_and_the_chat_goes_on() -> None:
    def choosy(turn: Turn, rules: Generation) -> Sequence[str]:
        if turn.question == "Bad":
            raise InputError("There is no room.", remedy="Ask less.")
        return ["Fine"]

    session = ask(Talk(chat_of(Scripted(choosy), taught=Taught(dialogues=True))), "Bad", "Good", "   ")
    assert [text for _, text in told(session)] == ["Bad", "There is no room. Ask less.", "Good", "Fine"]
    assert session.logs["student"].turns == ["Good", "Fine"]


def test_a_bug_of_ours_is_told_to_the_terminal_and_not_to_the_visitor(capsys: pytest.CaptureFixture[str]) -> None:
    def broken(turn: Turn, rules: Generation) -> Sequence[str]:
        raise ZeroDivisionError("secret")

    session = ask(Talk(chat_of(Scripted(broken))), "Hi")
    assert told(session)[-1] == ("assistant", "Something went wrong here; the terminal says what.")
    assert "ZeroDivisionError: secret" in capsys.readouterr().err


def test_a_question_of_a_book_s_length_is_refused_before_any_model_sees_it() -> None:
    voice = Scripted(echo)
    session = ask(Talk(chat_of(voice)), "x" * (LONGEST_QUESTION + 1))
    assert "at most 8,000" in told(session)[-1][1]
    assert voice.turns == []


def test_what_was_said_before_a_stop_stays_and_the_voice_is_closed() -> None:
    voice = Scripted(echo)
    session = Session()
    answering = Talk(chat_of(voice)).answer("Hi", session, WISH)
    next(answering)
    next(answering)
    answering.close()  # type: ignore[attr-defined]
    assert told(session) == [("user", "Hi"), ("assistant", "You said ")]
    assert voice.closed == 1


def test_an_answer_that_was_cut_or_is_empty_says_so_and_control_characters_stay_out() -> None:
    assert told(ask(Talk(chat_of(Scripted(lambda t, r: ["a\x1b[2Jb"], stopped_by="limit"))), "Hi"))[-1][1] == (
        "a\ufffd[2Jb (cut off after 30 tokens)"
    )
    assert told(ask(Talk(chat_of(Scripted(lambda t, r: []))), "Hi"))[-1][1] == "(nothing)"
