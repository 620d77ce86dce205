"""How the datasets of a workspace stand: last run, what the next one has to do, money, review, what is published.

Reads files and nothing else: no lock is taken that a run could be waiting for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, Field

from pipeline.errors import CourseworkError, RecipeError
from pipeline.files import sha256
from pipeline.publish.schema import read_manifest
from pipeline.recipe import load_recipe, name_in
from pipeline.review.awaiting import awaiting
from pipeline.runlog.facts import End, Facts, died
from pipeline.runlog.folder import Runs
from pipeline.runlog.log import oldest_batch
from pipeline.teacher.batches import Jobs
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.spending import Charge, Spending


class Last(BaseModel):
    """A run, as far as it matters next day."""

    run: str
    command: str
    began: AwareDatetime
    ended: AwareDatetime | None
    seconds: float
    end: End | None

    @classmethod
    def of(cls, facts: Facts) -> Last:
        """Of its facts."""
        return cls(**{name: getattr(facts, name) for name in cls.model_fields})


class Published(BaseModel):
    """A dataset folder."""

    folder: str
    rows: dict[str, int]
    at: AwareDatetime = Field(description="when its manifest was written")


class Status(BaseModel):
    """How one dataset stands."""

    recipe: str
    folder: str
    running: Last | None = None
    last: Last | None = Field(default=None, description="the last run that is over, well or not")
    waiting: int = Field(default=0, description="requests in batches")
    waiting_since: AwareDatetime | None = Field(default=None, description="when the oldest of the batches was sent")
    unanswered: int = Field(default=0, description="requests that the last run left without a reply, or a batch")
    held: int = Field(default=0, description="changed requests whose old reply stands until --accept-changes")
    edited: list[str] = Field(default=[], description="review sheets that were edited after the last run began")
    recipe_changed: bool = Field(default=False, description="since the last run")
    spending: Spending | None = None
    budget: dict[str, dict[str, float]] = {}
    awaiting: dict[str, int] = Field(default={}, description="review sheet to lines without a verdict")
    published: Published | None = None
    trouble: list[str] = Field(default=[], description="what the last run met, and what cannot be read now")

    def lines(self) -> Iterator[str]:
        """For a person."""
        yield self.recipe
        if self.running:
            yield f"  running     since {_moment(self.running.began)}"
        yield f"  last run    {_ended(self.last) if self.last else 'none yet'}"
        for number, step in enumerate(self._next()):
            yield f"  {'' if number else 'next':<11} {step}"
        yield f"  spent       {self._spent()}"
        yield f"  review      {self._review()}"
        yield f"  dataset     {self._published()}"
        yield from (f"  trouble     {one}" for one in self.trouble)

    def _next(self) -> Iterator[str]:
        if self.waiting:
            since = f", the oldest since {_moment(self.waiting_since)}" if self.waiting_since else ""
            yield f"{self.waiting:,} requests wait in batches, to be collected{since}"
        if self.unanswered:
            yield f"{self.unanswered:,} requests were left without a reply, to be asked again"
        if self.held:
            yield f"{self.held:,} changed requests are held back until --accept-changes"
        if self.edited:
            yield f"edits in {', '.join(self.edited)}, to be followed"
        if self.recipe_changed:
            yield "the recipe was changed, to be followed"
        if not (self.waiting or self.unanswered or self.held or self.edited or self.recipe_changed):
            yield "nothing is known to be left; `coursework plan` looks for new documents and prompts"

    def _spent(self) -> str:
        if self.spending is None:
            return "unknown"
        day, life = self.budget.get("day", {}), self.budget.get("life", {})
        today, all_ = self.spending.today, self.spending.life
        reserved = self.spending.reserved
        waits = f" ({_money(reserved)} of it reserved)" if reserved.requests else ""
        return f"today {_money(today, day.get('usd'))}, in all {_money(all_, life.get('usd'))}{waits}"

    def _review(self) -> str:
        if not self.awaiting:
            return "no line awaits a verdict"
        newest = [f"{sheet} {count:,}" for sheet, count in list(self.awaiting.items())[:-6:-1]]
        older = len(self.awaiting) - len(newest)
        more = f" and {older:,} older sheets" if older else ""
        return f"{sum(self.awaiting.values()):,} lines await a verdict: {', '.join(newest)}{more}"

    def _published(self) -> str:
        if self.published is None:
            return "none yet"
        rows = ", ".join(f"{count:,} {stem}" for stem, count in self.published.rows.items())
        return f"{self.published.folder}: {rows}, since {_moment(self.published.at)}"


def statuses(recipes: Sequence[Path], out: Path) -> Iterator[Status]:
    """Of the recipes named, or of all that stand in `recipes/` or have outputs.

    Raises RecipeError of one whose name cannot be read.
    """
    if recipes:
        yield from (_status(_named(path), path, out) for path in recipes)
        return
    paths = {name: path for path in sorted(Path("recipes").glob("*.yaml")) if (name := name_in(path))}
    folders = chain(out.glob("*/runs"), out.glob("*/ledger.sqlite"))
    for name in sorted(paths.keys() | {path.parent.name for path in folders}):
        yield _status(name, paths.get(name), out)


def total(found: Sequence[Status]) -> str:
    """What was spent on all of them."""
    known = [one.spending for one in found if one.spending]
    today, life = (sum(charges, Charge()) for charges in ([s.today for s in known], [s.life for s in known]))
    return f"spent on all {len(found)}: today {_money(today)}, in all {_money(life)}"


def _named(path: Path) -> str:
    name = name_in(path)
    if not name:
        load_recipe(path)  # says what is wrong with it
        raise RecipeError(f"{path}: its name cannot be read.", remedy="Write it as `name: ...` on a line of its own.")
    return name


def _status(name: str, path: Path | None, out: Path) -> Status:
    status = Status(recipe=name, folder=str(out / name))
    _of_runs(status, path)
    _of_ledger(status)
    _of_files(status)
    status.unanswered = max(0, status.unanswered - status.waiting)
    return status


def _of_runs(status: Status, path: Path | None) -> None:
    runs = Runs(Path(status.folder) / "runs")
    counted = None
    for facts in runs.newest_first():
        if facts.end is None and runs.lives(facts.run):
            status.running = status.running or Last.of(facts)
            continue
        if status.last is None:
            status.last = Last.of(facts)
            status.last.end = facts.end or died("")
        if facts.funnel is not None:
            counted = facts
            break
    if counted is None or counted.funnel is None:
        return
    status.unanswered = counted.funnel.planned - counted.funnel.answered
    status.held, status.budget = counted.held, counted.budget
    status.trouble = [f"{one.name} is {one.fate}: {one.cause}" for one in counted.unread] + counted.problems
    status.recipe_changed = path is not None and path.exists() and sha256(path.read_bytes()) != counted.recipe_sha256
    sheets = sorted((Path(status.folder) / "review").glob("*.jsonl"))
    end = (counted.ended or counted.began).timestamp()
    status.edited = [sheet.name for sheet in sheets if sheet.stat().st_mtime > end]


def _of_ledger(status: Status) -> None:
    try:
        with Ledger.look(Path(status.folder)) as ledger:
            status.spending, status.waiting = Spending.of(ledger), Jobs(ledger).waiting()
            status.waiting_since = oldest_batch(ledger)
    except CourseworkError as fault:
        status.trouble.append(str(fault))


def _of_files(status: Status) -> None:
    folder = Path(status.folder)
    status.awaiting = awaiting(folder / "review")
    manifest = folder / "dataset" / "manifest.json"
    if not manifest.exists():
        return
    try:
        rows = read_manifest(manifest.parent).counts
        written = datetime.fromtimestamp(manifest.stat().st_mtime, UTC)
        status.published = Published(folder=str(manifest.parent), rows=rows, at=written)
    except CourseworkError as fault:
        status.trouble.append(str(fault))


def _ended(last: Last) -> str:
    when = _moment(last.began)
    if last.end is None:
        return when
    how = {"done": "done", "nothing_new": "nothing new", "batch_waits": "a batch was sent"}.get(last.end.cause)
    if how is None:
        code = "" if last.end.code is None else f"{last.end.code}, "
        how = f"{code}{last.end.cause}: {last.end.problem} {last.end.remedy}".strip()
    return f"{when}, {last.seconds:,.0f} s: {' '.join(how.split())}" if last.ended else f"{when}: {how}"


def _moment(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _money(charge: Charge, cap: float | None = None) -> str:
    of = f" of {cap:g}" if cap is not None else ""
    unpriced = f" and {charge.unpriced:,} requests of unknown price" if charge.unpriced else ""
    return f"{charge.usd:,.2f}{of} USD ({charge.tokens:,} tokens){unpriced}"
