"""What is known of one run: the model behind its file, its line of JSON, its metrics and its report."""

from __future__ import annotations

import os
import platform
import socket
import sqlite3
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pipeline import __version__
from pipeline.errors import CourseworkError
from pipeline.funnel import Funnel
from pipeline.sources.documents import Unread
from pipeline.teacher.spending import Charge, Spending

NEVER_ENDED = "never_ended"
MOST_PROBLEMS = 200
"""A sheet that an editor spoilt as a whole is no reason for a record of many megabytes."""
_SHAPING = ("pypdf", "pypdfium2", "lxml", "python-docx", "ftfy", "py3langid", "rapidfuzz", "text2num", "pydantic")
"""Packages whose version may change what a document says, or what passes a check."""


class _Part(BaseModel):
    """A later version may say more; a reader of an earlier one takes what it knows."""

    model_config = ConfigDict(extra="ignore")


class Stage(_Part):
    """One stretch of the path, and how long it took."""

    name: str
    seconds: float = 0.0
    requests: int = Field(default=0, description="that ended in it")


class Cost(_Part):
    """What a run cost, and where the account stands at its end."""

    replies: Charge = Field(description="what came in this run, also from batches of earlier ones")
    lost: Charge = Field(description="tries of this run that brought nothing and may have been billed")
    account: Spending = Field(description="of the dataset, all runs together")

    @property
    def usd(self) -> float:
        """What this run paid."""
        return self.replies.usd + self.lost.usd


class End(_Part):
    """How a run ended."""

    code: int | None = Field(description="the exit code; null if nobody lived to give one")
    cause: str = Field(description="done, nothing_new, batch_waits, or what was in the way, in a word")
    problem: str = ""
    remedy: str = ""


class Facts(_Part):
    """One run from its beginning on. Written as `runs/<UTC>.json` when it begins and again when it ends."""

    run: str = Field(default="", description="the name of its file")
    command: str = "run"
    recipe: str = Field(default="", description="its name; empty if the recipe could not be read")
    path: str = Field(default="", description="the recipe's file")
    folder: str = Field(default="", description="its outputs")
    began: AwareDatetime
    ended: AwareDatetime | None = None
    end: End | None = Field(default=None, description="null: under way, or it died")
    seconds: float = 0.0
    stages: list[Stage] = []

    teacher: str = ""
    waiting: int = Field(default=0, description="requests in batches that a later run collects")
    waiting_since: AwareDatetime | None = Field(default=None, description="when the oldest of the batches was sent")
    held: int = Field(default=0, description="changed requests whose old reply stands until --accept-changes")
    funnel: Funnel | None = Field(default=None, description="where every request and every draft ended")
    changed: bool = Field(default=False, description="the dataset differs from what was published before")
    cost: Cost | None = None
    budget: dict[str, dict[str, float]] = Field(default={}, description="the caps: run, day, life")

    awaiting: dict[str, int] = Field(default={}, description="review sheet to lines without a verdict")
    unfollowed: int = Field(default=0, description="lines of review sheets that could not be followed")
    problems: list[str] = Field(default=[], description=f"the first {MOST_PROBLEMS} of them, each as file:line: what")
    unread: list[Unread] = Field(default=[], description="documents that could not be read")
    never_ended: list[str] = Field(default=[], description="earlier runs that began and died, found by this one")
    said: list[str] = Field(default=[], description="what it said on the way")

    previous: str = Field(default="", description="the last run before this one that got as far as counting")
    recipe_sha256: str = ""
    versions: dict[str, str] = {}
    host: str = ""
    process: int = 0

    @classmethod
    def beginning(cls, command: str, path: Path) -> Self:
        """Of a run that begins now, in this process."""
        return cls(
            command=command,
            path=str(path),
            began=datetime.now(UTC),
            versions=_versions(),
            host=socket.gethostname(),
            process=os.getpid(),
        )

    @property
    def done(self) -> bool:
        """It ended well."""
        return self.end is not None and self.end.code == 0


def ending(facts: Facts, fault: CourseworkError | None) -> End:
    """How a run ended whose work is over, or was ended by a fault."""
    if fault is not None:
        return End(code=fault.exit_code, cause=fault.cause, problem=fault.problem, remedy=fault.remedy)
    if facts.waiting:
        return End(code=0, cause="batch_waits")
    bought = facts.funnel.bought if facts.funnel else 0
    return End(code=0, cause="done" if bought or facts.changed else "nothing_new")


def died(noticed_by: str) -> End:
    """How a run ended that another found: it began, and nobody is at work on it."""
    return End(
        code=None,
        cause=NEVER_ENDED,
        problem=f"It began and never ended: it was killed, or the machine stopped. Found by the run {noticed_by}.",
    )


def _versions() -> dict[str, str]:
    found = {"coursework": __version__, "python": platform.python_version(), "platform": platform.platform()}
    found["sqlite"] = sqlite3.sqlite_version
    for name in _SHAPING:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
