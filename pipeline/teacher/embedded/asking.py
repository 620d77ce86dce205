"""What a question is after: its type, the thing it is about, and the choice it offers."""

from __future__ import annotations

import re
from collections.abc import Sequence

_AUXILIARIES = (
    "is are am was were do does did can could should would will shall may might must have has had"
    " isn't aren't don't doesn't didn't can't couldn't shouldn't wouldn't won't haven't hasn't"
)
_YES_NO = "|".join(map(re.escape, _AUXILIARIES.split()))
_TYPES = (
    ("if", r"(?:if|suppose|imagine|what if)\b"),
    ("why", r"(?:why|how come|what for)\b"),
    ("how_much", r"how (?:much|many|often|long|far|big|small|old|soon|fast|large|late|early)\b"),
    ("how", r"how\b"),
    ("who", r"who(?:m|se)?\b"),
    ("when", r"when\b"),
    ("where", r"where\b"),
    ("which", r"which\b"),
    ("what", r"what\b"),
    ("yes_no", rf"(?:{_YES_NO})\b"),
)
_NO_CHOICE = frozenset({"not", "so", "less", "more", "else", "no", "otherwise"})
_CHOICE = re.compile(r"\b(?:rather|prefer|between)\s+(?P<first>[^,:?]+?),?\s+or\s+(?P<second>[^,:?]+)\?")
_LISTED = re.compile(r"[,:]\s+(?P<first>[^,:?]+?),?\s+or\s+(?P<second>[^,:?]+)\?")
_SECOND = re.compile(r"\bor\s+(?P<second>[^,:?]+)\?")
_TO_SPEAKER = {"your": "my", "yours": "mine", "you": "me", "yourself": "myself"}


def type_of(question: str) -> str:
    """One of if, why, how_much, how, who, when, where, which, what, yes_no, choice and other."""
    if choices(question):
        return "choice"
    # "In the galley, what do you ...": the question may start after a comma or a colon.
    for part in (question, *re.split(r"[,:]\s+", question)[1:]):
        for name, pattern in _TYPES:
            if re.match(pattern, part.strip(), re.IGNORECASE):
                return name
    return "other"


def choices(question: str) -> list[str]:
    """The things between which the question offers a choice, as the one who answers would name them."""
    found = _CHOICE.search(question) or _LISTED.search(question) or _SECOND.search(question)
    if not found:
        return []
    offered = [text.strip() for text in found.groupdict().values()]
    if any(_no_thing(text) for text in offered):
        return []
    return [_as_speaker(text) for text in offered]


def _no_thing(text: str) -> bool:
    first = text.split(maxsplit=1)[0].casefold()
    return first in _NO_CHOICE or first in _AUXILIARIES.split() or len(text.split()) > 8


def topic_of(question: str, topics: Sequence[str]) -> str:
    """What the question is about: a topic of the card that it names, else its first noun phrase that says anything."""
    named = [topic for topic in topics if _names(question, topic)]
    if named:
        return max(named, key=len)
    phrases = _phrases(question)
    telling = [phrase for phrase in phrases if phrase.split()[-1].casefold() not in _LIGHT]
    return _as_speaker((telling or phrases or ["that"])[0])


def _names(question: str, topic: str) -> bool:
    stem = re.escape(topic[:-1] if topic.endswith("s") else topic)
    return re.search(rf"\b{stem}s?\b", question, re.IGNORECASE) is not None


_DETERMINERS = frozenset("a an the your my our their his her its this these those every each one two three".split())
# What is no part of a noun phrase: function words, and the verbs that questions are commonly asked with.
_BETWEEN = frozenset(
    f"""{_AUXILIARIES} and or but if so as than then too not no nor of in on at to for from by with about into over
    under after before during through without within against between among around behind across up down out off away
    i you he she it we they me him us them who whom whose which what when where why how there here that because while
    until since though be been being again ever never always often sometimes still just only even really much many
    more most less least very quite rather else such some any all both either neither same other another
    let make makes made making get gets got go goes going gone come comes take takes taken give gives given know knows
    think thinks believe say says tell tells want wants need needs like likes love loves hate hates use uses used keep
    keeps put puts find finds feel feels see sees look looks mean means help helps try tries ask asks work works play
    plays call calls choose choose picks pick prefer spend spends lose loses win wins buy buys sell sells pay teach
    learn learns bring brings happen happens become becomes change changes start starts stop stops begin turn turns eat
    eats drink drinks cook cooks clean cleans fix fixes build builds write writes read reads drive drives explain
    describe handle store stores serve serves deserve deserves matter matters stand stay stays leave leaves run runs
    live lives wear wears carry carries taught learned allowed please worth old young true fair long far big
    small soon fast large late early""".split()
)


# "the secret of a good broth" is about the broth.
_LIGHT = frozenset("way ways thing things kind sort type part parts reason secret idea piece bit".split())
# What follows one of these without a determiner is a verb: "to bake", "can you whistle".
_BEFORE_VERB = frozenset("to you i we they one ever never people".split())


def _phrases(question: str) -> list[str]:
    """Runs of words that may be noun phrases, each with its determiner, without capitals that only begin a sentence."""
    found: list[list[str]] = [[]]
    before = ""
    for word in re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", question):
        plain = word.casefold()
        verb = before in _BEFORE_VERB and plain not in _DETERMINERS
        if verb or plain in _BETWEEN or plain.endswith("ly"):
            found.append([])
        elif plain in _DETERMINERS:
            found.append([plain])
        else:
            found[-1].append(word if before else plain)
            if re.search(r"[^suiy'’]s$", plain):  # a plural ends its phrase: "should beans | soak"
                found.append([])
        before = plain
    runs = [run[:-1] if len(run) > 2 and run[-1].endswith("ed") else run for run in found]
    return [" ".join(run) for run in runs if any(word not in _DETERMINERS for word in run)]


def _as_speaker(text: str) -> str:
    return re.sub(r"\b(?:yourself|yours|your|you)\b", lambda found: _TO_SPEAKER[found.group()], text)
