"""English words with their opposites: a sentence in which one has taken the other's place says another thing."""

from __future__ import annotations

import re
from functools import cache

# Not "always" and "never": what denies is counted by itself.
_PAIRS = """
more less, most least, often seldom, usually rarely, before after, early late, earlier later, first last, longer
shorter, long short, quickly slowly, fast slow, faster slower, quickest slowest, calmer angrier, louder quieter,
louder softer, higher lower, high low, raise lower, raises lowers, larger smaller, large small, big little, bigger
smaller, better worse, best worst, open closed, public private, publicly privately, clear vague, clearly vaguely,
strong weak, stronger weaker, strengthen weaken, strengthens weakens, increase decrease, increases decreases, grow
shrink, grows shrinks, help hinder, helps hinders, easy hard, easier harder, simple complicated, above below, add
remove, adds removes, start stop, starts stops, begin end, begins ends, many few, agree disagree, agrees disagrees,
agreeing disagreeing, remember forget, remembers forgets, succeed fail, succeeds fails, same different, warm cold, hot
cold, dry wet, full empty, kinder harsher, true false, rare common, useful useless, possible impossible, polite rude,
politely rudely, honest dishonest, concrete abstract, specific general, plain clever, sad happy, shy bold, save waste,
saves wastes, protect harm, protects harms, invite discourage, invites discourages, attract repel, attracts repels,
win lose, wins loses, gain lose, gains loses, trust distrust, accept refuse, accepts refuses, show hide, shows hides,
loud quiet, narrow wide, wider narrower, cheap expensive, cheaper dearer, older newer, rich poor, heavy light, heavier
lighter, deep shallow, morning evening, summer winter, north south, east west, minimum maximum, allowed forbidden,
allow forbid, allows forbids, include exclude, includes excludes, reaches misses, slows speeds, calm heated, fuller
thinner, greater smaller, deeper shallower, fresh stale, sharp blunt
"""


@cache
def _opposites() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for pair in _PAIRS.replace("\n", " ").split(","):
        one, other = pair.split()
        found[one] = (*found.get(one, ()), other)
        found[other] = (*found.get(other, ()), one)
    return found


def opposites(word: str) -> tuple[str, ...]:
    """What says the opposite of a word, in small letters; nothing for a word that is not known here."""
    return _opposites().get(word.lower(), ())


def swapped(before: str, after: str) -> tuple[str, str] | None:
    """A word of `before` that `after` lacks, and its opposite, which `after` has and `before` has not."""
    had, has = (re.findall(r"[a-z'’-]+", text.lower()) for text in (before, after))
    for word in dict.fromkeys(had):
        if word not in has:
            for other in opposites(word):
                if other in has and other not in had:
                    return word, other
    return None
