"""The stages in their order: sources, requests, replies, drafts, records, sheets, dataset."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path

from pipeline import __version__
from pipeline.curate import Material, Origin, curate
from pipeline.draft import Drafter, Told
from pipeline.draft.documents import DocumentDrafter
from pipeline.draft.personas import PersonaDrafter
from pipeline.draft.prompts import Manner, Prompt
from pipeline.draft.refusals import Bank, RefusalDrafter
from pipeline.draft.terms import terms_of
from pipeline.errors import InputError, TeacherError, TryAgainLater
from pipeline.files import json_lines, write_folder, write_whole
from pipeline.funnel import Funnel
from pipeline.publish.dataset import Provenance, dataset_files
from pipeline.publish.schema import TRAIN
from pipeline.publish.split import prove_no_leak, split_records
from pipeline.recipe import Loaded, Teacher
from pipeline.records import Draft, Passage, Rejection
from pipeline.review.sheets import decide, lay_sheet, read_sheets
from pipeline.sources.documents import Document, ReadLimits, Unread, find_documents, read_document
from pipeline.sources.passages import cut_passages, unique_passages
from pipeline.sources.personas import Persona, read_persona
from pipeline.teacher.endpoint import Address, Endpoint, environment, find_teacher, open_endpoint
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.pool import Terms, ask
from pipeline.teacher.request import Reply, Request

Say = Callable[[str], None]
Progress = Callable[[int, int], None]
"""Requests ended, requests asked for in this round."""


@dataclass(frozen=True)
class Sources:
    """What there is to draft from, and which files could not be read."""

    passages: dict[str, Passage] = field(default_factory=dict)
    persona: Persona | None = None
    hashes: dict[str, str] = field(default_factory=dict)
    unread: list[Unread] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What a run ended with."""

    folder: Path
    funnel: Funnel
    changed: bool
    """The dataset differs from what was published before."""
    problems: list[str]
    """Lines of review sheets that could not be followed, each as file:line: what."""


@dataclass(frozen=True)
class Plan:
    """What a run would ask. Tokens are estimates; `usd` is None where the recipe names no price."""

    by_kind: dict[str, tuple[int, int]]
    """Request kind to (planned, of which already answered)."""
    follow: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    teacher: str
    sources: Sources


def run(loaded: Loaded, out: Path, model: str, say: Say, progress: Progress) -> Outcome:
    """Everything from the sources to the published dataset. Running it again goes on where it stopped.

    Raises InputError if nothing is left to draft from or nothing passed the checks, TeacherError if the
    teacher will answer nothing, TryAgainLater if some requests stayed without a reply; what was received
    is kept in the ledger, and all but an empty dataset is published first.
    """
    recipe, folder = loaded.recipe, out / loaded.recipe.name
    address = find_teacher(model or recipe.teacher.model, recipe.teacher.base_url, environment())
    endpoint = open_endpoint(address)
    say(f"teacher: {endpoint.name}")
    sources = gather(loaded, say)
    drafters = choose_drafters(loaded, sources, address)

    with Ledger(folder) as ledger:
        known = len(ledger.answered())
        asyncio.run(ask_all(drafters, ledger, endpoint, recipe.teacher, progress))
        requests = list(chain.from_iterable(plan_requests(drafters, ledger.get)))
        answered = ledger.answered()
        items = drafts_in_order(drafters, ledger)
        curated = curate(items, _material(sources, requests, ledger), recipe.checks)
        verdicts = read_sheets(folder / "review", ledger.laid())
        lay_sheet(folder / "review", curated.records, ledger.laid(), ledger.note_laid)

    records, dropped = decide(curated.records, verdicts)
    parts = split_records(records, recipe.split, recipe.refusals.share if recipe.refusals else 0.0)
    prove_no_leak(parts, recipe.checks.near_duplicate)
    rejections = [*curated.rejections, *dropped]
    unanswered = [request for request in requests if request.key not in answered]
    funnel = Funnel.count(len(requests), len(unanswered), len(answered) - known, items, rejections, parts)
    for line in funnel.lines():
        say(line)
    _write_rejections(folder, rejections)
    if not parts[TRAIN]:
        raise _nothing_passed(funnel, unanswered, endpoint)
    changed = write_folder(
        folder / "dataset",
        dataset_files(recipe, parts, _provenance(loaded, sources, drafters, address)),
        "manifest.json",
    )
    say(f"dataset: {folder / 'dataset'}" + ("" if changed else " (unchanged)"))
    if unanswered:
        raise TryAgainLater(
            f"{len(unanswered)} of {len(requests)} requests got no reply; the dataset holds what the others brought.",
            remedy="Run the same command again: only these are asked.",
        )
    return Outcome(folder / "dataset", funnel, changed, verdicts.problems)


