"""The registry: every kind of record with how it is checked and split, and every drafter with the file it lives in.

A new kind of data is a file in `pipeline/draft/`, a template in `prompts/`, and a line in each of the two tables
here; docs/add-a-drafter.md does it step by step.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class Kind(NamedTuple):
    """How records of one kind are checked, and what decides where they go in the split."""

    grounded: bool = False
    """A passage stands behind the answer: its numbers and its meaning are held against it, and the judge may look."""
    quoted: bool = False
    """Words of the passage stand behind the answer: a draft without a quote that stands there is no record."""
    retold: bool = False
    """It says what its parent says: its answer is held against the parent's, and so the judge sees it."""
    voiced: bool = False
    """The answer is in a persona's voice: the persona's constraints hold, and the facts in it are counted."""
    joint: bool = False
    """All the passages that it names bear the answer out together. False: further ones only stand beside the first."""
    refusal: bool = False
    """The right answer is the refusal sentence."""
    by_context: bool = False
    """It is refused because of what is shown with it: what the corpus holds does not matter, and it counts neither as
    a refusal nor as an answer where `refusals.share` is made up."""
    topical: bool = False
    """A refusal whose question sounds as if it were about the topic: trained only beside an answered twin."""
    compared: bool = True
    """The question is compared with every other. False where the same question is asked again on purpose (beside
    another context, for another answer): then only the very same record is a duplicate."""
    alike: bool = False
    """Its questions are alike by design ("Sum up A.", "Sum up B."): that one is similar to another is not flagged."""
    split: Literal["source", "field", "train"] = "source"
    """What is held out whole: a passage, or a fact where there is no passage; a field; `train`: nothing is."""
    turns: bool = False
    """A turn of a dialogue: it may lean on the turns before it, stands only while they do, and the split holds all
    turns of one together."""
    paired: bool = False
    """A worse answer stands beside the answer: published by itself, for training by preference, and never held out."""
    checks: tuple[str, ...] = ()
    """Checks of its own, by name (see pipeline/curate/own.py)."""
    skips: tuple[str, ...] = ()
    """Checks of form that say nothing about it, by name (see pipeline/curate/form.py)."""
    question_words: tuple[int, int] | None = None
    """Fewest and most words of a question; None: as `checks.question_words` in the recipe says for all."""
    answer_words: tuple[int, int] | None = None
    """Fewest and most words of an answer; None: as `checks.answer_words` in the recipe says for all."""


IMPORTED = "imported"
"""The kind of rows that others made, which a recipe mixes in: trained, and never held out."""

_TASK_SKIPS = ("question_mark", "unclear_question", "answer_echo", "answer_cut", "list_mark", "answer_language")

KINDS: dict[str, Kind] = {
    "document": Kind(grounded=True, quoted=True),
    "summary": Kind(
        grounded=True, joint=True, alike=True, checks=("size",), skips=("question_mark",), answer_words=(1, 500)
    ),
    "summary_of_text": Kind(
        grounded=True,
        joint=True,
        compared=False,
        checks=("size",),
        skips=("question_mark", "unclear_question"),
        answer_words=(1, 500),
    ),
    # The same instruction is given with many texts; what solves it is no sentence as often as it is one.
    "reading_task": Kind(compared=False, checks=("solved",), skips=_TASK_SKIPS),
    "writing_task": Kind(compared=False, checks=("solved",), skips=_TASK_SKIPS),
    "multi_hop": Kind(grounded=True, quoted=True, joint=True, checks=("needs_all",)),
    "in_context": Kind(grounded=True, quoted=True, compared=False),
    "not_in_context": Kind(refusal=True, by_context=True, compared=False, checks=("left_out",)),
    "persona": Kind(voiced=True),
    # More wordings of what a student answered wrongly: only ever trained, so that no examination moves.
    "reworded": Kind(grounded=True, quoted=True, split="train", checks=("examined",)),
    "off_topic": Kind(refusal=True, split="field"),
    "near_topic": Kind(refusal=True, topical=True, split="field"),
    "false_premise": Kind(refusal=True, topical=True, split="field"),
    # A problem with other numbers is another problem, however much it reads like the first.
    "math": Kind(
        compared=False,
        checks=("computed", "sums"),
        skips=("unclear_question",),
        question_words=(8, 160),
        answer_words=(4, 240),
    ),
    "self_instruct": Kind(
        compared=False,
        checks=("novelty", "for_text", "label"),
        skips=("question_mark", "unclear_question", "answer_echo", "list_mark", "answer_cut", "answer_language"),
        answer_words=(1, 400),
    ),
    # A pair of a file that a drafter takes up: it is nobody's draft, and is published only as what is made of it.
    "given": Kind(),
    "tone": Kind(retold=True, compared=False, checks=("retold",), skips=("assistant_closing",)),
    "evolve": Kind(grounded=True, checks=("asks_anew", "keeps_limits")),
    "dialogue": Kind(grounded=True, turns=True, compared=False, checks=("first_alone",)),
    "persona_dialogue": Kind(voiced=True, turns=True, compared=False, checks=("first_alone",)),
    "reasoning": Kind(compared=False, checks=("reasoned",), answer_words=(4, 400)),
    "preference": Kind(grounded=True, paired=True, compared=False, checks=("worse",)),
    # Nobody wrote it for this dataset: what stands in place of the checks skipped is in pipeline/mix/screen.py.
    IMPORTED: Kind(
        split="train", skips=("question_mark", "question_length", "unclear_question", "source_and_teacher_speak")
    ),
}


class Line(NamedTuple):
    """One drafter that a recipe names under `drafters:`."""

    home: str
    """Its module, with the class `Settings` of what a recipe may say, and `build`, which makes the drafter."""
    rests_on_records: bool = False
    """It is built of what the drafters before it brought and the checks let pass: asked in a round of its own."""


DRAFTERS: dict[str, Line] = {
    "math": Line("pipeline.draft.math"),
    "self_instruct": Line("pipeline.draft.self_instruct", rests_on_records=True),
    "questions": Line("pipeline.draft.questions", rests_on_records=True),
    "tone": Line("pipeline.draft.tone", rests_on_records=True),
    "evolve": Line("pipeline.draft.evolve", rests_on_records=True),
    "dialogue": Line("pipeline.draft.dialogue"),
    "reasoning": Line("pipeline.draft.reasoning", rests_on_records=True),
    "preference": Line("pipeline.draft.preference", rests_on_records=True),
    "multi_hop": Line("pipeline.draft.multi_hop"),
    "summary": Line("pipeline.draft.summary"),
    "task_data": Line("pipeline.draft.task_data"),
    "in_context": Line("pipeline.draft.in_context", rests_on_records=True),
}

REFUSAL_KINDS: frozenset[str] = frozenset(name for name, kind in KINDS.items() if kind.refusal)
UNANSWERED_KINDS: frozenset[str] = frozenset(name for name in REFUSAL_KINDS if not KINDS[name].by_context)
"""Questions to be refused because the documents do not answer them."""
TOPICAL_KINDS: frozenset[str] = frozenset(name for name, kind in KINDS.items() if kind.topical)
"""Questions to be refused that sound as if they were about the topic."""
