"""What a recipe's sources hold, and the drafters it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from pipeline.constraints import broken_constraints, count_words
from pipeline.corpus import Corpus
from pipeline.draft import Drafter
from pipeline.draft.documents import DocumentDrafter
from pipeline.draft.fixes import FixDrafter, Shown, Wanted
from pipeline.draft.ground import Ground
from pipeline.draft.personas import PersonaDrafter
from pipeline.draft.prompts import Manner, Prompt
from pipeline.draft.refusals import Bank, Beside, RefusalDrafter, RefusalKind
from pipeline.draft.terms import terms_of
from pipeline.errors import InputError
from pipeline.kinds import DRAFTERS
from pipeline.language import told
from pipeline.reading import read_documents
from pipeline.recipe import Banked, Loaded, Recipe
from pipeline.records import Passage
from pipeline.sources.documents import Document, Unread
from pipeline.sources.passages import cut_passages, unique_passages
from pipeline.sources.personas import Persona, read_persona

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sources:
    """What there is to draft from, and which files could not be read."""

    passages: dict[str, Passage] = field(default_factory=dict)
    persona: Persona | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)


def gather(loaded: Loaded, say: Say) -> Sources:
    """Read every source. A file that cannot be read is named with its cause, and the others go on.

    Raises InputError if documents were asked for and none is left.
    """
    recipe = loaded.recipe
    persona = read_persona(loaded.folder / recipe.persona.file) if recipe.persona else None
    hashes = {persona.name: persona.sha256} if persona else {}
    if recipe.documents is None:
        return Sources(persona=persona, hashes=hashes)
    wanted = recipe.documents
    documents: list[Document] = []
    unread: list[Unread] = []
    for read in read_documents(wanted, loaded.folder):
        if isinstance(read, Unread):
            unread.append(read)
            say(f"skipped {read.name}: {read.fate}: {read.cause}")
            continue
        documents.append(read)
        for warning in read.warnings:
            say(f"{read.name}: {warning}")
    passages = unique_passages(
        passage for document in documents for passage in cut_passages(document, wanted.passage_tokens)
    )
    if not passages:
        causes = "; ".join(f"{one.name} is {one.fate}" for one in unread) or "the files hold no passage"
        raise InputError(
            f"no document is left to draft from: {causes}.",
            remedy="Name readable files under documents.files.",
            cause="no_documents",
        )
    hashes |= {document.name: document.sha256 for document in documents}
    return Sources({passage.id: passage for passage in passages}, persona, hashes, unread)


def choose_drafters(loaded: Loaded, sources: Sources, model: str) -> list[Drafter]:
    """The drafters the recipe asks for that rest on sources alone.

    Every prompt is rendered here, so a broken template costs nothing.
    """
    recipe = loaded.recipe
    ground = ground_of(loaded, sources, model)
    manner, prompt, passages = ground.manner, ground.prompt, list(ground.passages)
    drafters: list[Drafter] = []
    if recipe.documents:
        wanted = recipe.documents
        drafters.append(
            DocumentDrafter(passages, wanted.facts_per_passage, wanted.wordings, prompt("document_questions"), manner)
        )
    if recipe.persona and sources.persona:
        group = recipe.persona.answers_per_request
        questions, answers = prompt("persona_questions"), prompt("persona_answers")
        measure = _measure(sources.persona, recipe)
        drafters.append(PersonaDrafter(sources.persona, group, questions, answers, manner, measure))
    if recipe.refusals:
        drafters += _refusal_drafters(loaded, passages, prompt, manner)
    named = {name: wanted for name, wanted in recipe.wanted.items() if not DRAFTERS[name].rests_on_records}
    return drafters + build_drafters(named, ground)


def fix_drafter(wanted: Sequence[Wanted], loaded: Loaded, sources: Sources, model: str) -> FixDrafter:
    """The drafter of other versions that a person asked for."""
    ground, refusals = ground_of(loaded, sources, model), loaded.recipe.refusals
    shown = Shown(sources.passages, sources.persona, refusals.topic if refusals else "")
    return FixDrafter(wanted, shown, ground.prompt("fix"), ground.manner)


def ground_of(loaded: Loaded, sources: Sources, model: str) -> Ground:
    """What drafters may draw on, before there is any record."""
    recipe = loaded.recipe
    return Ground(
        passages=list(sources.passages.values()),
        persona=sources.persona,
        prompt=lambda name: Prompt(loaded.template(f"{name}.jinja")),
        manner=Manner(model, recipe.teacher.temperature, recipe.teacher.max_output_tokens),
        folder=loaded.folder,
        language=recipe.language,
        salt=recipe.split.salt,
        unseen=recipe.split.unseen,
        refusals=recipe.refusals.every_sentence if recipe.refusals else (),
    )


def build_drafters(named: Mapping[str, Any], ground: Ground) -> list[Drafter]:
    """Those of the registry, each with what the recipe says of it. Raises RecipeError and InputError as they do."""
    return [
        drafter
        for name, wanted in named.items()
        for drafter in import_module(DRAFTERS[name].home).build(wanted, ground)
    ]


def _measure(persona: Persona, recipe: Recipe) -> Callable[[str], list[str]]:
    """What an answer in a persona's voice breaks: the persona's constraints, and the dataset's language."""
    odds, sure = recipe.checks.language_odds, recipe.checks.language_words

    def broken(answer: str) -> list[str]:
        faults = broken_constraints(answer, persona.constraints)
        best = told(answer, recipe.language) if odds is not None else None
        if odds is not None and best and best.odds >= odds and count_words(answer) >= sure:
            faults.append(f"it is in the language {best.language!r}, not in {recipe.language!r}")
        return faults

    return broken


def _refusal_drafters(
    loaded: Loaded, passages: list[Passage], prompt: Callable[[str], Prompt], manner: Manner
) -> list[Drafter]:
    refusals = loaded.recipe.refusals
    if refusals is None:
        return []
    by_document: dict[str, list[Passage]] = {}
    for passage in passages:
        by_document.setdefault(passage.document, []).append(passage)
    beside = Beside(
        prompt("answered_questions"),
        {document: Corpus(of) for document, of in by_document.items()},
        refusals.asked_from,
        refusals.asked_together,
        refusals.passages_each,
    )

    def drafter(kind: RefusalKind, banked: Banked, document: str = "") -> RefusalDrafter:
        of = by_document.get(document, [])
        bank = Bank(
            kind, banked.fields, banked.per_field, refusals.topic, refusals.every_sentence, terms_of(of), document, of
        )
        return RefusalDrafter(bank, prompt(f"{kind}_questions"), manner, beside)

    drafters: list[Drafter] = [drafter("off_topic", refusals.off_topic)]
    # By document, so that tomorrow's document brings requests of its own and leaves these as they were.
    for document in by_document:
        drafters.append(drafter("near_topic", refusals.near_topic, document))
        drafters.append(drafter("false_premise", refusals.false_premise, document))
    return drafters
