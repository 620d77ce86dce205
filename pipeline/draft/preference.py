"""Pairs for training by preference: beside a record's answer, worse ones, each worse in a stated way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, field_validator

from pipeline.draft.descent import Asked, DescendantDrafter, Parents, child, parents_of, texts_of
from pipeline.draft.ground import Ground
from pipeline.draft.prompts import STRING, array_of, choice_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.records import Draft, Record, content_id
from pipeline.teacher.request import Request

KIND = "preference_pairs"
Fault = Literal["wrong_fact", "incomplete", "off_point", "too_long", "refuses"]
FAULTS: dict[str, str] = {
    "wrong_fact": "states one thing wrongly (a number, a name, a cause, a condition, yes for no) and sounds as sure as"
    " the good answer",
    "incomplete": "leaves out something that the question needs; what it says is true",
    "off_point": "speaks fluently about something near the question and does not answer it",
    "too_long": "says what the good answer says, true and complete, at two to three times its length: repeats itself,"
    " hedges, restates the question; adds no new fact",
    "refuses": "declines politely to answer, although the question can be answered",
}


class Settings(Parents):
    """Pairs for DPO, published as preference.jsonl; supervised training does not read them."""

    faults: tuple[Fault, ...] = Field(
        default=("wrong_fact", "incomplete", "off_point", "too_long", "refuses"),
        min_length=1,
        description="in which ways the rejected answer may be worse",
    )
    pairs_per_record: int = Field(
        default=1, ge=1, le=5, description="each with another fault; which ones is a stable hash"
    )

    @field_validator("faults")
    @classmethod
    def _each_once(cls, value: tuple[Fault, ...]) -> tuple[Fault, ...]:
        return tuple(dict.fromkeys(value))


class PreferenceDrafter(DescendantDrafter):
    """Asks for as many worse answers to a parent as the recipe says, in one request."""

    listed = "pairs"

    def __init__(self, wanted: Settings, ground: Ground) -> None:
        prompt = ground.prompt(KIND)
        passages = {passage.id: passage for passage in ground.passages}
        parents = parents_of(wanted, ground, "preference")
        self._faults = {record.id: _chosen(wanted, record) for record in parents}

        def request(parent: Record) -> Request:
            faults, passage = self._faults[parent.id], passages.get(parent.passage)
            return prompt.request(
                KIND,
                parent.id,
                _schema(faults),
                ground.manner,
                passage=passage.text if passage else "",
                heading=" > ".join(passage.heading) if passage else "",
                earlier="\n".join(parent.earlier),
                context=parent.context,
                question=parent.question,
                answer=parent.answer,
                faults="\n".join(f"{fault}: {_told(fault, parent, ground.refusals)}" for fault in faults),
            )

        super().__init__([Asked(parent, request(parent)) for parent in parents], prompt)

    def read(self, parent: Record, item: Any, request: Request) -> Draft:
        """A pair: the parent's answer, and the worse one."""
        fault, answer = texts_of(item, "fault", "answer")
        if fault not in self._faults[parent.id]:
            raise Unreadable(
                "wrong_shape", f"The reply holds an answer with the fault {fault!r}, which nobody asked for."
            )
        return child(parent, request, kind="preference", field=fault, rejected_answer=tidied(answer))


def build(wanted: Settings, ground: Ground) -> list[PreferenceDrafter]:
    """One drafter for all parents."""
    return [PreferenceDrafter(wanted, ground)]


def _told(fault: str, parent: Record, refusals: Sequence[str]) -> str:
    """What the fault is, as the teacher is told; refusals are those that the student learns elsewhere."""
    if fault != "refuses" or not refusals:
        return FAULTS[fault]
    return f"answer with exactly this: {refusals[int(content_id('refusal', parent.id), 16) % len(refusals)]}"


def _chosen(wanted: Settings, parent: Record) -> list[str]:
    order: list[str] = sorted(wanted.faults, key=lambda fault: content_id("preference", fault, parent.id))
    return order[: wanted.pairs_per_record]


def _schema(faults: list[str]) -> dict[str, Any]:
    pair = object_schema(fault=choice_of(*faults), answer=STRING)
    return object_schema(pairs=array_of(pair, at_least=len(faults), at_most=len(faults)))
