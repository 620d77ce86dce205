"""More wordings of facts that a student answered wrongly: one request a fact, questions back that have its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from pipeline.draft import Told
from pipeline.draft.ground import Ground
from pipeline.draft.lists import CONTINUATIONS, continuations, told_list
from pipeline.draft.prompts import STRING, array_of, object_schema
from pipeline.draft.replies import NO_TEXT, tidied
from pipeline.records import Draft, Passage, Record, Rejection
from pipeline.teacher.request import Request
from pipeline.wishes import Wish
from pipeline.words import Questions

KIND = "reworded_questions"


class RewordingDrafter:
    """Asks for the wordings that are wished for. It shows the teacher trained questions only."""

    stages = 1 + CONTINUATIONS

    def __init__(
        self,
        wishes: Sequence[Wish],
        passages: Mapping[str, Passage],
        ground: Ground,
        held_out: Callable[[Record], bool],
    ) -> None:
        self._prompt, self._manner, self._passages = ground.prompt(KIND), ground.manner, passages
        self.prompts = {self._prompt.path.name: self._prompt.text}
        self.examined = {record.id: record.question for record in ground.records if held_out(record)}
        """The questions that no wording may repeat."""
        self._held_out = Questions(ground.language)
        for name, question in self.examined.items():
            self._held_out.add(name, question)
        trained: dict[str, list[str]] = {wish.fact: [] for wish in wishes}
        for record in ground.records:
            if record.fact in trained and record.id not in self.examined:
                trained[record.fact].append(record.question)
        self._trained = trained
        # A fact whose document has gone, or whose questions a person has dropped, is wished for in vain.
        self._wishes = [wish for wish in wishes if wish.passage in passages and trained[wish.fact]]

    def _asked(self, told: Told) -> Iterator[tuple[Wish, Request]]:
        """Each wish with its request, which names what earlier wishes for the fact have brought."""
        brought: dict[str, list[str]] = {}
        for wish in self._wishes:
            known = [*self._trained[wish.fact], *brought.get(wish.fact, ())]
            request = self._request(wish, self._passages[wish.passage], known)
            items, _ = told_list(told, request, "questions")
            said = (tidied(item) for item, _ in items if isinstance(item, str))
            # One that came out like a question of the examination is not shown again: the teacher is not led to it.
            brought.setdefault(wish.fact, []).extend(one for one in said if self._held_out.like(one) is None)
            yield wish, request

    def _request(self, wish: Wish, passage: Passage, known: Sequence[str]) -> Request:
        return self._prompt.request(
            KIND,
            f"{wish.fact}:{wish.round}",
            object_schema(questions=array_of(STRING, at_most=wish.wordings)),
            self._manner,
            heading=" > ".join(passage.heading),
            passage=passage.text,
            quote=wish.quote,
            answer=wish.answer,
            known="\n".join(known),
            wordings=wish.wordings,
        )

    def requests(self, stage: int, told: Told) -> Iterator[Request]:
        """One a fact; then the rest of those whose reply lacks something."""
        first = (request for _, request in self._asked(told))
        return first if stage == 0 else continuations(told, first, "questions", stage)

    def still_to_come(self, told: Told) -> int:
        """Nothing follows."""
        return 0

    def drafts(self, told: Told) -> Iterator[Draft | Rejection]:
        """One draft a wording, in the order of the replies."""
        for wish, request in self._asked(told):
            questions, fault = told_list(told, request, "questions")
            for item, source in questions:
                if not isinstance(item, str) or not item.strip():
                    yield NO_TEXT.rejection(source, passage=wish.passage, quote=wish.quote)
                    continue
                yield Draft(
                    kind="reworded",
                    question=tidied(item),
                    answer=wish.answer,
                    quote=wish.quote,
                    passage=wish.passage,
                    fact=wish.fact,
                    request=source.key,
                )
            if fault is not None:
                yield fault.rejection(request, passage=wish.passage)
