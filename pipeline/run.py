"""The stages in their order: sources, requests, replies, drafts, records, sheets, dataset."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from pipeline import __version__
from pipeline.asking import Asking, Progress, ask, in_batches
from pipeline.crash import passing
from pipeline.curate import Material, Origin, curate
from pipeline.curate.diversity import Diversity, diversity
from pipeline.draft import Drafter
from pipeline.draft.personas import PersonaDrafter
from pipeline.errors import InputError, TeacherError, TryAgainLater
from pipeline.files import json_lines, sweep, write_folder, write_whole
from pipeline.funnel import Funnel
from pipeline.history import History
from pipeline.language import can_tell
from pipeline.material import Say, Sources, choose_drafters, gather
from pipeline.publish.dataset import Provenance, dataset_files
from pipeline.publish.schema import TRAIN
from pipeline.publish.split import prove_no_leak, split_records
from pipeline.recipe import Loaded
from pipeline.records import Draft, Rejection
from pipeline.review.sheets import decide, lay_sheet, read_sheets
from pipeline.teacher.batches import Jobs
from pipeline.teacher.endpoint import Address, environment, find_teacher
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.prices import Price, find_price
from pipeline.teacher.request import Request


@dataclass(frozen=True)
class Options:
    """What the command line adds to the recipe."""

    out: Path = Path("outputs")
    model: str = ""
    accept_changes: bool = False
    """Replace paid replies whose prompt, model or settings have changed since."""
    deadline_seconds: float | None = None
    """For the whole asking."""
    ask: bool = True
    """False reads what is in the ledger and buys nothing."""


@dataclass(frozen=True)
class Outcome:
    """What a run ended with."""

    folder: Path
    """The dataset's."""
    funnel: Funnel
    changed: bool
    """The dataset differs from what was published before."""
    problems: list[str]
    """Lines of review sheets that could not be followed, each as file:line: what."""
    waiting: int = 0
    """Requests in batches that a later run collects. Without any reply yet there is no dataset."""


