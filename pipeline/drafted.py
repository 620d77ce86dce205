"""What the teacher has replied, as drafts in the order in which it was asked, and what they are checked against."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field

from pipeline.curate import SHARD, Material, Origin
from pipeline.curate.decontaminate import HeldOut, HeldOutText, held_out_texts
from pipeline.curate.meaning import Embedder
from pipeline.draft import Descendants, Drafter, Exemplified, Guarded, Voiced
from pipeline.embedder import Absent, StoredEmbedder, find_embedder
from pipeline.errors import InputError
from pipeline.history import History
from pipeline.material import Say, Sources
from pipeline.recipe import Loaded
from pipeline.records import Draft, Record, Rejection
from pipeline.spool import Spool

Item = Draft | Rejection
"""What a reply holds: a draft, or why there is none."""


def spool_of_items(folder: Path) -> Spool[Item]:
    """Where items wait for their turn."""
    return Spool(folder, Annotated[Item, Field(union_mode="left_to_right")])


Mend = Callable[[Item], Item]
"""What a person's rules make of an item."""


def drafts_in_order(
    drafters: Sequence[Drafter], history: History, waiting: Spool[Item], mend: Mend = lambda item: item
) -> Iterator[Item]:
    """What all replies hold, in the order in which their requests were first planned.

    That order is the same at any number in flight, and later requests never come before earlier
    ones: of two alike questions the older stays. All wait in the spool, a block for each reply.
    """
    places = array("q")
    for drafter in drafters:
        for key, items in groupby(drafter.drafts(history.told), key=lambda item: item.request):
            waiting.add(list(map(mend, items)))
            places.append(history.place(key))
    return waiting.read(sorted(range(waiting.blocks), key=places.__getitem__))


@dataclass(frozen=True)
class Asked:
    """The requests of today's plan, once the asking is over."""

    unanswered: int
    prompts: dict[str, str]
    """Request key to the fingerprint of its template, in plan order."""
    parents: dict[str, Record]
    """By id, the records that drafts are made from."""
    voice: str
    """All that is said of the voices in which things are told again."""
    examples: tuple[str, ...]
    """What requests showed as examples of what was wanted."""
    examined: dict[str, str]
    """Held-out questions by the id of their record, where there are drafts that may repeat none of them."""

    @property
    def planned(self) -> int:
        """How many there are."""
        return len(self.prompts)

    @classmethod
    def of(cls, drafters: Sequence[Drafter], history: History) -> Self:
        """Each request once, answered or not. From here on `history` tells which old replies stand for new requests."""
        unanswered, prompts = 0, {}
        for request in chain.from_iterable(history.plan(drafters)):
            unanswered += not history.has(request.key)
            prompts[request.key] = request.prompt
        descendants = (drafter for drafter in drafters if isinstance(drafter, Descendants))
        parents = {parent.id: parent for drafter in descendants for parent in drafter.parents}
        voice = "\n".join(drafter.voice for drafter in drafters if isinstance(drafter, Voiced))
        showing = (drafter for drafter in drafters if isinstance(drafter, Exemplified))
        examples = dict.fromkeys(example for drafter in showing for example in drafter.examples)
        examined = {name: text for one in drafters if isinstance(one, Guarded) for name, text in one.examined.items()}
        return cls(unanswered, prompts, parents, voice, tuple(examples), examined)


def material(
    loaded: Loaded, folder: Path, sources: Sources, asked: Asked, history: History, say: Say = lambda line: None
) -> Material:
    """What the drafts are checked against; vectors of meaning are kept under `folder`."""
    recipe, persona = loaded.recipe, sources.persona
    found = find_embedder(recipe.meaning, recipe.language, loaded.folder, folder / "vectors.sqlite")
    if isinstance(found, Absent):
        say(f"nothing is compared by meaning: {found.why}.")
    embedder = found if isinstance(found, StoredEmbedder) else None

    @lru_cache(maxsize=SHARD)  # the drafts of one reply follow each other
    def origin(key: str) -> Origin:
        reply = history.told(key)
        return Origin(reply.model if reply else "", asked.prompts.get(key, ""))

    return Material(
        passages=sources.passages,
        origin=origin,
        constraints=persona.constraints if persona else None,
        carried=persona.said() if persona else "",
        language=recipe.language,
        wanted=recipe.wanted,
        held_out=read_held_out(loaded, embedder),
        embedder=embedder,
        absence=found.why if isinstance(found, Absent) else "",
        parents=asked.parents,
        voice=asked.voice,
        examples=asked.examples,
        refusals=recipe.refusals.every_sentence if recipe.refusals else (),
        examined=asked.examined,
    )


def read_held_out(loaded: Loaded, embedder: Embedder | None = None) -> HeldOut | None:
    """The texts that no record may hold; None if the recipe names none. Raises InputError if one cannot be read."""
    wanted = loaded.recipe.decontamination
    return None if wanted is None else HeldOut(texts_held_out(loaded), wanted, embedder)


def texts_held_out(loaded: Loaded) -> Iterator[HeldOutText]:
    """Those that stand in the recipe's files. Raises InputError if one cannot be read."""
    wanted = loaded.recipe.decontamination
    for name in wanted.files if wanted else ():
        try:
            content = (loaded.folder / name).read_bytes()
        except OSError as fault:
            raise InputError(
                f"decontamination.files: {name}: {fault.strerror}.", remedy="Name files relative to the recipe."
            ) from fault
        yield from held_out_texts(name, content)
