"""The stages in their order: sources, requests, replies, drafts, records, sheets, dataset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from pipeline.asking import Allowance, Asking, ask, in_batches
from pipeline.crash import passing
from pipeline.curate import Material
from pipeline.desk.said import Desk
from pipeline.draft import Drafter
from pipeline.drafted import Asked, material
from pipeline.errors import InputError, TeacherError, TryAgainLater
from pipeline.files import sweep
from pipeline.funnel import Funnel
from pipeline.history import History
from pipeline.judging import Court, Hearing, believed, prepare
from pipeline.material import Say, Sources, gather
from pipeline.mix.kept import FOLDER as DRAWN
from pipeline.mixed import open_sets
from pipeline.rebuild import Ingredients, rebuild
from pipeline.recipe import Loaded
from pipeline.rounds import Rounds
from pipeline.runlog import Log
from pipeline.teacher.batches import Jobs
from pipeline.teacher.endpoint import environment, find_teacher
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.prices import Price, find_price
from pipeline.teacher.request import Request
from pipeline.teacher.stop import Stop


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


def run(loaded: Loaded, options: Options, say: Say, log: Log) -> Outcome:
    """Everything from the sources to the published dataset. Running it again goes on where it stopped.

    Raises InputError if nothing is left to draft from or nothing passed the checks, TeacherError if the
    teacher will answer nothing, TryAgainLater if some requests stayed without a reply and wait in no batch;
    what was received is kept in the ledger, and all but an empty dataset is published first.
    """
    recipe, folder = loaded.recipe, options.out / loaded.recipe.name
    address = find_teacher(options.model or recipe.teacher.model, recipe.teacher.base_url, environment())
    say(f"teacher: {address.name}")
    log.facts.teacher = address.name
    log.stage("sources")
    sources = gather(loaded, say)
    log.facts.unread = sources.unread
    sets = open_sets(loaded, folder, say)

    # The ledger is held to the end, for two that publish at once would mix their files.
    with Ledger(folder) as ledger, log.holding(ledger, say):
        for inside in (folder, folder / "review", folder / "dataset", folder / DRAWN):
            sweep(inside)
        known = ledger.replies()
        history = History(ledger, options.accept_changes)
        log.stage("teacher")
        desk = Desk.read(folder, ledger)
        if options.ask:
            desk.laid.note_fixes((one.record, one.words) for one in desk.fixes)
        rounds = Rounds(loaded, sources, address.model, history, folder, desk)
        told = _ask(rounds, options, ledger, log, say)
        stopped, asked = told.stopped, told.asked
        passing("asking-over")
        funnel = log.counting(Funnel(asked.planned, asked.planned - asked.unanswered, ledger.replies() - known))
        given = Ingredients(
            loaded, address, sources, told.drafters, history, ledger, told.against, desk, told.hearing, sets
        )
        built = rebuild(given, funnel, say, log)
        log.unfollowed(built.problems)
        log.facts.changed, log.facts.held = built.changed, history.held
        waiting = 0 if stopped else Jobs(ledger).waiting()
        if waiting:
            say(f"{waiting} requests wait in a batch; run the same command again to collect their replies.")
        if not built.published:
            if waiting:
                return Outcome(folder / "dataset", funnel, False, built.problems, waiting)
            raise _nothing_passed(funnel, asked.unanswered, stopped)
        passing("dataset-published")
        say(f"dataset: {folder / 'dataset'}" + ("" if built.changed else " (unchanged)"))
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
                cause=stopped.cause or "no_reply",
            )
        return Outcome(folder / "dataset", funnel, built.changed, built.problems, waiting)


class _Told(NamedTuple):
    """What there is to go on once the asking is over."""

    stopped: Stop
    """Why it ended early, or nothing."""
    drafters: list[Drafter]
    """Of all rounds."""
    asked: Asked
    against: Material
    hearing: Hearing | None


def _ask(rounds: Rounds, options: Options, ledger: Ledger, log: Log, say: Say) -> _Told:
    """The drafters round by round, then the judge on what the checks leave in doubt."""
    loaded, history, stopped = rounds.loaded, rounds.history, Stop()
    recipe = loaded.recipe
    address = find_teacher(options.model or recipe.teacher.model, recipe.teacher.base_url, environment())
    price = find_price(address, recipe.teacher.usd_per_million, loaded.prices)
    allowance = Allowance.open(recipe.budget, options.deadline_seconds, ledger)
    drafters: list[Drafter] = []
    for of_round in rounds:  # also after a stop: what was paid for earlier belongs to the dataset
        # What still waits in a batch would make other parents.
        if options.ask and not stopped and not (drafters and Jobs(ledger).waiting()):
            stopped = ask(Asking(of_round, history, log.asked, allowance), loaded, address, price, ledger, say)
        drafters += of_round
    asked = Asked.of(drafters, history)
    against = material(loaded, rounds.folder, rounds.sources, asked, history, say)
    if recipe.judge is None:
        return _Told(stopped, drafters, asked, against, None)
    replied = chain.from_iterable(drafter.drafts(history.told) for drafter in drafters)
    log.stage("judge")
    hearing = prepare(map(rounds.desk.mend, replied), against, loaded, address.model)
    # Drafts that still wait in a batch would make other seeds.
    if options.ask and not stopped and not Jobs(ledger).waiting():
        court = Court(loaded, address, ledger)
        stopped = court.hear(hearing, Asking([], history, log.asked, allowance), say)
    against = replace(against, opinions=believed(hearing, recipe.judge, history, say))
    return _Told(stopped, drafters, Asked.of([*drafters, hearing.judge], history), against, hearing)


def plan(loaded: Loaded, options: Options, say: Say) -> Plan:
    """What `run` would ask. Sends nothing and writes nothing."""
    recipe = loaded.recipe
    address = find_teacher(options.model or recipe.teacher.model, recipe.teacher.base_url, environment())
    price = find_price(address, recipe.teacher.usd_per_million, loaded.prices)
    sources = gather(loaded, say)
    open_sets(loaded, options.out / recipe.name, say)
    if in_batches(loaded, address):
        price = price.times(recipe.teacher.batch_price)
    found = Plan(address.name, sources)
    with Ledger.look(options.out / recipe.name) as ledger:
        history, jobs = History(ledger, options.accept_changes), Jobs(ledger)
        desk = Desk.read(options.out / recipe.name, ledger)
        drafters = Rounds(loaded, sources, address.model, history, options.out / recipe.name, desk).all()
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
        found.changes_usd = _estimate([change.request for change in history.changes.values()], price)
    return found


def _estimate(requests: Sequence[Request], price: Price) -> float | None:
    return price.of(sum(r.input_estimate for r in requests), sum(r.output_estimate for r in requests))


def _nothing_passed(funnel: Funnel, unanswered: int, stopped: Stop) -> Exception:
    if stopped:
        return TryAgainLater(
            f"{stopped}, before anything could be published.",
            remedy="Run the same command again.",
            cause=stopped.cause,
        )
    if unanswered and not funnel.answered:
        return TeacherError(
            f"the teacher answered none of {funnel.planned} requests.", remedy="Check that it runs, then run again."
        )
    if funnel.awaiting:
        return InputError(
            f"nothing is published yet: {funnel.awaiting} records wait for a person's keep, which the recipe requires.",
            remedy="Say keep on the sheets under review/, then run again.",
            cause="awaiting_review",
        )
    commonest = ", ".join(f"{cause} {number}" for cause, number in funnel.rejections.most_common(3))
    return InputError(
        f"nothing is left to train on: {funnel.drafts} drafts; rejected: {commonest or 'none'}.",
        remedy="See rejected.jsonl for each with its cause.",
        cause="nothing_passed",
    )
