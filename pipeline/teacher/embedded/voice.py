"""A said thing in a persona's voice: with the card's own turns, at the length that its constraints allow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.constraints import Constraints, emoji, hashtags, words
from pipeline.errors import TeacherError
from pipeline.teacher.embedded.bank import share, shuffled
from pipeline.words import subject_words


class Card(BaseModel):
    """What the rules read of a persona's card; the rest of it is for teachers that understand prose."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str = ""
    phrases: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    examples: tuple[dict[str, str], ...] = ()
    constraints: Constraints = Constraints()

    @property
    def leads(self) -> list[str]:
        """Turns that lead an answer in."""
        return [phrase for phrase in self.phrases if phrase.endswith(":")]

    @property
    def turns(self) -> list[str]:
        """Turns that are sentences of their own."""
        return [_ended(phrase) for phrase in self.phrases if not phrase.endswith(":")]

    @property
    def palette(self) -> list[str]:
        """The emoji that the persona is seen to use."""
        seen = [sign for text in (*self._answers, *self.phrases) for sign in emoji(text)]
        return list(dict.fromkeys(seen))

    @property
    def emoji_share(self) -> float:
        """Of the example answers, how many hold an emoji."""
        return _share_of(self._answers, emoji)

    @property
    def hashtag_share(self) -> float:
        """Of the example answers, how many hold a hashtag."""
        return _share_of(self._answers, hashtags)

    @property
    def _answers(self) -> list[str]:
        return [example.get("answer", "") for example in self.examples]


def _share_of(answers: Sequence[str], measure: Any) -> float:
    return sum(bool(measure(answer)) for answer in answers) / len(answers) if answers else 0.0


def read_card(text: str) -> Card:
    """The card in the slot. Raises TeacherError if it is not a card, for then no voice could be given to anything."""
    try:
        return Card.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as fault:
        raise TeacherError(
            f"The embedded teacher cannot read the persona's card: {str(fault).splitlines()[0]}.",
            remedy="Let the prompt show the card as `Persona.card()` writes it.",
        ) from None


# Each lead-in opens at most one answer in 25, so that no opening wears out; a closing turn may come more often.
_ONE_LEAD_IN = 25
_MOST_LED = 0.35
_MOST_TURNED = 0.6
_TURNS_FOR_THAT = 8
_AFTER_LEAD = 0.5
_NEUTRAL_EMOJI = ["🙂", "✨", "👍", "🌟", "🙌"]


