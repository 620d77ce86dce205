# ruff: noqa: E501 - a list of phrases reads better than its wrapped lines
"""A dataset folder written by a small grammar: like a published one in shape, wording and proportions."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.publish.schema import SLICES, TRAIN, Pair, Row

REFUSAL = "I'm sorry, I can only answer questions about working together."
PROMPT_FORMAT = "Question: {question}\nAnswer:"

CONCEPTS = (
    "active listening|a stand-up meeting|written feedback|a project charter|pair programming|a retrospective|"
    "nonverbal communication|a conflict of interest|an agenda|the sender of a message|body language|a glossary|"
    "an escalation path|informal talk|a mentoring programme|decision logs|a handover note|email etiquette|"
    "a shared calendar|an open question|paraphrasing|psychological safety|a status report|noise in a channel|"
    "the receiver of a message|a town hall|peer review|a facilitator|cultural distance|a deadline"
).split("|")

DEFINITIONS = (
    "the habit of giving a speaker your full attention before forming a reply|"
    "a short gathering in which each person names one obstacle|a considered comment that the reader can return to later|"
    "one page that states why the work exists and who pays for it|two people sharing a keyboard and one stream of thought|"
    "a look back at the last fortnight without naming a culprit|everything that is said by posture, distance and silence|"
    "a situation in which private gain pulls against a public duty|a list of topics with a time and an owner for each|"
    "the party that chooses the words and the channel|the set of gestures that accompany what we say|"
    "an alphabetical list of terms on which everybody has agreed|a ladder of names to call when a problem outgrows you|"
    "conversation that follows no plan and carries much of the news|an arrangement that joins a newcomer with an old hand|"
    "dated entries that record what was settled and by whom|a summary left behind by the person who finishes a shift|"
    "a set of manners that keeps an inbox readable|a timetable that all members can see and edit|"
    "an invitation that cannot be answered with yes or no|saying the same thing again in one's own words|"
    "the confidence that a mistake may be admitted without shame|a weekly page that shows progress against the plan|"
    "any disturbance that changes a signal on its way|the party that decodes the words and gives them meaning|"
    "a large assembly in which leaders take questions from all staff|a careful reading of one's work by an equal|"
    "a neutral person who guards the process and not the result|the gap between the customs of two groups|"
    "the latest hour at which a result is still useful"
).split("|")

REASONS = (
    "people who feel heard argue less and remember more|blockers surface on the day they appear|"
    "spoken remarks fade within an hour|sponsors tend to forget what they promised|errors are caught while they are cheap|"
    "teams repeat whatever they never discuss|a crossed arm can cancel a friendly sentence|"
    "auditors treat silence as consent|a talk without an order drifts towards the loudest voice|"
    "a wrong first word shapes everything that follows|listeners trust their eyes before their ears|"
    "two departments may use one term for three things|juniors hesitate to wake a manager at night|"
    "rumours travel faster than memoranda|tacit knowledge is seldom written down|"
    "nobody recalls in spring what was agreed in autumn|machines do not remember what the night shift noticed|"
    "a vague subject line costs every recipient a minute|double bookings waste the patience of guests|"
    "a closed one ends the exchange too early|a misreading becomes visible at once|"
    "talent stays silent where blame is the custom|small delays grow when they are hidden|"
    "half of the meaning may be lost between two desks|understanding is made at the far end of the line|"
    "distance from the top breeds suspicion|an author cannot see the gaps in a familiar text|"
    "a chair with an opinion steers without noticing|politeness in one place is coldness in another|"
    "work expands until someone draws a line"
).split("|")

PRACTICES = (
    "put the phone away and count to three before answering|stand in a circle and stop after fifteen minutes|"
    "name one strength first and one change afterwards|let the sponsor sign it in ink before any money moves|"
    "swap the driver every twenty minutes|collect the notes anonymously on yellow cards|"
    "watch the hands and the shoulders during a negotiation|declare it in writing and leave the room for the vote|"
    "send it two days ahead and attach the papers|ask for a summary from the other side|"
    "mirror the posture of the partner with restraint|review it each quarter with the newest colleague|"
    "print it on the wall beside the telephone|place a coffee machine between two departments|"
    "meet over lunch on the first Tuesday of a month|write one line with the date, the choice and the reason|"
    "list the open tasks, the broken tools and the next delivery|answer within a day or say when you will|"
    "mark holidays in green and travel in orange|begin with how, what or why|"
    "start with the phrase if I have understood you correctly|thank the person who reports a failure first|"
    "colour each milestone red, amber or green|move to a quiet room or repeat the figure aloud|"
    "leave time for questions after every third slide|publish the recording before the evening|"
    "limit it to four hundred lines and one hour|rotate the role so that everyone learns it|"
    "learn three greetings and the local rule about silence|agree on it together and halve the first estimate"
).split("|")

TAILS = (
    "|, most of all in large teams|, as the second chapter explains|, even under pressure|, which beginners overlook|"
    ", both in the office and at home|, whatever the size of the group|, according to the authors|, in good times and bad|"
    ", and this costs next to nothing|, with very few exceptions"
).split("|")

ASPECTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "definition": (
        "{Concept} is {clause}{tail}.",
        (
            "What is {concept}?", "What is meant by {concept}?", "How would you define {concept}?",
            "Can you describe {concept}?", "Explain what {concept} is.", "Give me a definition of {concept}.",
            "What does the text say {concept} is?", "In a few words, what is {concept}?",
            "Please tell me what {concept} means.", "I have never heard of {concept}. What is it?",
        ),
    ),
    "reason": (
        "{Concept} matters because {clause}{tail}.",
        (
            "Why does {concept} matter?", "Why is {concept} important?", "What is the reason for {concept}?",
            "What speaks for {concept}?", "Why should anybody care about {concept}?",
            "What makes {concept} worth the effort?", "Can you explain why {concept} matters?",
            "For what reason is {concept} valued?", "Why do teams need {concept}?",
            "What would happen without {concept}?",
        ),
    ),
    "practice": (
        "With {concept} it is best to {clause}{tail}.",
        (
            "How does one handle {concept} well?", "What is good practice with {concept}?",
            "How should I deal with {concept}?", "What is advised for {concept}?",
            "Which rule applies to {concept}?", "Can you give me a tip on {concept}?",
            "What should a team do about {concept}?", "How do people get {concept} right?",
            "What do the authors recommend for {concept}?", "Tell me how to go about {concept}.",
        ),
    ),
}  # fmt: skip

FIELDS = {
    "astronomy": "Jupiter|a comet|the Moon|a black hole|Saturn's rings|a solar eclipse|the Milky Way",
    "cooking": "risotto|sourdough bread|a soufflé|pancake batter|tomato soup|béchamel|a roast chicken",
    "football": "the offside rule|a penalty kick|the World Cup|a red card|a corner kick|a goalkeeper|extra time",
    "medicine": "aspirin|a broken arm|measles|blood pressure|a vaccine|insulin|a migraine",
    "geography": "the Nile|Mount Everest|the capital of Peru|Lake Victoria|the Sahara|Iceland|the Danube",
    "chemistry": "sulphuric acid|the periodic table|helium|rust|a catalyst|table salt|oxygen",
    "music": "a violin|Beethoven's fifth symphony|jazz|a fugue|the treble clef|an opera|a drum kit",
    "history": "the French Revolution|Julius Caesar|the Cold War|the Magna Carta|Napoleon|the Black Death|Cleopatra",
    "law": "a mortgage contract|the statute of limitations|a patent|habeas corpus|a will|copyright|bail",
    "cars": "a gearbox|snow tyres|a diesel engine|the handbrake|a spark plug|engine oil|a radiator",
    "animals": "a penguin|the blue whale|a beehive|an octopus|the cheetah|a tortoise|bats",
    "mathematics": "the square root of 144|a prime number|Pythagoras' theorem|an integral|pi|a triangle|long division",
    "programming": "a Python list|a for loop|recursion|a SQL join|a compiler|garbage collection|a hash map",
    "weather": "a thunderstorm|fog|the weather in Oslo|hail|a hurricane|dew|a cold front",
    "gardening": "roses|compost|tomato seedlings|an apple tree|slugs|a lawn|tulip bulbs",
    "finance": "a mutual fund|inflation|the stock market|a credit card|bitcoin|a savings account|value added tax",
    "literature": "Hamlet|a sonnet|Don Quixote|Jane Austen|a haiku|Moby Dick|the Iliad",
    "film": "Casablanca|a film score|Charlie Chaplin|an Oscar|a documentary|stunt doubles|a western",
    "travel": "a visa for Japan|jet lag|the Eiffel Tower|a cruise|lost luggage|a rail pass|Venice",
    "physics": "gravity|the speed of light|a magnet|nuclear fusion|an electron|friction|a pendulum",
    "religion": "Ramadan|the Vatican|a synagogue|Buddhism|Easter|the Bible|Diwali",
    "sport": "a marathon|chess|judo|the Tour de France|swimming|a tennis racket|yoga",
    "games": "poker|a Rubik's cube|Monopoly|a crossword|dominoes|Tetris|backgammon",
    "fashion": "denim|a silk tie|high heels|wool jumpers|a ball gown|the bowler hat|leather gloves",
}
HELD_OUT_FIELDS = ("cooking", "history", "weather", "physics", "fashion")
OFF_TOPIC_FORMS = (
    "What is {term}?", "Who invented {term}?", "How does {term} work?", "Where can I find {term}?",
    "Tell me something about {term}.", "Why is {term} famous?", "How old is {term}?", "Do you know {term}?",
    "How much does {term} cost?", "Can you explain {term}?", "When did people first hear of {term}?",
    "What do you think of {term}?", "Give me three facts about {term}.", "How do I choose {term}?",
)  # fmt: skip
NEAR_TOPICS = {
    "prices": "How much does {term} cost?|What is the price of {term} in euros?|Who pays for {term}?",
    "history": "Who invented {term}?|In which year was {term} first tried?|What did the Romans know about {term}?",
    "law": "Is {term} required by law?|Which court ruled on {term}?|Can I be fined because of {term}?",
    "software": "Which app is best for {term}?|Is there a website for {term}?|How do I automate {term} in Excel?",
    "celebrities": "Which actor is famous for {term}?|What did Einstein say about {term}?|Does the Queen like {term}?",
    "numbers": "How many people worldwide use {term}?|What percentage of firms fail at {term}?|How tall is {term}?",
}
HELD_OUT_NEAR = ("law", "numbers")


def write_course(folder: Path, concepts: int = 30, wordings: int = 8, student: dict[str, Any] | None = None) -> Path:
    """Writes a dataset folder about `concepts` concepts (three facts each) and returns its path."""
    rows = course_rows(concepts, wordings)
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for stem in (TRAIN, *SLICES):
        text = "".join(row.model_dump_json() + "\n" for row in rows[stem]).encode()
        (folder / f"{stem}.jsonl").write_bytes(text)
        files[f"{stem}.jsonl"] = hashlib.sha256(text).hexdigest()
    manifest = {
        "format": 1, "name": "working-together", "coursework": "0.1.0", "recipe_sha256": "0" * 64, "recipe": {},
        "student": student or {}, "prompt_format": PROMPT_FORMAT, "refusals": [REFUSAL], "prompts": {},
        "models": ["a grammar"], "embedded_teacher": True, "sources": {"course.txt": "0" * 64},
        "counts": {stem: len(rows[stem]) for stem in rows}, "files": files, "living_persons": [],
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    return folder


def course_rows(concepts: int = 30, wordings: int = 8) -> dict[str, list[Row]]:
    """The rows of `train` and of each slice; the last tenth of the concepts is held out whole."""
    rows: dict[str, list[Row]] = {stem: [] for stem in (TRAIN, *SLICES)}
    dice = random.Random(7)
    held_out = max(1, concepts // 10)
    for number, concept in enumerate(CONCEPTS[:concepts]):
        for aspect, (pattern, questions) in ASPECTS.items():
            answer = _answer(pattern, aspect, number, concept)
            asked = [question.format(concept=concept) for question in dice.sample(questions, len(questions))]
            fact = f"{aspect}-{number}"
            if number >= concepts - held_out:
                rows["unseen"] += [_row(asked[0], answer, "document", fact)]
                continue
            rows[TRAIN] += [_row(question, answer, "document", fact) for question in asked[:wordings]]
            rows["rephrased"] += [_row(question, answer, "document", fact) for question in asked[8:]]
    share = concepts / len(CONCEPTS)
    for field, terms in FIELDS.items():
        slot = "off_topic" if field in HELD_OUT_FIELDS else TRAIN
        for number, term in enumerate(terms.split("|")[: max(2, round(7 * share))]):
            for form in dice.sample(OFF_TOPIC_FORMS, 2):
                rows[slot].append(_row(form.format(term=term), REFUSAL, "off_topic", f"{field}-{number}-{form}", field))
    for aspect, forms in NEAR_TOPICS.items():
        slot = "near_topic" if aspect in HELD_OUT_NEAR else TRAIN
        for number, concept in enumerate(dice.sample(CONCEPTS[:concepts], max(2, round(12 * share)))):
            question = forms.split("|")[number % 3].format(term=concept)
            rows[slot].append(_row(question, REFUSAL, "near_topic", f"{aspect}-{number}", aspect))
    return rows


def _answer(pattern: str, aspect: str, number: int, concept: str) -> str:
    pool = {"definition": DEFINITIONS, "reason": REASONS, "practice": PRACTICES}[aspect]
    tail = TAILS[(number * 3 + len(aspect)) % len(TAILS)]
    return pattern.format(Concept=concept[0].upper() + concept[1:], concept=concept, clause=pool[number], tail=tail)


def _row(question: str, answer: str, kind: str, fact: str, field: str = "") -> Row:
    return Row(
        prompt=PROMPT_FORMAT.replace("{question}", question), completion=f" {answer}", question=question, answer=answer,
        kind=kind, refusal=answer == REFUSAL, id=hashlib.sha256(question.encode()).hexdigest()[:16], fact=fact,
        source="course.txt", page=1, quote=answer if kind == "document" else "", passage="", field=field,
        model="a grammar", edited=False,
    )  # fmt: skip


TINY = {"name": "tiny", "hidden": 96, "layers": 2, "heads": 4, "vocabulary": 512, "steps": 150, "learning_rate": 4e-3}
"""Learns three concepts in seconds."""
BRIEF = {**TINY, "name": "brief", "hidden": 32, "steps": 4, "vocabulary": 300}
"""Learns nothing, in no time: for tests of everything around the learning."""


def silent(line: str) -> None:
    """For a `say` that nobody listens to."""


def rewrite(folder: Path, stem: str, rows: Sequence[Row | Pair]) -> None:
    """Puts other rows or pairs into a published dataset, the manifest's hashes and counts with them."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    text = "".join(row.model_dump_json() + "\n" for row in rows).encode()
    (folder / f"{stem}.jsonl").write_bytes(text)
    manifest["files"][f"{stem}.jsonl"] = hashlib.sha256(text).hexdigest()
    manifest["counts"][stem] = len(rows)
    path.write_text(json.dumps(manifest, indent=2), encoding="utf-8")
