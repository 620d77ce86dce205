"""The ways to ask one thing: each family takes the pieces of a sentence and words the same question differently.

Wordings carry no capital and no question mark; `finished` adds both. They stand in order of preference.
"""

from __future__ import annotations

import re


def finished(wording: str) -> str:
    """The wording as a question: capital first, question mark last."""
    text = re.sub(r"\s+", " ", wording).strip()
    start = 1 if text[:1] in '“"' else 0
    return f"{text[:start]}{text[start : start + 1].upper()}{text[start + 1 :]}?"


def why(asked: str, told: str) -> list[str]:
    """The reason for something. `asked` is "do people interrupt", `told` is "people interrupt"."""
    return [
        f"why {asked}",
        f"what is the reason that {told}",
        f"can you explain why {told}",
        f"{told}, but why",
        f"how would you account for the fact that {told}",
        f"if someone asked you why {told}, what would you say",
        f"for what reason {asked}",
        f"what lies behind the fact that {told}",
        f"why is it that {told}",
        f"what cause would you name if you were asked why {told}",
        f"{told}; what is the explanation for that",
    ]


def result(told: str) -> list[str]:
    """What comes of a fact that is stated in the question."""
    return [
        f"what follows from the fact that {told}",
        f"{told}; what is the consequence",
        f"what conclusion can be drawn from the fact that {told}",
    ]


def purpose(asked: str, told: str) -> list[str]:
    """What something is done for."""
    return [
        f"for what purpose {asked}",
        f"why {asked}",
        f"can you explain why {told}",
        f"{told}, but to what end",
        f"if someone asked you why {told}, what would you say",
        f"what is the reason that {told}",
        f"with what aim {asked}",
        f"how would you account for the fact that {told}",
    ]


def point_of(doing: str) -> list[str]:
    """What an advised action is good for; `doing` is its gerund, "asking one question at a time"."""
    return [
        f"why is {doing} a good idea",
        f"what is the point of {doing}",
        f"what do you gain by {doing}",
        f"what reason is there for {doing}",
        f"what speaks in favour of {doing}",
        f"what is {doing} good for",
        f"if someone doubted the use of {doing}, what would you reply",
        f"what is achieved by {doing}",
    ]


def what(asked: str, told: str, word: str = "what") -> list[str]:
    """The part of a sentence that a question word stands for."""
    wordings = [
        f"{word} {asked}",
        f"can you say {word} {told}",
        f"if someone asked you {word} {told}, how would you answer",
        f"do you know {word} {told}",
        f"how would you explain to a friend {word} {told}",
    ]
    if word in ("what", "whom"):
        wordings[1:1] = [f"{word} is it that {told}", f"{word} would you say {told}"]
    return wordings


def doer(predicate: str, *, person: bool) -> list[str]:
    """Who or what a predicate is true of: "sounds like criticism"."""
    word, thing, kind = (
        ("who", "someone", "what sort of person") if person else ("what", "something", "what sort of thing")
    )
    return [
        f"{word} {predicate}",
        f"can you name {thing} that {predicate}" if not person else f"can you name {thing} who {predicate}",
        f"{word} is it that {predicate}",
        f"{kind} {predicate}",
        f"if someone asked you {word} {predicate}, how would you answer",
    ]


def how(asked: str, told: str) -> list[str]:
    """The means or the manner."""
    return [
        f"how {asked}",
        f"in what way {asked}",
        f"can you explain how {told}",
        f"by what means {asked}",
        f"what is the way in which {told}",
        f"if someone asked you how {told}, what would you say",
        f"{told}, but how",
    ]


def amount(how: str, asked: str, told: str) -> list[str]:
    """How much, how long, how often; `how` is the question word."""
    return [
        f"{how} {asked}",
        f"can you say {how} {told}",
        f"do you know {how} {told}",
        f"if someone asked you {how} {told}, what would you say",
        f"could you tell me {how} {told}",
        f"I would like to know {how} {told}; can you help",
        f"what would you say if asked {how} {told}",
    ]


def when(asked: str, told: str) -> list[str]:
    """The condition or the moment."""
    return [
        f"when {asked}",
        f"in what circumstances {asked}",
        f"can you say when {told}",
        f"what is the situation in which {told}",
        f"if someone asked you when {told}, how would you answer",
        f"{told}, but when",
        f"under what condition {asked}",
        f"what has to be the case before one can say that {told}",
    ]


def hours(asked: str, told: str) -> list[str]:
    """The hour at which something opens or begins."""
    return [
        f"when {asked}",
        f"at what time {asked}",
        f"can you say when {told}",
        f"do you know at what time {told}",
        f"if someone asked you when {told}, how would you answer",
        f"could you tell me when {told}",
    ]


def definition(term: str, verb: str) -> list[str]:
    """What a term means; `verb` is is or are."""
    bare = re.sub(r"^(an?|the) ", "", term)
    quoted = f"the term “{bare}”" if not re.search('[“”"]', bare) else f"the term {bare}"
    return [
        f"what {verb} {term}",
        f"how would you define {term}",
        f"what is meant by {term}",
        f"what does {quoted} mean",
        f"can you explain what {term} {verb}",
        f"what do people have in mind when they speak of {term}",
        f"how can {term} be described in one sentence",
        f"if someone asked you what {term} {verb}, what would you say",
        f"what definition would you give of {term}",
    ]


