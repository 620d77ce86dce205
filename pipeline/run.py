"""The stages in their order: sources, requests, replies, drafts, records, sheets, dataset."""

from __future__ import annotations

import signal
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, groupby
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import Field

from pipeline import __version__
from pipeline.asking import Asking, Progress, ask, in_batches
from pipeline.crash import passing
from pipeline.curate import SHARD, Material, Origin, curate
from pipeline.draft import Drafter
from pipeline.embedder import Absent, StoredEmbedder, find_embedder
from pipeline.errors import InputError, TeacherError, TryAgainLater
from pipeline.files import Writing, json_line, sweep, write_folder
from pipeline.funnel import Funnel
from pipeline.history import History
from pipeline.judging import Court, Hearing, believed, prepare
from pipeline.material import Say, Sources, choose_drafters, gather
from pipeline.publish.dataset import Dataset, Provenance
from pipeline.publish.schema import TRAIN
from pipeline.publish.split import assign, prove_no_leak
from pipeline.recipe import Loaded
from pipeline.records import Draft, Record, Rejection
from pipeline.review.sheets import Verdicts, decide, lay_sheet, read_sheets
from pipeline.spool import Spool
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


@dataclass
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
    say(f"teacher: {address.name}")
    sources = gather(loaded, say)
    drafters = choose_drafters(loaded, sources, address.model)

    with Ledger(folder) as ledger:  # to the end, for two that publish at once would mix their files
        for inside in (folder, folder / "review", folder / "dataset"):
            sweep(inside)
        known = ledger.replies()
        history = History(ledger, options.accept_changes)
        asking = Asking(drafters, history, progress, options.deadline_seconds)
        told = _ask(loaded, options, sources, asking, ledger, say)
        stopped, asked = told.stopped, told.asked
        passing("asking-over")
        funnel = Funnel(asked.planned, asked.planned - asked.unanswered, ledger.replies() - known)
        with (
            _spool_of_items(folder) as items,
            Spool[Record](folder, Record) as records,
            Writing(folder / "rejected.jsonl") as rejected,
        ):
            drafted = funnel.entering(drafts_in_order(drafters, history, items))
            _part(curate(drafted, told.material, recipe.checks), records, rejected, funnel)
            laid = ledger.laid()
            verdicts = read_sheets(folder / "review", laid)
            if told.hearing:
                told.hearing.tell_agreement(verdicts, history, say)
            lay_sheet(folder / "review", records, laid, ledger.note_laid)
            passing("sheet-laid")
            kept = _Kept(records, verdicts)
            for dropped in kept.dropped():
                funnel.rejections[dropped.cause] += 1
                rejected.write(json_line(dropped))
            parts = assign(kept, recipe.split, recipe.refusals.share if recipe.refusals else 0.0)
            prove_no_leak(kept, parts, recipe.checks.near_duplicate)
            funnel.published = parts.counts
            for line in funnel.lines():
                say(line)
            rejected.finish()
            waiting = 0 if stopped else Jobs(ledger).waiting()
            if waiting:
                say(f"{waiting} requests wait in a batch; run the same command again to collect their replies.")
            if not parts.counts[TRAIN]:
                if waiting:
                    return Outcome(folder / "dataset", funnel, False, verdicts.problems, waiting)
                raise _nothing_passed(funnel, asked.unanswered, stopped)
            dataset = Dataset(recipe, _provenance(loaded, sources, drafters, address))
            rows = dataset.lines(kept, parts.stem)
            changed = write_folder(folder / "dataset", rows, dataset.closing, "manifest.json")
        passing("dataset-published")
        say(f"dataset: {folder / 'dataset'}" + ("" if changed else " (unchanged)"))
        if history.held:
            say(
                f"{history.held} requests have changed since they were paid; the old replies stand."
                " `coursework plan` says what --accept-changes would cost."
            )
        if asked.unanswered and options.ask and not waiting:
            why = stopped or f"{asked.unanswered} of {asked.planned} requests got no reply"
            raise TryAgainLater(
                f"{why}; the dataset holds what the others brought ({asked.unanswered} requests are left).",
                remedy="Run the same command again: only these are asked.",
            )
        return Outcome(folder / "dataset", funnel, changed, verdicts.problems, waiting)


class _Told(NamedTuple):
    """What there is to go on once the asking is over."""

    stopped: str
    """Why it ended early, or nothing."""
    asked: _Asked
    material: Material
    hearing: Hearing | None