def plan(loaded: Loaded, out: Path, model: str, say: Say) -> Plan:
    """What `run` would ask. Sends nothing and writes nothing."""
    recipe = loaded.recipe
    address = find_teacher(model or recipe.teacher.model, recipe.teacher.base_url, environment())
    sources = gather(loaded, say)
    drafters = choose_drafters(loaded, sources, address)
    with Ledger.look(out / recipe.name) as ledger:
        requests = list(chain.from_iterable(plan_requests(drafters, ledger.get)))
        answered = ledger.answered()
        follow = sum(drafter.still_to_come(ledger.get) for drafter in drafters)
    new = [request for request in requests if request.key not in answered]
    kinds = {request.kind: [r for r in requests if r.kind == request.kind] for request in requests}
    read, written = sum(r.input_estimate for r in new), sum(r.output_estimate for r in new)
    return Plan(
        by_kind={kind: (len(of), sum(r.key in answered for r in of)) for kind, of in kinds.items()},
        follow=follow,
        input_tokens=read,
        output_tokens=written,
        usd=recipe.teacher.usd(read, written),
        teacher=open_endpoint(address).name,
        sources=sources,
    )


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
    limits = ReadLimits(seconds=wanted.seconds_per_file, memory_mib=wanted.memory_mib_per_file)
    documents: list[Document] = []
    unread: list[Unread] = []
    for path in find_documents(wanted.files, loaded.folder):
        read = read_document(path, _document_name(path, loaded.folder), limits)
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
            f"no document is left to draft from: {causes}.", remedy="Name readable files under documents.files."
        )
    hashes |= {document.name: document.sha256 for document in documents}
    return Sources({passage.id: passage for passage in passages}, persona, hashes, unread)


def _document_name(path: Path, folder: Path) -> str:
    """The path as the recipe would write it, less the climbing: the same on every machine."""
    return re.sub(r"^(\.\./)+", "", Path(os.path.relpath(path, folder)).as_posix())


def choose_drafters(loaded: Loaded, sources: Sources, address: Address) -> list[Drafter]:
    """The drafters the recipe asks for. Every prompt is rendered here, so a broken template costs nothing."""
    recipe = loaded.recipe
    manner = Manner(address.model, recipe.teacher.temperature, recipe.teacher.max_output_tokens)

    def prompt(name: str) -> Prompt:
        return Prompt(loaded.template(f"{name}.jinja"))

    drafters: list[Drafter] = []
    passages = list(sources.passages.values())
    if recipe.documents:
        wanted = recipe.documents
        drafters.append(
            DocumentDrafter(passages, wanted.facts_per_passage, wanted.wordings, prompt("document_questions"), manner)
        )
    if recipe.persona and sources.persona:
        group = recipe.persona.answers_per_request
        drafters.append(
            PersonaDrafter(sources.persona, group, prompt("persona_questions"), prompt("persona_answers"), manner)
        )
    if recipe.refusals:
        refusals = recipe.refusals
        off, near = refusals.off_topic, refusals.near_topic
        bank = Bank("off_topic", off.fields, off.per_field, refusals.topic, refusals.sentence)
        drafters.append(RefusalDrafter(bank, prompt("off_topic_questions"), manner))
        # By document, so that tomorrow's document brings requests of its own and leaves these as they were.
        for document in dict.fromkeys(passage.document for passage in passages):
            terms = terms_of([passage for passage in passages if passage.document == document])
            bank = Bank("near_topic", near.fields, near.per_field, refusals.topic, refusals.sentence, terms)
            drafters.append(RefusalDrafter(bank, prompt("near_topic_questions"), manner))
    return drafters


