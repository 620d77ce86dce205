"""What is shown with a question: the passage that answers it among others that do not, or only these.

Others come from the passage's own document first, the most alike before the less: they are hardest to tell from it.
Where it has too few, the documents next on a ring of hashes lend some, so that a new document changes what stands
beside the one or two before it and no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pipeline.draft.related import Related
from pipeline.records import Passage, content_id, lot


class Contexts:
    """Chooses passages to stand beside others, on their side of the split."""

    def __init__(self, passages: Sequence[Passage], salt: str, unseen: float) -> None:
        self._related = Related(passages, salt, unseen)
        self._salt = salt
        self._ring = sorted(self._related.documents, key=lambda name: content_id(salt, "ring", name))

    def beside(self, passage: Passage, number: int) -> list[Passage]:
        """So many others, or as many as there are."""
        return list(islice(self._others(passage), number))

    def _others(self, passage: Passage) -> Iterator[Passage]:
        own = passage.document
        near = [one.passage for one in self._related.nearest(passage, own)]
        yield from near
        yield from (one for one in self._fitting(own, passage) if one not in near)
        place = self._ring.index(own)
        for name in (*self._ring[place + 1 :], *self._ring[:place]):
            yield from self._fitting(name, passage)

    def _fitting(self, document: str, passage: Passage) -> list[Passage]:
        """Those of a document that are on the passage's side, in an order of its own."""
        on_side = (one for one in self._related.documents[document].passages if self._related.same_side(one, passage))
        return sorted((one for one in on_side if one.id != passage.id), key=lambda one: content_id(passage.id, one.id))

    def in_order(self, passages: Sequence[Passage], *key: str) -> list[Passage]:
        """In an order that tells nothing: hash by hash."""
        return sorted(passages, key=lambda passage: lot(self._salt, "order", *key, passage.id))


def shown(passages: Sequence[Passage]) -> str:
    """Passages as they stand before a question: each under its heading."""
    return "\n\n".join("\n".join((*passage.heading[-1:], passage.text)) for passage in passages)
