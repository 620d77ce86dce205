"""Questions with planted duplicates and planted minimal pairs, for measuring what finds the one and spares the other.

`made_up` invents questions without end from templates, words with the skewed frequencies of real text, and names;
`planted_into` takes real ones. Either way some questions come again as written by another hand (`exact`, `near`), and
some come again with one thing in them changed that makes them another question (`minimal`). The edits know nothing of
the lists in pipeline/words.py; the fillers and synonyms are those of a thesaurus, not of the code.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import NamedTuple

TEMPLATES = """
What is the {adj} way to {verb} a {noun} in {name}?
How many {noun}s does {name} need to {verb} the {noun2} before {month}?
Why did {name} {verb} the {adj} {noun} that stood beside the {noun2}?
When should a {noun} be {verb}ed by the people of {name}?
Which {noun} is the largest one in the {adj} {noun2} of {name}?
What happens if {name} forgets to {verb} the {noun} after {number} days?
Who must pay for the {adj} {noun} when the {noun2} of {name} is closed?
What is the limit for {noun}s in {name}?
Where can visitors of {name} find a {adj} {noun} for less than {number} euros?
How does the {noun} of {name} differ from a {adj} {noun2}?
What does a {noun} cost in {name} in {month}?
Is it allowed to {verb} a {noun} inside the {noun2} of {name} without a {adj} permit?
How long does it take to {verb} {number} {noun}s with the {noun2} from {name}?
What role did {name} play in the story of the {adj} {noun} and the {noun2}?
How far is the {noun} of {name} from the nearest {adj} {noun2}?
What is {name} known for among those who {verb} a {adj} {noun}?
""".strip().splitlines()
TAILS = """
according to the {noun3} of {name2}
if nobody from {name2} has a {adj2} {noun3}
while the {noun3} is kept in {name2}
with the help of a {noun3}
in the {adj2} years of {name2}
because of the {adj2} {noun3} next door
unless {name2} objects
for the {noun3} that {name2} owns
""".strip().splitlines()
NOUNS = """bridge garden lantern engine violin harbor ticket blanket kitchen mirror pencil saddle tunnel window basket
candle drawer feather guitar hammer island jacket kettle ladder magnet needle orchard parcel quilt ribbon shovel
turbine umbrella valley wagon anchor battery cabinet diagram elevator fountain glacier helmet iceberg journal keyboard
library meadow notebook oven pump rocket satellite telescope uniform vessel warehouse archive beacon compass desert
embassy ferry granite hospital insect jungle kernel lagoon museum nebula observatory pyramid quarry reservoir sculpture
theatre university volcano workshop barrel cathedral dungeon estuary furnace gallery hangar institute jewel kiosk loom
monument nursery outpost palace railway statue terminal village windmill zeppelin aquarium bakery castle
depot""".split()
ADJECTIVES = """big small old new quick slow quiet loud cheap costly broken empty wooden metal northern southern ancient
modern narrow broad heavy light famous hidden public private frozen golden crooked hollow tidy rusty bright dark steep
gentle fragile sturdy portable electric""".split()
VERBS = """build repair open paint clean lift move sell lend insure weigh polish inspect heat cool flood guard restore
load anchor mend sketch photograph visit label pack film record test""".split()
MONTHS = "January February March April May June July August September October November December".split()
SYLLABLES = "ba ko ri ne lu sa mi to ve da ru pe fo gi ha ze no ka le mu ti so ra be du".split()
SYNONYMS = {
    "big": "large", "small": "tiny", "quick": "fast", "repair": "fix", "build": "construct", "people": "folk",
    "find": "get", "largest": "biggest", "allowed": "permitted", "cost": "sell for", "visitors": "guests",
    "happens": "occurs", "famous": "renowned", "nearest": "closest", "forgets": "fails", "need": "require",
    "ancient": "antique", "paint": "colour", "clean": "wash", "quiet": "silent", "cheap": "inexpensive",
    "broken": "damaged", "role": "part", "story": "tale", "way": "method", "total": "overall", "buy": "purchase",
    "left": "remaining", "each": "every", "money": "cash", "friends": "pals", "house": "home", "kids": "children",
    "makes": "earns", "gives": "hands", "many": "numerous", "begins": "starts", "month": "calendar month",
}  # fmt: skip
FILLERS = ["in practice", "nowadays", "as a rule", "these days", "in fact", "exactly", "usually", "then", "overall"]
OPENINGS = ["Please tell me: {}", "I would like to know, {}", "Hello! {}", "Quick question: {}", "So, {}"]
OPPOSITES = {
    "largest": "smallest", "before": "after", "after": "before", "less": "more", "more": "less", "without": "with",
    "inside": "outside", "nearest": "farthest", "must": "may", "north": "south", "old": "new", "big": "small",
    "open": "close", "cheap": "costly", "from": "to", "first": "last", "buy": "sell", "day": "week", "week": "month",
    "twice": "half", "per": "beyond", "closed": "open", "long": "often",
}  # fmt: skip


class Planted(NamedTuple):
    """A question, what it is to the one it was made from, and by which edits."""

    question: str
    kind: str
    """base, exact, near or minimal."""
    parent: int = -1
    """Place of the one it was made from."""
    edits: tuple[str, ...] = ()


Edit = Callable[[str, random.Random], str]


def made_up(
    count: int, seed: int = 0, exact: float = 0.1, near: float = 0.1, minimal: float = 0.05
) -> Iterator[Planted]:
    """Invented questions; these shares of them are planted."""
    return _planted(_bases(random.Random(f"bases {seed}")), count, random.Random(seed), (exact, near, minimal))


def planted_into(questions: Iterable[str], count: int, seed: int = 0) -> Iterator[Planted]:
    """Real questions, about half of the count, and as many planted."""
    return _planted(iter(questions), count, random.Random(seed), (0.15, 0.2, 0.15))


def _planted(
    bases: Iterator[str], count: int, dice: random.Random, shares: tuple[float, float, float]
) -> Iterator[Planted]:
    """Ends early where the bases do. No two texts are the same by chance."""
    places: list[int] = []
    texts: list[str] = []
    seen: set[str] = set()
    place = 0
    bounds = list(accumulate(shares))
    while place < count:
        drawn = dice.random()
        if drawn < bounds[-1] and texts:
            chosen = dice.randrange(len(texts))
            kind = ("exact", "near", "minimal")[sum(drawn >= bound for bound in bounds)]
            item = _edited(texts[chosen], kind, places[chosen], dice)
            if item is None or (kind != "exact" and _plain(item.question) in seen):
                continue
        else:
            question = next(bases, None)
            if question is None:
                return
            if _plain(question) in seen:
                continue
            item = Planted(question, "base")
            places.append(place)
            texts.append(question)
        seen.add(_plain(item.question))
        yield item
        place += 1


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.+%$-]+", " ", text.lower()).strip(" .")


def _bases(dice: random.Random) -> Iterator[str]:
    compounds = [one + other for one in NOUNS for other in NOUNS if one != other]
    dice.shuffle(compounds)

    def noun() -> str:
        """One of a few, or of thousands of which some come often."""
        if dice.random() < 0.3:
            return dice.choice(NOUNS)
        return compounds[min(int(dice.paretovariate(0.4)) - 1, dice.randrange(len(compounds)))]

    def name() -> str:
        return "".join(dice.choice(SYLLABLES) for _ in range(dice.choice((2, 3, 3, 4)))).capitalize()

    while True:
        template = dice.choice(TEMPLATES)
        if dice.random() < 0.6:
            template = template.rstrip("?") + " " + dice.choice(TAILS) + "?"
        yield template.format(
            adj=dice.choice(ADJECTIVES), adj2=dice.choice(ADJECTIVES), verb=dice.choice(VERBS), noun=noun(),
            noun2=noun(), noun3=noun(), name=name(), name2=name(),
            month=dice.choice(MONTHS), number=dice.randrange(2, 400),
        )  # fmt: skip


def _edited(question: str, kind: str, parent: int, dice: random.Random) -> Planted | None:
    if kind == "exact":
        text = dice.choice(RESPELLINGS)(question)
        return Planted(text, kind, parent, ("respelling",))
    natures = MINIMAL if kind == "minimal" else NEAR
    wanted = 1 if kind == "minimal" else dice.choice((1, 1, 2, 3))
    done: list[str] = []
    text = question
    for nature in dice.sample(sorted(natures), len(natures)):
        edited = natures[nature](text, dice)
        if edited and edited != text:
            text = edited
            done.append(nature)
        if len(done) == wanted:
            break
    return Planted(text, kind, parent, tuple(done)) if done and text != question else None


def _typo(text: str, dice: random.Random) -> str:
    found = [match for match in re.finditer(r"\b[a-z]{5,}\b", text)]
    if not found:
        return ""
    match = dice.choice(found)
    at = dice.randrange(match.start() + 1, match.end() - 1)
    letter = dice.choice("aeinrst")
    return dice.choice(
        [
            text[:at] + text[at + 1 :],
            text[:at] + text[at] + text[at:],
            text[:at] + text[at + 1] + text[at] + text[at + 2 :],
            text[:at] + letter + text[at + 1 :],
        ]
    )


def _swapped(table: dict[str, str]) -> Edit:
    def swap(text: str, dice: random.Random) -> str:
        found = [match for match in re.finditer(r"[A-Za-z]+", text) if match.group() in table]
        if not found:
            return ""
        match = dice.choice(found)
        return text[: match.start()] + table[match.group()] + text[match.end() :]

    return swap


def _filler(text: str, dice: random.Random) -> str:
    words = text.split(" ")
    words.insert(dice.randrange(2, max(3, len(words))), dice.choice(FILLERS))
    return " ".join(words)


def _opening(text: str, dice: random.Random) -> str:
    return dice.choice(OPENINGS).format(text[0].lower() + text[1:])


def _reordered(text: str, dice: random.Random) -> str:
    found = re.fullmatch(r"(\w.*?) ((?:in|after|with|without|for|inside) [^,.?]+)\?", text)
    return f"{found[2].capitalize()}, {found[1][0].lower()}{found[1][1:]}?" if found else ""


def _contracted(text: str, dice: random.Random) -> str:
    return re.sub(r"\b(What|Who|How|Where) is\b", r"\1's", text, count=1)


def _articles(text: str, dice: random.Random) -> str:
    found = list(re.finditer(r" (a|the) ", text))
    if not found:
        return ""
    match = dice.choice(found)
    return f"{text[: match.start()]} {'the' if match[1] == 'a' else 'a'} {text[match.end() :]}"


def _entity(text: str, dice: random.Random) -> str:
    found = [match for match in re.finditer(r"(?<=[a-z,] )[A-Z][a-z]+", text) if match.group() not in MONTHS]
    if not found:
        return ""
    old = dice.choice(found).group()
    new = "".join(dice.choice(SYLLABLES) for _ in range(3)).capitalize()
    return re.sub(rf"\b{old}\b", new, text)


def _near_entity(text: str, dice: random.Random) -> str:
    """A name one letter apart: another person."""
    found = [match for match in re.finditer(r"(?<=[a-z,] )[A-Z][a-z]{4,}", text) if match.group() not in MONTHS]
    if not found:
        return ""
    old = dice.choice(found).group()
    at = dice.randrange(1, len(old))
    new = old[:at] + dice.choice([letter for letter in "aeioulmnrst" if letter != old[at]]) + old[at + 1 :]
    return re.sub(rf"\b{old}\b", new, text)


def _number(text: str, dice: random.Random) -> str:
    found = list(re.finditer(r"\d+(?:\.\d+)?", text))
    if not found:
        return ""
    match = dice.choice(found)
    old = match.group()
    new = dice.choice([str(int(float(old)) + dice.randrange(1, 9)), f"{old[0]}.{old[1:] or '5'}", old + "0", "-" + old])
    return text[: match.start()] + new + text[match.end() :]


def _negated(text: str, dice: random.Random) -> str:
    for pattern, swap in ((r"\b(does|did|do|should|must|can|is)( \w+)", r"\1\2 not"), (r"\bnot ", "")):
        edited = re.sub(pattern, swap, text, count=1)
        if edited != text:
            return edited
    return ""


def _exchanged(text: str, dice: random.Random) -> str:
    """Who does what to whom."""
    found = list(re.finditer(r"\b(?:a|the) (?:\w+ )?([a-z]{4,})", text))
    if len(found) < 2 or found[0][1] == found[-1][1]:
        return ""
    one, other = found[0], found[-1]
    return text[: one.start(1)] + other[1] + text[one.end(1) : other.start(1)] + one[1] + text[other.end(1) :]


def _noun(text: str, dice: random.Random) -> str:
    found = [match for match in re.finditer(r"[a-z]+", text) if match.group() in NOUNS]
    if not found:
        return ""
    match = dice.choice(found)
    return text[: match.start()] + dice.choice([noun for noun in NOUNS if noun != match.group()]) + text[match.end() :]


RESPELLINGS: list[Callable[[str], str]] = [
    lambda text: text, str.upper, str.lower, lambda text: text.replace(" ", "  "), lambda text: text.rstrip("?") + " ?",
    lambda text: f"“{text}”", lambda text: text.rstrip("?"), lambda text: text + "!", lambda text: text.title(),
]  # fmt: skip
NEAR: dict[str, Edit] = {
    "typo": _typo, "synonym": _swapped(SYNONYMS), "filler": _filler, "opening": _opening, "reordered": _reordered,
    "contracted": _contracted, "articles": _articles,
}  # fmt: skip
MINIMAL: dict[str, Edit] = {
    "entity": _entity, "name by a letter": _near_entity, "number": _number, "negated": _negated,
    "exchanged": _exchanged, "opposite": _swapped(OPPOSITES), "noun": _noun,
}  # fmt: skip