def plan_requests(drafters: Sequence[Drafter], told: Told) -> Iterator[list[Request]]:
    """The requests of each stage, each once, in plan order; a stage may look at the replies of those before it."""
    met: set[str] = set()
    for stage in range(max((drafter.stages for drafter in drafters), default=0)):
        asked = (r for drafter in drafters if stage < drafter.stages for r in drafter.requests(stage, told))
        new = {request.key: request for request in asked if request.key not in met}
        met.update(new)
        yield list(new.values())


async def ask_all(
    drafters: Sequence[Drafter], ledger: Ledger, endpoint: Endpoint, teacher: Teacher, progress: Progress
) -> None:
    """Ask what was never answered, stage by stage: replies may bring further requests."""
    terms = Terms(teacher.in_flight, teacher.tries, teacher.deadline_seconds, lambda reply: _price(reply, teacher))
    try:
        for planned in plan_requests(drafters, ledger.get):
            ledger.enlist(planned)
            answered = ledger.answered()
            new = [request for request in planned if request.key not in answered]
            await ask(new, endpoint, ledger, terms, _counting(progress, len(new)))
    finally:
        await endpoint.close()


def _counting(progress: Progress, wanted: int) -> Callable[[], None]:
    ended = count(1)
    return lambda: progress(next(ended), wanted)


def drafts_in_order(drafters: Sequence[Drafter], ledger: Ledger) -> list[Draft | Rejection]:
    """What all replies hold, in the order in which their requests were first planned.

    That order is the same at any number in flight, and later requests never come before earlier
    ones: of two alike questions the older stays.
    """
    places = ledger.places()
    items = [item for drafter in drafters for item in drafter.drafts(ledger.get)]
    return sorted(items, key=lambda item: places[item.request])


def _price(reply: Reply, teacher: Teacher) -> float | None:
    if reply.input_tokens is None or reply.output_tokens is None:
        return None
    return teacher.usd(reply.input_tokens, reply.output_tokens)


def _material(sources: Sources, requests: Sequence[Request], ledger: Ledger) -> Material:
    prompts = {request.key: request.prompt for request in requests}

    def origin(key: str) -> Origin:
        reply = ledger.get(key)
        return Origin(reply.model if reply else "", prompts.get(key, ""))

    return Material(sources.passages, origin, sources.persona.constraints if sources.persona else None)


def _provenance(loaded: Loaded, sources: Sources, drafters: Sequence[Drafter], address: Address) -> Provenance:
    living = [sources.persona.name] if sources.persona and sources.persona.living_person else []
    return Provenance(
        version=__version__,
        recipe_sha256=loaded.sha256,
        prompts={name: text for drafter in drafters for name, text in drafter.prompts.items()},
        sources=sources.hashes,
        embedded_teacher=address.embedded,
        living_persons=living,
    )


def _write_rejections(folder: Path, rejections: Sequence[Rejection]) -> None:
    write_whole(folder / "rejected.jsonl", json_lines(rejections))


def _nothing_passed(funnel: Funnel, unanswered: Sequence[Request], endpoint: Endpoint) -> Exception:
    if not funnel.answered:
        return TeacherError(
            f"{endpoint.name} answered none of {funnel.planned} requests.", remedy="Check that it runs, then run again."
        )
    causes = (
        ", ".join(f"{cause} {count}" for cause, count in funnel.rejections.most_common(3))
        or "the replies held no draft"
    )
    return InputError(
        f"nothing is left to train on: {funnel.drafts} drafts, {causes}.",
        remedy="See rejected.jsonl for each with its cause.",
    )
