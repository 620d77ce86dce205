"""Summaries of sections and of documents, short and long; of what is too long at once, from notes on its pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple, get_args

from pydantic import Field, field_validator

from pipeline.draft import Drafter, Told
from pipeline.draft.contexts import shown
from pipeline.draft.ground import Ground
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, array_of, choice_of, object_schema
from pipeline.draft.replies import NO_TEXT, Unreadable, tidied
from pipeline.draft.sections import Level, Unit, pieces_of, units_of
from pipeline.draft.wordings import worded
from pipeline.records import Draft, Record, Rejection, content_id, lot
from pipeline.teacher.request import Request
from pipeline.yamlfile import Section

KIND = "summaries"
NOTES = "section_notes"
Size = Literal["short", "long"]
SIZES: tuple[str, ...] = get_args(Size)
_LETTERS_A_WORD = 6
_FEWEST_NOTES = 30
"""Words of notes on a piece, below which they would say nothing."""


class Settings(Section):
    """Summaries of sections and documents, in two sizes."""

    of: tuple[Level, ...] = Field(default=("section", "document"), min_length=1, description="what is summed up")
    short: tuple[int, int] = Field(default=(8, 45), description="fewest and most words of a short summary")
    long: tuple[int, int] = Field(default=(40, 160), description="fewest and most words of a long one")
    wordings: int = Field(default=3, ge=1, le=20, description="questions asked for each summary")
    passages: int = Field(default=2, ge=1, description="fewest passages of a section that is summed up by itself")
    largest: int = Field(
        default=24_000, ge=1000, description="characters put to the teacher at once; on what is longer it takes notes"
    )
    shown_up_to: int = Field(
        default=0,
        ge=0,
        description="a text of at most so many characters is shown with the question, and to be summed up; what is in a"
        " longer one is asked by heart",
    )

    @field_validator("short", "long")
    @classmethod
    def _ascending(cls, value: tuple[int, int]) -> tuple[int, int]:
        if not 0 < value[0] <= value[1] <= 500:
            raise ValueError("expected [fewest, most], above 0 and at most 500")
        return value


def build(settings: Settings, ground: Ground) -> list[Drafter]:
    """One drafter for all sections and documents."""
    return [SummaryDrafter(settings, ground)]


class _Wanted(NamedTuple):
    """A section or document and the requests for notes on it; none where it fits into one request."""

    unit: Unit
    notes: Sequence[Request]


class SummaryDrafter:
    """Asks for notes on the pieces of what is long, then for summaries of everything."""

    stages = 2 * (1 + CONTINUATIONS)

    def __init__(self, settings: Settings, ground: Ground) -> None:
        self._settings, self._manner = settings, ground.manner
        self._prompt, self._note = ground.prompt(KIND), ground.prompt(NOTES)
        self.prompts = {prompt.path.name: prompt.text for prompt in (self._prompt, self._note)}
        held_out = {passage.id: lot(ground.salt, "unseen", passage.id) < ground.unseen for passage in ground.passages}
        units = units_of(ground.passages, lambda passage: held_out[passage.id], settings.passages)
        noted = [(unit, self._notes_on(unit)) for unit in units if unit.level in settings.of]
        self._wanted = [_Wanted(unit, notes) for unit, notes in noted if notes is not None]
        self._too_long = [unit for unit, notes in noted if notes is None]

    def _notes_on(self, unit: Unit) -> list[Request] | None:
        """None where there would be more notes than fit into one request."""
        pieces = pieces_of(unit.passages, self._settings.largest)
        if len(pieces) == 1:
            return []
        words = self._settings.largest // len(pieces) // _LETTERS_A_WORD
        if words < _FEWEST_NOTES:
            return None
        return [
            self._note.request(
                NOTES,
                content_id(*(passage.id for passage in piece)),
                object_schema(notes=array_of(STRING, at_most=40)),
                self._manner,
                heading=" > ".join(unit.heading),
                text=shown(piece),
                words=words,
            )
            for piece in pieces
        ]

    def _request(self, wanted: _Wanted, told: Told) -> Request | None:
        """For the summaries; None while notes are lacking."""
        unit, settings = wanted.unit, self._settings
        notes: list[str] = []
        for note in wanted.notes:
            said = _notes(note, told)
            if isinstance(said, Unreadable) or not said:
                return None
            notes += said
        return self._prompt.request(
            KIND,
            content_id("summary", *(passage.id for passage in unit.passages)),
            _schema(settings.wordings),
            self._manner,
            level=unit.level,
            title=unit.title,
            heading=" > ".join(unit.heading[1:]) if unit.level == "section" else "",
            text="\n".join(notes) if notes else shown(unit.passages),
            short=settings.short,
            long=settings.long,
            wordings=settings.wordings,
            shown=self._is_shown(unit),
        )

    def _is_shown(self, unit: Unit) -> bool:
        return sum(len(passage.text) for passage in unit.passages) <= self._settings.shown_up_to

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """First notes on pieces, and what rests on none; then what rests on notes. The rest of those that lack some."""
        late, stage = divmod(stage, 1 + CONTINUATIONS)
        if not late:
            yield from self._listed(chain.from_iterable(one.notes for one in self._wanted), "notes", stage, told)
        ready = (self._request(one, told) for one in self._wanted if bool(one.notes) == bool(late))
        yield from self._listed((request for request in ready if request is not None), "summaries", stage, told)

    @staticmethod
    def _listed(requests: Iterator[Request], name: str, stage: int, told: Told) -> Iterator[Request]:
        return requests if stage == 0 else continuations(told, requests, name, stage)

    def still_to_come(self, told: Told) -> int:
        """One for each long text whose notes are lacking."""
        return sum(bool(one.notes) and self._request(one, told) is None for one in self._wanted)

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a wording of each summary."""
        for wanted in self._wanted:
            yield from (
                fault.rejection(note, passage=wanted.unit.passages[0].id)
                for note in wanted.notes
                if isinstance(fault := _notes(note, told), Unreadable)
            )
            request = self._request(wanted, told)
            if request is not None:
                yield from self._of(wanted.unit, request, told)

    def _of(self, unit: Unit, request: Request, told: Told) -> Iterator[Draft | Rejection]:
        items, fault = told_list(told, request, "summaries")
        for item, source in items:
            said = item if isinstance(item, dict) else {}
            size, questions, summary = said.get("size"), said.get("questions"), said.get("summary")
            if size in SIZES and isinstance(questions, list) and questions and isinstance(summary, str):
                yield from worded(self._draft(unit, str(size), tidied(summary)), questions, source)
            else:
                shape = Unreadable("wrong_shape", "A summary of the reply lacks its size, its text or questions.")
                yield shape.rejection(source, passage=unit.passages[0].id)
        if fault is not None:
            yield fault.rejection(request, passage=unit.passages[0].id)

    def _draft(self, unit: Unit, size: str, summary: str) -> Draft:
        names = tuple(passage.id for passage in unit.passages)
        beside = self._is_shown(unit)
        return Draft(
            kind="summary_of_text" if beside else "summary",
            question="",
            answer=summary,
            passage=names[0],
            further_passages=names[1:],
            field=size,
            fact=content_id("summary", *names, size, summary),
            context=shown(unit.passages) if beside else "",
            request="",
        )

    def shortfall(self, records: Iterable[Record], told: Told) -> Iterator[str]:
        """What is too long even for notes."""
        for unit in self._too_long:
            name = " > ".join((unit.document, *unit.heading))
            yield f"summary: {name} is too long to be summed up as a whole; raise drafters.summary.largest"


def _notes(request: Request, told: Told) -> list[str] | Unreadable:
    """Those on one piece: none while they have not come; or why there are none."""
    items, fault = told_list(told, request, "notes")
    texts = [tidied(item) for item, _ in items if isinstance(item, str) and item.strip()]
    return fault or (NO_TEXT if items and not texts else texts)


def _schema(wordings: int) -> dict[str, Any]:
    summary = object_schema(
        size=choice_of(*SIZES),
        questions=array_of(STRING, at_least=wordings, at_most=wordings),
        summary=STRING,
    )
    return object_schema(summaries=array_of(summary, at_least=len(SIZES), at_most=len(SIZES)))