def identity(complement: str, verb: str) -> list[str]:
    """What a description that fits only one thing stands for: "the most common sign of contempt"."""
    return [
        f"what {verb} {complement}",
        f"what counts as {complement}",
        f"can you name {complement}",
        f"what would you give as an example if asked for {complement}",
        f"do you know what {complement} {verb}",
        f"what deserves to be called {complement}",
        f"to what does the description “{complement}” apply",
        f"what would you describe as {complement}",
        f"if someone wanted to know {complement}, what would you reply",
    ]


def advice(situation: str) -> list[str]:
    """What to do in a situation that starts with its conjunction: "if a request has a deadline"."""
    conjunction, _, bare = situation.partition(" ")
    wordings = [
        f"what should you do {situation}",
        f"{situation}, what should you do",
        f"how should a person respond {situation}",
        f"what is the right thing to do {situation}",
        f"which advice applies {situation}",
        f"{situation}, which step is recommended",
        f"what would you tell someone to do {situation}",
        f"{situation}, how would you advise a friend to act",
        f"what does a good response look like {situation}",
        f"{situation}, what is the best course of action",
    ]
    if conjunction in ("if", "when"):
        wordings.insert(3, f"suppose {bare}; what would be a sensible response")
    return wordings


def scenario(situation: str) -> list[str]:
    """What to do in a situation that one is asked to imagine."""
    conjunction, _, bare = situation.partition(" ")
    if conjunction not in ("if", "when"):
        return []
    return [
        f"imagine that {bare}; what should you do next",
        f"picture a situation in which {bare}; how would you act",
        f"{bare}; what do you do",
    ]


def outcome(situation: str) -> list[str]:
    """What happens in a situation."""
    return [
        f"what happens {situation}",
        f"{situation}, what happens",
        f"what can be expected {situation}",
        f"{situation}, what is the result",
    ]


def effect_on(cause: str, object_: str, verb: str) -> list[str]:
    """What something does to somebody or something; `verb` is the form of do that fits the cause."""
    return [
        f"what effect {verb} {cause} have on {object_}",
        f"how {verb} {cause} affect {object_}",
        f"what {verb} {cause} do to {object_}",
        f"how would you describe the effect of {cause} on {object_}",
    ]


def effect_of(cause: str, verb: str) -> list[str]:
    """What comes of something."""
    return [
        f"what is the effect of {cause}",
        f"what {verb} {cause} lead to",
        f"what can you expect from {cause}",
        f"how would you describe the effect of {cause}",
        f"what happens as a result of {cause}",
    ]


def choice(predicate: str, one: str, other: str, *, person: bool) -> list[str]:
    """Which of two a comparison favours."""
    word = "who" if person else "which"
    return [
        f"{word} {predicate}, {one} or {other}",
        f"if you compare {other} with {one}, which of the two {predicate}",
        f"of {one} and {other}, which {predicate}",
        f"what is the difference between {one} and {other}",
    ]


def contrast(one: str, other: str, verb: str) -> list[str]:
    """How two things differ."""
    return [
        f"how {verb} {one} differ from {other}",
        f"what is the difference between {one} and {other}",
        f"what sets {one} apart from {other}",
        f"if you compare {one} with {other}, what do you find",
        f"can you explain the contrast between {one} and {other}",
    ]


def completion(opening: str) -> list[str]:
    """The end of a sentence whose opening is given."""
    return [
        f"how would you complete the sentence “{opening} …”",
        f"which words bring the statement “{opening} …” to its end",
    ]


def step(name: str, noun: str, topic: str, action: str, doing: str) -> list[str]:
    """One step of a numbered list, asked by its name and by what it tells the reader to do."""
    return [
        f"which {noun} in {topic} asks you to {action}",
        f"what is {doing} called among the {noun}s of {topic}",
        f"what does the {noun} called “{name}” involve in {topic}",
        f"suppose that, in {topic}, you {action}; which {noun} is that",
        f"what is the name of the {noun} in {topic} that asks you to {action}",
        f"at which point in {topic} should you {action}",
        f"in {topic}, what should you do at the {noun} called “{name}”",
        f"if someone learning about {topic} asked you to explain “{name}”, what would you say",
        f"to which {noun} in {topic} does the advice to {action} belong",
    ]


def row(columns: list[str], contents: list[str], situation: str) -> list[str]:
    """What the columns of a table give for the situation in its first one."""
    names = [f"{article(column)} {column}" for column in columns]
    listed = " and ".join(names)
    verb = "are" if len(names) > 1 else "is"
    questions = [
        f"what {verb} {listed} when {situation}",
        f"when {situation}, what would you call {listed}",
        f"suppose {situation}; what would {listed} look like then",
        f"in a situation where {situation}, what counts as " + " and what as ".join(names),
        f"which behaviour is {names[0]} when {situation}" + "".join(f", and which is {name}" for name in names[1:]),
    ]
    if len(names) == 2:
        questions[1:1] = [
            f"when {situation}, {contents[0]} is {names[0]}; what is {names[1]}",
            f"{names[1]} is {contents[1]} when {situation}; what is {names[0]}",
            f"how does {names[1]} differ from {names[0]} when {situation}",
        ]
    return questions


def article(noun: str) -> str:
    """The indefinite article that goes with the noun."""
    return "an" if noun[0].lower() in "aeiou" else "a"