def _ask(loaded: Loaded, options: Options, sources: Sources, asking: Asking, ledger: Ledger, say: Say) -> _Told:
    """The drafters, then the judge on what the checks leave in doubt."""
    recipe, history, stopped = loaded.recipe, asking.history, ""
    address = find_teacher(options.model or recipe.teacher.model, recipe.teacher.base_url, environment())
    price = find_price(address, recipe.teacher.usd_per_million, loaded.prices)
    court = Court.open(loaded, address, ledger)
    with _listening_again():
        if options.ask:
            stopped = ask(asking, loaded, address, price, ledger, say)
        asked = _Asked.of(asking.drafters, history)
        material = _material(loaded, options.out / recipe.name, sources, asked, history, say)
        if recipe.judge is None:
            return _Told(stopped, asked, material, None)
        replied = chain.from_iterable(drafter.drafts(history.told) for drafter in asking.drafters)
        hearing = prepare(replied, material, loaded, address.model)
        # Drafts that still wait in a batch would make other seeds.
        if options.ask and not stopped and not Jobs(ledger).waiting():
            stopped = court.hear(hearing, asking, say)
    material = replace(material, opinions=believed(hearing, recipe.judge, history, say))
    return _Told(stopped, _Asked.of([*asking.drafters, hearing.judge], history), material, hearing)


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
    if in_batches(loaded, address):
        price = price.times(recipe.teacher.batch_price)
    found = Plan(address.name, sources)
    with Ledger.look(options.out / recipe.name) as ledger:
        history, jobs = History(ledger, options.accept_changes), Jobs(ledger)
        for request in chain.from_iterable(history.plan(drafters)):
            answered = history.has(request.key)
            of_kind, answered_of_kind = found.by_kind.get(request.kind, (0, 0))
            found.by_kind[request.kind] = of_kind + 1, answered_of_kind + answered
            if answered:
                continue
            if jobs.holds(request):
                found.waiting += 1
            else:
                found.input_tokens += request.input_estimate
                found.output_tokens += request.output_estimate
        found.follow = sum(drafter.still_to_come(history.told) for drafter in drafters)
        found.usd = price.of(found.input_tokens, found.output_tokens)
        found.changes = len(history.changes)
        found.changes_usd = _estimate([change.request for change in history.changes], price)
    return found


def _estimate(requests: Sequence[Request], price: Price) -> float | None:
    return price.of(sum(r.input_estimate for r in requests), sum(r.output_estimate for r in requests))


Item = Draft | Rejection


def _spool_of_items(folder: Path) -> Spool[Item]:
    return Spool(folder, Annotated[Item, Field(union_mode="left_to_right")])


def drafts_in_order(drafters: Sequence[Drafter], history: History, waiting: Spool[Item]) -> Iterator[Item]:
    """What all replies hold, in the order in which their requests were first planned.

    That order is the same at any number in flight, and later requests never come before earlier
    ones: of two alike questions the older stays. All wait in the spool, a block for each reply.
    """
    places = array("q")
    for drafter in drafters:
        for key, items in groupby(drafter.drafts(history.told), key=lambda item: item.request):
            waiting.add(list(items))
            places.append(history.place(key))
    return waiting.read(sorted(range(waiting.blocks), key=places.__getitem__))


@dataclass(frozen=True)
class _Asked:
    """The requests of today's plan, once the asking is over."""

    planned: int
    unanswered: int
    prompts: dict[str, str]
    """Request key to the fingerprint of its template."""

    @classmethod
    def of(cls, drafters: Sequence[Drafter], history: History) -> Self:
        unanswered, prompts = 0, {}
        for request in chain.from_iterable(history.plan(drafters)):
            unanswered += not history.has(request.key)
            prompts[request.key] = request.prompt
        return cls(len(prompts), unanswered, prompts)


def _material(loaded: Loaded, folder: Path, sources: Sources, asked: _Asked, history: History, say: Say) -> Material:
    recipe = loaded.recipe
    embedder = find_embedder(recipe.meaning, recipe.language, loaded.folder, folder / "vectors.sqlite")
    if isinstance(embedder, Absent) and recipe.documents:
        say(f"answers are not compared with their passages by meaning: {embedder.why}.")

    @lru_cache(maxsize=SHARD)  # the drafts of one reply follow each other
    def origin(key: str) -> Origin:
        reply = history.told(key)
        return Origin(reply.model if reply else "", asked.prompts.get(key, ""))

    return Material(
        sources.passages,
        origin,
        sources.persona.constraints if sources.persona else None,
        recipe.language,
        embedder if isinstance(embedder, StoredEmbedder) else None,
        embedder.why if isinstance(embedder, Absent) else "",
    )


def _part(ends: Iterable[Record | Rejection], records: Spool[Record], rejected: Writing, funnel: Funnel) -> None:
    """Records wait in the spool, a shard a block; rejections go to their file."""
    shard: list[Record] = []
    for end in ends:
        if isinstance(end, Rejection):
            funnel.rejections[end.cause] += 1
            rejected.write(json_line(end))
            continue
        shard.append(end)
        if len(shard) == SHARD:
            records.add(shard)
            shard = []
    records.add(shard)


@dataclass(frozen=True)
class _Kept:
    """The records as the person wants them, read from the spool as often as they are gone through."""

    records: Spool[Record]
    verdicts: Verdicts

    def __iter__(self) -> Iterator[Record]:
        return (end for end in decide(self.records, self.verdicts) if isinstance(end, Record))

    def dropped(self) -> Iterator[Rejection]:
        """Those that the person does not want."""
        return (end for end in decide(self.records, self.verdicts) if isinstance(end, Rejection))


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


def _nothing_passed(funnel: Funnel, unanswered: int, stopped: str) -> Exception:
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
