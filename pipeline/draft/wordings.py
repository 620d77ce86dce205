"""One fact asked in several wordings: as many drafts, alike but for the question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.draft.replies import NO_TEXT, tidied
from pipeline.records import Draft, Rejection
from pipeline.teacher.request import Request


def worded(draft: Draft, questions: Sequence[object], request: Request) -> Iterator[Draft | Rejection]:
    """The draft once with each question of the reply to `request`; what is no text is a rejection."""
    for question in questions:
        if isinstance(question, str) and question.strip():
            yield draft.model_copy(update={"question": tidied(question), "request": request.key})
        else:
            yield NO_TEXT.rejection(request, passage=draft.passage, quote=draft.quote)
