"""One run as the command line asks for it: whatever happens, its file, metrics and notice say how it ended."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.errors import CannotWrite, CourseworkError
from pipeline.files import write_whole
from pipeline.mishap import meant
from pipeline.recipe import Loaded, load_recipe, name_in
from pipeline.runlog.facts import Facts
from pipeline.runlog.folder import RunFile, Runs
from pipeline.runlog.log import Log
from pipeline.runlog.notify import notify
from pipeline.runlog.trouble import trouble

Echo = Callable[[str], None]
Work = Callable[[Loaded, Log], None]
"""The stages, and what follows them."""


@dataclass(frozen=True)
class Wishes:
    """How the end of a run is told."""

    quiet: bool = False
    """Nothing is said when all is well, and one line when it is not."""
    as_json: bool = False
    """The facts as one line, and nothing else beside them."""
    metrics: Path | None = None
    notify: str = ""


@dataclass(frozen=True)
class Called:
    """What the command line asked for."""

    command: str
    recipe: Path
    out: Path
    wishes: Wishes


def record(called: Called, work: Work, echo: Echo, complain: Echo) -> None:
    """Do a run's work and keep the record of it. `echo` gets the line of JSON, `complain` what went wrong beside.

    Raises what the work raised, as one of our errors; CannotWrite if the record itself cannot be kept.
    """
    facts = Facts.beginning(called.command, called.recipe)
    log, file, fault = Log(facts), None, None
    try:
        _name(facts, called)
        loaded = load_recipe(called.recipe)
        facts.recipe_sha256, facts.budget = loaded.sha256, loaded.recipe.budget.model_dump(exclude_none=True)
        file = _begun(facts)
        work(loaded, log)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is, the record says it, and it goes on
        fault = meant(error, called.out, os.environ)
    with _undisturbed():
        log.close(fault)
        fault = _kept(log, file, called, fault)
        line = facts.model_dump_json()
        if called.wishes.as_json:
            echo(line)
    _tell(log, called.wishes, fault, _notified(called.wishes.notify, line), complain)
    if fault is not None:
        raise fault


def _name(facts: Facts, called: Called) -> None:
    """Also of a recipe that cannot be used, if its name can be read, so that its run is found where the others are."""
    facts.recipe = name_in(called.recipe)
    if facts.recipe:
        facts.folder = str(called.out / facts.recipe)


def _runs(facts: Facts) -> Path:
    return Path(facts.folder) / "runs"


def _begun(facts: Facts) -> RunFile:
    before = Runs(_runs(facts)).last_counted()
    facts.previous = before.run if before else ""
    return RunFile.begin(_runs(facts), facts)


def _kept(log: Log, file: RunFile | None, called: Called, fault: CourseworkError | None) -> CourseworkError | None:
    """Write the record, and the run's own file last, for it says what came of the others.

    Returns what the run ends for, which may be that the record cannot be written.
    """
    for write in (_write_report, partial(_write_metrics, path=called.wishes.metrics)):
        try:
            write(log)
        except Exception as error:  # noqa: BLE001 - the work is done: what tells of it must not keep the rest from it
            fault = fault or meant(error, called.out, os.environ)
            log.close(fault)
    try:
        if log.facts.folder:
            (file or _begun(log.facts)).end(log.facts)
    except CannotWrite as trouble:
        fault = fault or trouble
        log.close(fault)
        with suppress(CannotWrite):
            _write_metrics(log, called.wishes.metrics)
    return fault


def _write_report(log: Log) -> None:
    """Of a run that got as far as counting; the report of the one before stays where this one did not."""
    facts = log.facts
    if facts.funnel is None:
        return
    from pipeline.report.page import page

    review = (
        f"coursework review {facts.path}   # in a browser, or open {facts.folder}/review/*.jsonl in an editor\n"
        f"coursework check {facts.folder}\n"
        f"coursework run {facts.path}"
    )
    text = page(facts, Runs(_runs(facts)).read(facts.previous), log.shown, review)
    write_whole(Path(facts.folder) / "report.html", text.encode())


def _write_metrics(log: Log, path: Path | None) -> None:
    if path is None:
        return
    from pipeline.runlog.metrics import metrics

    facts = log.facts
    last = facts if facts.done else Runs(_runs(facts)).last_done() if facts.folder else None
    write_whole(path, metrics(facts, last.ended if last else None))


def _notified(command: str, line: str) -> str:
    """What went wrong with a person's own command, or nothing."""
    if not command:
        return ""
    try:
        return notify(command, f"{line}\n")
    except (KeyboardInterrupt, CourseworkError):
        return f"--notify: {command!r} was cut short by a signal"


def _tell(log: Log, wishes: Wishes, fault: CourseworkError | None, unheard: str, complain: Echo) -> None:
    """In a quiet night all of it is one line, and the fault that the run ends for is told by whoever catches it."""
    facts = log.facts
    if not wishes.quiet:
        for line in (*facts.problems, *([unheard] if unheard else ())):
            complain(line)
        return
    said = [unheard] if unheard else []
    if fault is None and facts.folder:
        new = trouble(facts, Runs(_runs(facts)).read(facts.previous))
        said += [new] if new else []
    if fault is not None:
        fault.flatten(*said)
    elif said:
        complain(f"coursework: {' '.join(said)}")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """What is being written down is not stopped half-way by a signal to stop."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    with suppress(ValueError):  # not in the main thread: nobody sends us any
        for one in before:
            signal.signal(one, signal.SIG_IGN)
    try:
        yield
    finally:
        with suppress(ValueError, TypeError):
            for one, handler in before.items():
                signal.signal(one, handler)
