"""Questions evolved by rule: joined with a neighbouring fact, put to a case, or asked under a limit."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from pipeline.teacher.embedded import document_lexicon as lexicon
from pipeline.teacher.embedded.bank import read_bank, shuffled
from pipeline.teacher.embedded.document_sentences import joined, proper_nouns, uncapitalised
from pipeline.teacher.embedded.document_statements import Statement, is_finite_lead, statement
from pipeline.teacher.embedded.documents import document_questions


class _Frames(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    names: tuple[str, ...]
    asked: tuple[str, ...]
    noticed: tuple[str, ...]
    sentence: tuple[str, ...]
    words: tuple[str, ...]


@cache
def _frames() -> _Frames:
    return read_bank("evolving.yaml", _Frames)


class _Child(NamedTuple):
    question: str
    answer: str
    quote: str


def evolved_questions(slots: Mapping[str, str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """A child for each line of `ways`, `name: what it means`, that a rule knows."""
    found = []
    slots = {**slots, "question": _plainest(slots), "as_asked": slots["question"]}
    for line in slots["ways"].split("\n"):
        way = line.partition(": ")[0]
        made = next(_RULES[way](slots), None) if way in _RULES else None
        if made:
            found.append({"way": way, **made._asdict()})
    return {"questions": found}


_BEGINS = re.compile(r"(?:what|why|how|when|which|who|whom|where|for how long|within what time)\b", re.IGNORECASE)
_LONGEST = 300
"""Characters of a quote that holds two facts."""


def _harder(slots: Mapping[str, str]) -> Iterator[_Child]:
    """Asked together with the fact that stands nearest to it in the passage, where one stands near."""
    passage, quote = slots.get("passage", ""), slots.get("quote", "")
    own = passage.find(quote) if quote else -1
    if own < 0:
        return
    found = _facts(slots)
    places = [(passage.find(fact["quote"]), fact) for fact in found if fact["quote"] != quote]
    for at, fact in sorted(places, key=lambda one: abs(one[0] - own)):
        first, last = min(at, own), max(at + len(fact["quote"]), own + len(quote))
        one = _plain_question([slots["question"]])
        other = _plain_question(fact["questions"])
        if at < 0 or last - first > _LONGEST or not one or not other:
            continue
        inside = joined(uncapitalised(tuple(other.split(" ")), proper_nouns(passage)))
        answers = (slots["answer"], fact["answer"])
        yield _Child(f"{one.rstrip('?')}, and {inside}", " ".join(answers), passage[first:last])


def _facts(slots: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the rules read off the passage, if there is one."""
    passage = {"heading": slots.get("heading", ""), "passage": slots.get("passage", "")}
    return list(document_questions(passage, {})["facts"]) if passage["passage"] else []


def _plainest(slots: Mapping[str, str]) -> str:
    """The question, or a plainer wording of it, for what is put around it has a question of its own."""
    asked, quote = slots["question"], slots.get("quote", "")
    wordings = [one for fact in _facts(slots) if fact["quote"] == quote for one in fact["questions"]]
    return _plain_question([asked, *wordings]) or asked


def _plain_question(questions: list[str]) -> str:
    """The first that begins with its question word and is one clause, so that another can be joined to it."""
    plain = (one for one in questions if _BEGINS.match(one) and not re.search(r"[,;:“”]|is it that|would you", one))
    return next(plain, "")


def _concrete(slots: Mapping[str, str]) -> Iterator[_Child]:
    """Put to somebody who meets the case; where no rule reads one, somebody is asked."""
    question, answer, quote = slots["question"], slots["answer"], slots.get("quote", "")
    name = shuffled(_frames().names, slots["as_asked"])[0]
    read = statement(answer, proper_nouns(answer))
    if read is not None:
        for case in (_situation, _somebody, _something, _observed):
            asked = case(read, name)
            if asked:
                yield _Child(asked, answer, quote)
    frame = shuffled(_frames().asked, slots["as_asked"])[0]
    yield _Child(frame.replace("{name}", name).replace("{question}", question), answer, quote)


def _situation(read: Statement, name: str) -> str:
    """If the filter is torn, order a new one: Suppose Ana finds that the filter is torn."""
    if not (read.imperative and is_finite_lead(read.lead) and read.lead[0].lower() in ("if", "when")):
        return ""
    case = joined(read.lead[1:])
    if re.search(r"\b(?:you|your|yourself)\b", case):
        return f"Suppose that {case}. What is the best thing you can do now?"
    return f"{name} finds that {case}. What should {name} do now?"


def _somebody(read: Statement, name: str) -> str:
    """A customer who calls should have the number: Ana is a customer who calls. What should Ana do?"""
    clause = read.clause
    if not _is_case(read) or not clause.is_person or clause.plural:
        return ""
    verb = clause.aux if clause.aux in lexicon.MODALS else "" if clause.aux else clause.do
    tail = read.context
    return f"{name} is {joined(clause.subject)}. What {verb} {name} do{tail}?" if verb else ""


def _something(read: Statement, name: str) -> str:
    """A kettle that was boiled dry switches itself off: Ana has to do with a kettle that was boiled dry."""
    clause = read.clause
    if not _is_case(read) or clause.is_person or clause.plural or clause.aux or clause.verb in _STATES:
        return ""
    return f"{name} has to do with {joined(clause.subject)}. What happens{read.context}?"


_STATES = frozenset("mean be seem look sound feel cost weigh last need have contain belong".split())


def _is_case(read: Statement) -> bool:
    """Whether the subject is one of its kind that something has happened to or that does something."""
    subject = [word.lower() for word in read.clause.subject]
    return subject[0] in ("a", "an") and bool({"that", "who"} & set(subject)) and not (read.lead or read.imperative)


def _observed(read: Statement, name: str) -> str:
    """Lime makes a kettle louder because ...: Ana notices that lime makes a kettle louder. What explains that?"""
    if not read.hangs_on("because") or read.lead or read.imperative or read.clause.aux in lexicon.MODALS:
        return ""
    frame = shuffled(_frames().noticed, name, read.clause.told())[0]
    return frame.replace("{name}", name).replace("{fact}", read.clause.told())


def _constrained(slots: Mapping[str, str]) -> Iterator[_Child]:
    """In one sentence, or in so many words as the answer has, rounded up."""
    question, answer = slots["question"], slots["answer"]
    inside = joined(uncapitalised(tuple(question.split(" ")), proper_nouns(answer)))
    most = -(-(len(answer.split()) + 1) // 5) * 5
    sentences = not re.search(r"[.!?][”\"]?\s+(?![a-z])", answer)
    pool = [*(_frames().sentence if sentences else ()), *_frames().words]
    frame = shuffled(pool, slots["as_asked"])[0]
    asked = frame.replace("{number}", str(most)).replace("{question}", inside)
    yield _Child(asked, answer, slots.get("quote", ""))


_RULES: dict[str, Callable[[Mapping[str, str]], Iterator[_Child]]] = {
    "harder": _harder,
    "concrete": _concrete,
    "constrained": _constrained,
}