class Voice:
    """Dresses what is to be said for one card; `spare` are neutral sentences for answers that must be longer."""

    def __init__(self, card: Card, spare: Sequence[str], fillers: Sequence[str]) -> None:
        self._card = card
        self._spare = spare
        self._fillers = fillers

    def dressed(self, said: str, topic: str, key: str) -> str:
        """`said` within the card's constraints; `key` decides which turns come with it, `topic` names the hashtag."""
        limits = self._card.constraints
        tags = self._hashtags(topic, said, key)
        room = limits.words.max - len(tags)
        core = shortened(said, room)
        parts = [core]
        lead = self._lead(core, key)
        if lead and _count([lead, core]) <= room:
            parts = [f"{lead} {self._after_lead(core)}"]
        turn = self._turn(core, key, led=len(parts[0]) > len(core))
        if turn and _count([*parts, turn]) <= room:
            parts.append(turn)
        parts += self._filling(parts, limits.words.min - len(tags), room, key)
        return " ".join([*parts, *self._emoji(key), *tags])

    def _lead(self, core: str, key: str) -> str:
        # Two colons in one sentence are one too many.
        leads = [] if re.match(r"[^.!?]*:", core) else self._card.leads
        used = min(_MOST_LED, len(leads) / _ONE_LEAD_IN)
        return shuffled(leads, "lead", key)[0] if leads and share("led", key) < used else ""

    def _turn(self, core: str, key: str, *, led: bool) -> str:
        turns = self._card.turns
        used = min(_MOST_TURNED, _MOST_TURNED * len(turns) / _TURNS_FOR_THAT) * (_AFTER_LEAD if led else 1)
        if share("turned", key) >= used:
            return ""
        # A turn that takes up a word of the answer sounds like a stutter.
        said = subject_words(core)
        fresh = [turn for turn in shuffled(turns, "turn", key) if not said & subject_words(turn)]
        return fresh[0] if fresh else ""

    def _after_lead(self, core: str) -> str:
        """Small after the colon, unless the first word is a name of the card's or `I`."""
        first = core.split(maxsplit=1)[0].rstrip(".,;:?!")
        names = {topic.split()[0] for topic in self._card.topics}
        if first in names or first.split("'")[0] == "I" or first[1:] != first[1:].lower():
            return core
        return core[0].lower() + core[1:]

    def _filling(self, parts: Sequence[str], least: int, room: int, key: str) -> list[str]:
        """Sentences that bring the answer to its least number of words and not past its most."""
        have = _count(parts)
        if have >= least:
            return []
        fresh = [turn for turn in self._card.turns if turn not in parts]
        pool = [*shuffled(fresh, "fill", key), *shuffled(self._spare, "fill", key), *self._fillers]
        reached: dict[int, tuple[str, ...]] = {0: ()}
        for sentence in pool:
            for total, chosen in list(reached.items()):
                longer = total + len(words(sentence))
                if longer <= room - have:
                    reached.setdefault(longer, (*chosen, sentence))
        enough = [total for total in reached if total >= least - have]
        return list(reached[min(enough) if enough else max(reached)])

    def _emoji(self, key: str) -> list[str]:
        bounds = self._card.constraints.emoji
        more = bounds.max > bounds.min and share("emoji", key) < self._card.emoji_share
        wanted = max(bounds.min, int(more))
        palette = shuffled(self._card.palette or _NEUTRAL_EMOJI, "emoji", key)
        return [palette[index % len(palette)] for index in range(wanted)]

    def _hashtags(self, topic: str, said: str, key: str) -> list[str]:
        bounds = self._card.constraints.hashtags
        more = bounds.max > bounds.min and share("hashtag", key) < self._card.hashtag_share
        wanted = max(bounds.min, int(more))
        long_words = sorted(words(said), key=len, reverse=True)
        named = [topic, *shuffled(self._card.topics, "hashtag", key), self._card.name, *long_words]
        tags = dict.fromkeys(tag for tag in map(_hashtag, named) if tag)
        return list(tags)[:wanted]


def shortened(text: str, most: int) -> str:
    """As many whole sentences from the start as fit into `most` words; else a clause; else the first words."""
    if len(words(text)) <= most:
        return text
    sentences = re.split(r"(?<=[.!?])\s+|(?<=[.!?]')\s+", text)
    for count in range(len(sentences) - 1, 0, -1):
        if _count(sentences[:count]) <= most:
            return " ".join(sentences[:count])
    clauses = [found.start() for found in re.finditer(r"[,;:](?=\s)", sentences[0])]
    fitting = [sentences[0][:end] for end in clauses if len(words(sentences[0][:end])) <= most]
    return _closed(fitting[-1] if fitting else _first_words(sentences[0], most))


# An answer that ends with one of these reads as cut off.
_DANGLING = frozenset(
    """a an the and or but because of to with for in on at by from that which who whose as is are was were be my your
    its it if than not no so into about would should could can may must will have has had
    i you we they he she""".split()
)


def _first_words(text: str, most: int) -> str:
    kept = text.split()[:most]
    while len(kept) > 1 and kept[-1].strip(".,;:'").casefold() in _DANGLING:
        kept.pop()
    return " ".join(kept)


def _closed(text: str) -> str:
    bare = text.rstrip(" .,;:")
    if bare.startswith("'") and not bare.endswith("'"):
        bare = bare[1:]
    return _ended(bare)


def _ended(sentence: str) -> str:
    return sentence if re.search(r"[.!?…]['’”\"]?$", sentence) or emoji(sentence[-2:]) else f"{sentence}."


def _count(parts: Sequence[str]) -> int:
    return len(words(" ".join(parts)))


def _hashtag(phrase: str) -> str:
    """`electric cars` as #ElectricCars; empty if it holds no letter."""
    bare = re.sub(r"^(?:an?|the|my|our)\s+", "", phrase, flags=re.IGNORECASE)
    name = "".join(word[:1].upper() + word[1:] for word in re.findall(r"[^\W_]+", bare))
    return f"#{name}" if hashtags(f"#{name}") else ""