@dataclass(frozen=True)
class Plan:
    """What a run would ask. Tokens are estimates; `usd` is None where no price is known."""

    teacher: str
    sources: Sources
    by_kind: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Request kind to (planned, of which already answered)."""
    follow: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None
    waiting: int = 0
    """Requests that were sent in batches and are not asked again."""
    changes: int = 0
    """Paid replies that would be stale, and what replacing them would cost."""
    changes_usd: float | None = None


def run(loaded: Loaded, options: Options, say: Say, progress: Progress) -> Outcome:
    """Everything from the sources to the published dataset. Running it again goes on where it stopped.

    Raises InputError if nothing is left to draft from or nothing passed the checks, TeacherError if the
    teacher will answer nothing, TryAgainLater if some requests stayed without a reply and wait in no batch;
    what was received is kept in the ledger, and all but an empty dataset is published first.
    """
    recipe, folder = loaded.recipe, options.out / loaded.recipe.name
    address = find_teacher(options.model or recipe.teacher.model, recipe.teacher.base_url, environment())
    price = find_price(address, recipe.teacher.usd_per_million, loaded.prices)
    say(f"teacher: {address.name}")
    sources = gather(loaded, say)
    drafters = choose_drafters(loaded, sources, address.model)

    with Ledger(folder) as ledger:  # to the end, for two that publish at once would mix their files
        for inside in (folder, folder / "review", folder / "dataset"):
            sweep(inside)
        known = ledger.replies()
        history = History(ledger, options.accept_changes)
        asking = Asking(drafters, history, progress, options.deadline_seconds)
        with _listening_again():
            stopped = ask(asking, loaded, address, price, ledger, say) if options.ask else ""
        passing("asking-over")
        requests = list(chain.from_iterable(history.plan(drafters)))
        unanswered = [request for request in requests if not history.has(request.key)]
        if not can_tell(recipe.language):
            say(f"language: {recipe.language} cannot be told from others, so no draft is checked for it")
        items = drafts_in_order(drafters, history)
        curated = curate(items, _material(sources, requests, history, recipe.language), recipe.checks)
        verdicts = read_sheets(folder / "review", ledger.laid())
        lay_sheet(folder / "review", curated.records, ledger.laid(), ledger.note_laid)
        passing("sheet-laid")
        bought = ledger.replies() - known
        records, dropped = decide(curated.records, verdicts)
        parts = split_records(records, recipe.split, recipe.refusals.share if recipe.refusals else 0.0)
        prove_no_leak(parts, recipe.checks.near_duplicate)
        rejections = [*curated.rejections, *dropped]
        funnel = Funnel.count(len(requests), len(unanswered), bought, items, rejections, parts)
        found = diversity(records, sources.passages, recipe.diversity)
        remarks = [*_compliance(drafters, history), *found.lines()]
        for line in (*funnel.lines(), *remarks):
            say(line)
        write_whole(folder / "rejected.jsonl", json_lines(rejections))
        waiting = 0 if stopped else Jobs(ledger).waiting()
        if waiting:
            say(f"{waiting} requests wait in a batch; run the same command again to collect their replies.")
        if not parts[TRAIN]:
            if waiting:
                return Outcome(folder / "dataset", funnel, False, verdicts.problems, waiting)
            raise _nothing_passed(funnel, unanswered, stopped)
        files = dataset_files(recipe, parts, _provenance(loaded, sources, drafters, address, remarks, found))
        changed = write_folder(folder / "dataset", files, "manifest.json")
        passing("dataset-published")
        say(f"dataset: {folder / 'dataset'}" + ("" if changed else " (unchanged)"))
        if history.held:
            say(
                f"{history.held} requests have changed since they were paid; the old replies stand."
                " `coursework plan` says what --accept-changes would cost."
            )
        if unanswered and options.ask and not waiting:
            why = stopped or f"{len(unanswered)} of {len(requests)} requests got no reply"
            raise TryAgainLater(
                f"{why}; the dataset holds what the others brought ({len(unanswered)} requests are left).",
                remedy="Run the same command again: only these are asked.",
            )
        return Outcome(folder / "dataset", funnel, changed, verdicts.problems, waiting)


@contextmanager
def _listening_again() -> Iterator[None]:
    """Whoever listened to SIGTERM and Ctrl-C before listens again after: a loop that has closed swallows them."""
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for name, handler in before.items():
            with suppress(ValueError, TypeError):  # not in the main thread, or not set from Python: as it was
                signal.signal(name, handler)


def plan(loaded: Loaded, options: Options, say: Say) -> Plan:
    """What `run` would ask. Sends nothing and writes nothing."""
    recipe = loaded.recipe
    address = find_teacher(options.model or recipe.teacher.model, recipe.teacher.base_url, environment())
    price = find_price(address, recipe.teacher.usd_per_million, loaded.prices)
    sources = gather(loaded, say)
    drafters = choose_drafters(loaded, sources, address.model)
    with Ledger.look(options.out / recipe.name) as ledger:
        history = History(ledger, options.accept_changes)
        requests = list(chain.from_iterable(history.plan(drafters)))
        unanswered = [request for request in requests if not history.has(request.key)]
        new = [request for request in unanswered if not Jobs(ledger).holds(request)]
        follow = sum(drafter.still_to_come(history.told) for drafter in drafters)
        changed = [change.request for change in history.changes]
    kinds = {request.kind: [r for r in requests if r.kind == request.kind] for request in requests}
    fresh = {request.key for request in unanswered}
    if in_batches(loaded, address):
        price = price.times(recipe.teacher.batch_price)
    return Plan(
        teacher=address.name,
        sources=sources,
        by_kind={kind: (len(of), sum(r.key not in fresh for r in of)) for kind, of in kinds.items()},
        follow=follow,
        input_tokens=sum(request.input_estimate for request in new),
        output_tokens=sum(request.output_estimate for request in new),
        usd=_estimate(new, price),
        waiting=len(unanswered) - len(new),
        changes=len(changed),
        changes_usd=_estimate(changed, price),
    )


def _estimate(requests: Sequence[Request], price: Price) -> float | None:
    return price.of(sum(r.input_estimate for r in requests), sum(r.output_estimate for r in requests))


def drafts_in_order(drafters: Sequence[Drafter], history: History) -> list[Draft | Rejection]:
    """What all replies hold, in the order in which their requests were first planned.

    That order is the same at any number in flight, and later requests never come before earlier
    ones: of two alike questions the older stays.
    """
    items = [item for drafter in drafters for item in drafter.drafts(history.told)]
    places = {key: history.place(key) for key in {item.request for item in items}}
    return sorted(items, key=lambda item: places[item.request])


def _material(sources: Sources, requests: Sequence[Request], history: History, language: str) -> Material:
    prompts = {request.key: request.prompt for request in requests}
    models: dict[str, str] = {}

    def origin(key: str) -> Origin:
        if key not in models:
            reply = history.told(key)
            models[key] = reply.model if reply else ""
        return Origin(models[key], prompts.get(key, ""))

    persona = sources.persona
    constraints, carried = (persona.constraints, persona.said()) if persona else (None, "")
    return Material(sources.passages, origin, constraints, carried, language)


def _compliance(drafters: Sequence[Drafter], history: History) -> list[str]:
    in_voice = (drafter for drafter in drafters if isinstance(drafter, PersonaDrafter))
    return [drafter.compliance(history.told).line() for drafter in in_voice]


def _provenance(
    loaded: Loaded,
    sources: Sources,
    drafters: Sequence[Drafter],
    address: Address,
    remarks: Sequence[str],
    found: Diversity,
) -> Provenance:
    living = [sources.persona.name] if sources.persona and sources.persona.living_person else []
    return Provenance(
        version=__version__,
        recipe_sha256=loaded.sha256,
        prompts={name: text for drafter in drafters for name, text in drafter.prompts.items()},
        sources=sources.hashes,
        embedded_teacher=address.embedded,
        living_persons=living,
        remarks=remarks,
        diversity=found.model_dump(mode="json"),
    )


def _nothing_passed(funnel: Funnel, unanswered: Sequence[Request], stopped: str) -> Exception:
    if stopped:
        return TryAgainLater(f"{stopped}, before anything could be published.", remedy="Run the same command again.")
    if unanswered and not funnel.answered:
        return TeacherError(
            f"the teacher answered none of {funnel.planned} requests.", remedy="Check that it runs, then run again."
        )
    commonest = ", ".join(f"{cause} {number}" for cause, number in funnel.rejections.most_common(3))
    return InputError(
        f"nothing is left to train on: {funnel.drafts} drafts; rejected: {commonest or 'none'}.",
        remedy="See rejected.jsonl for each with its cause.",
    )
