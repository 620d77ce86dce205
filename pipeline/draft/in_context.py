"""Questions beside passages that are shown with them: answered from there, or refused because it is not there.

Each is a record's question, put to the teacher beside what the student will be shown. Where the passage stands among
the others, the teacher answers from it; where it was left out, the teacher must find no answer, or it is a rejection.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from pydantic import Field

from pipeline.draft import Drafter
from pipeline.draft.contexts import Contexts, shown
from pipeline.draft.descent import Asked, DescendantDrafter, Parents, child, parents_of
from pipeline.draft.ground import Ground
from pipeline.draft.prompts import BOOLEAN, STRING, array_of, object_schema
from pipeline.draft.replies import Unreadable, tidied
from pipeline.records import Draft, Passage, Record, lot
from pipeline.teacher.request import Request

KIND = "in_context_answers"


class Settings(Parents):
    """Questions with passages beside them, to be answered from these or refused."""

    others: int = Field(default=3, ge=1, le=20, description="passages shown that do not answer the question")
    left_out: float = Field(
        default=0.2, ge=0, le=1, description="share of the questions whose own passage is not shown, to be refused"
    )
    refusal: str = Field(
        default="The text does not say.", min_length=3, pattern=r"^\S(.*\S)?$", description="the answer to these"
    )


def build(settings: Settings, ground: Ground) -> list[Drafter]:
    """The drafter of one round."""
    return [InContextDrafter(settings, ground)]


class _Context(NamedTuple):
    """What stands beside one question."""

    passages: list[Passage]
    left_out: bool


class InContextDrafter(DescendantDrafter):
    """Asks the questions of records beside passages."""

    listed = "answers"

    def __init__(self, wanted: Settings, ground: Ground) -> None:
        self._wanted, self._salt = wanted, ground.salt
        self._contexts = Contexts(ground.passages, ground.salt, ground.unseen)
        self._passages = {passage.id: passage for passage in ground.passages}
        self._beside: dict[str, _Context] = {}
        for parent in parents_of(wanted, ground, "in_context"):
            if context := self._context(parent):
                self._beside[parent.id] = context
        prompt = ground.prompt(KIND)
        by_id = {record.id: record for record in ground.records}
        super().__init__(
            (
                Asked(
                    by_id[name],
                    prompt.request(
                        KIND,
                        name,
                        _SCHEMA,
                        ground.manner,
                        context=shown(context.passages),
                        question=by_id[name].question,
                    ),
                )
                for name, context in self._beside.items()
            ),
            prompt,
        )

    def _context(self, parent: Record) -> _Context | None:
        """None for a record that not one passage of today answers, or that has something beside it already."""
        own = self._passages.get(parent.passage)
        if own is None or parent.bearers != (own.id,) or parent.context or parent.earlier:
            return None
        left_out = lot(self._salt, "left out", parent.id) < self._wanted.left_out
        others = self._contexts.beside(own, self._wanted.others)
        passages = others if left_out else [own, *others]
        return _Context(self._contexts.in_order(passages, parent.id), left_out) if passages else None

    def read(self, parent: Record, item: Any, request: Request) -> Draft:
        """A child with its context; a rejection where the teacher found no answer, or one where none should be."""
        context = self._beside[parent.id]
        said = item if isinstance(item, dict) else {}
        found, answer, quote = said.get("answered"), said.get("answer"), said.get("quote")
        if not (isinstance(found, bool) and isinstance(answer, str) and isinstance(quote, str)):
            raise Unreadable("wrong_shape", "The reply does not say whether it is answered, or how.")
        if context.left_out:
            if found:
                why = f"The teacher finds it answered by the other passages: {tidied(quote or answer)!r}."
                raise Unreadable("answered_by_context", why)
            return self._child(parent, request, context, kind="not_in_context", answer=self._wanted.refusal)
        if not (found and answer.strip() and quote.strip()):
            raise Unreadable("not_in_context", "The teacher finds no answer, although the passage stands there.")
        return self._child(parent, request, context, kind="in_context", answer=tidied(answer), quote=quote.strip())

    @staticmethod
    def _child(parent: Record, request: Request, context: _Context, **own: str) -> Draft:
        beside = tuple(passage.id for passage in context.passages if passage.id != parent.passage)
        return child(
            parent, request, context=shown(context.passages), further_passages=beside, further_quotes=(), **own
        )


_SCHEMA = object_schema(answers=array_of(object_schema(answered=BOOLEAN, answer=STRING, quote=STRING), at_most=1))
