"""What a drafter named under `drafters:` may draw on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.draft import Drafter
from pipeline.draft.prompts import Manner, Prompt
from pipeline.errors import InputError
from pipeline.records import Passage, Record
from pipeline.sources.personas import Persona


@dataclass(frozen=True)
class Ground:
    """Sources, templates, manner and, for a drafter that rests on records, what has passed the checks so far."""

    passages: Sequence[Passage]
    persona: Persona | None
    prompt: Callable[[str], Prompt]
    """The template of a name, without its ending."""
    manner: Manner
    folder: Path
    """Where relative paths in the recipe start."""
    language: str
    salt: str
    """Of the split."""
    unseen: float
    """Share of the passages that the split holds out; see `records.lot`."""
    refusals: Sequence[str] = ()
    """The recipe's refusal sentences."""
    records: Sequence[Record] = ()
    """As people want them: those they dropped are not here, those they edited are as edited. In plan order."""
    round: int = 1
    """Which round of drafters that rest on records this is, from 1."""
    earlier: Sequence[Drafter] = ()
    """The drafters of the rounds before this one."""
    paid: Callable[[str, str], bool] = lambda kind, subject: False
    """Whether a request of a kind about a subject was ever paid for: what it brought is asked for again, and stands."""

    def bytes_of(self, name: str, field: str) -> bytes:
        """A file that the recipe names in `field`. Raises InputError if it cannot be read."""
        try:
            return (self.folder / name).read_bytes()
        except OSError as fault:
            raise InputError(
                f"{field}: {self.folder / name}: {fault.strerror}.", remedy="Name a file relative to the recipe."
            ) from fault
