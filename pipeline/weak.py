"""Where a student is weak: an examination's wrong answers by fact, topic and error tag, and what to ask for in return.

The guard: only facts that are trained already are asked about again, the teacher sees none of the questions that the
student is examined on, what it brings is only trained, and a wording like one of those questions is rejected.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline.errors import InputError
from pipeline.files import BadLine, read_json_lines
from pipeline.publish.schema import SLICES, TRAIN, Row, read_manifest, read_rows
from pipeline.records import content_id, normalised
from pipeline.wishes import Wish

ANSWERS = "examination_answers.jsonl"
_SAID_BY_TAG = ("answered", "refused", "another_fact", "truncated")
"""Error tags of the examination that the tag of a wrong answer says already."""
_TEACHABLE = ("trained", "rephrased")
"""Slices about facts that training has met: more wordings of these can help."""


class Answered(BaseModel):
    """A line of an examination's answers, as far as it is read here."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    slice: str
    id: str
    student: str
    student_stopped_by: str
    student_right: bool = False
    student_tags: tuple[str, ...] = ()
    """What the examination found wrong with the answer: misspelt, too_short, invented_number."""


@dataclass
class Weakness:
    """What an examination showed."""

    examination: str
    """Names it: the hash of its answers."""
    asked: Counter[str] = field(default_factory=Counter)
    """Questions by slice."""
    wrong: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Slice to error tags."""
    facts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Trained fact to the error tags of its questions."""
    errors: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Slice or trained fact to what the examination found wrong with the wording of wrong answers."""
    rows: dict[str, Row] = field(default_factory=dict)
    """A trained row of each of these facts."""
    unknown: int = 0
    """Answers to questions that the dataset no longer has."""

    def lines(self) -> list[str]:
        """As a person reads it."""
        text = []
        for name, asked in self.asked.items():
            tags = self.wrong.get(name, Counter[str]())
            told = ", ".join(f"{count} {tag}" for tag, count in tags.most_common())
            errors = ", ".join(f"{count} {tag}" for tag, count in self.errors[name].most_common())
            wording = f" ({errors})" if errors else ""
            text.append(f"{name:<10} {tags.total():>5} of {asked} wrong{': ' + told if told else ''}{wording}")
        topics = Counter({self.rows[fact].passage: 0 for fact in self.facts})
        for fact, tags in self.facts.items():
            topics[self.rows[fact].passage] += tags.total()
        for passage, count in topics.most_common(5):
            row = next(row for row in self.rows.values() if row.passage == passage)
            text.append(f"{'topic':<10} {count:>5} about {row.source}, page {row.page}: {row.quote[:70]!r}")
        if self.unknown:
            text.append(f"{self.unknown} answers are to questions that the dataset no longer has; they are left out.")
        if answered := sum(self.wrong[name]["answered"] for name in ("off_topic", "near_topic") if name in self.wrong):
            text.append(
                f"{answered} questions to be refused were answered: give refusals: more fields, or a larger share."
            )
        return text

    def wishes(self, number: int, wordings: int, most: int | None = None) -> list[Wish]:
        """More wordings of the weak facts, the weakest first."""
        ranked = sorted(self.facts.items(), key=lambda one: (-one[1].total(), content_id("weak", one[0])))
        return [self._wish(fact, tags, number, wordings) for fact, tags in ranked[:most]]

    def _wish(self, fact: str, tags: Counter[str], number: int, wordings: int) -> Wish:
        row = self.rows[fact]
        return Wish(
            round=number,
            why=", ".join(f"{count} {tag}" for tag, count in sorted((tags + self.errors[fact]).items())),
            wordings=wordings,
            answer=row.answer,
            quote=row.quote,
            passage=row.passage,
            fact=fact,
            examination=self.examination,
        )


def find_weakness(dataset: Path, student: Path) -> Weakness:
    """What a student got wrong, of the questions its dataset has today. Raises InputError if it was not examined."""
    path = student / ANSWERS
    if not path.exists():
        raise InputError(f"{student} has not been examined.", remedy=f"Run `coursework examine {student}` first.")
    manifest = read_manifest(dataset)
    rows = {row.id: (stem, row) for stem in (TRAIN, *SLICES) for row in read_rows(dataset, stem)}
    answers = {normalised(row.answer) for _, row in rows.values() if not row.refusal}
    refusals = {normalised(sentence) for sentence in manifest.refusals}
    found = Weakness(content_id(path.read_bytes().hex()))
    for answered in _answers(path):
        if answered.slice not in ("trained", *SLICES):
            continue  # asked in another form than the dataset's own, beside a quote
        stem, row = rows.get(answered.id, ("", None))
        if row is None or stem != (TRAIN if answered.slice == "trained" else answered.slice):
            found.unknown += 1
            continue
        found.asked[answered.slice] += 1
        tag = _tag(answered, row, answers, refusals)
        if tag:
            found.wrong[answered.slice][tag] += 1
            errors = [error for error in answered.student_tags if error not in _SAID_BY_TAG]
            found.errors[answered.slice].update(errors)
            if answered.slice in _TEACHABLE and not row.refusal and row.passage and not row.context:
                found.facts[row.fact][tag] += 1
                found.errors[row.fact].update(errors)
    trained = ((row.fact, row) for stem, row in rows.values() if stem == TRAIN)
    own = ((fact, row) for fact, row in trained if not (row.typo_of or row.edited or row.context))
    found.rows = {fact: row for fact, row in own if fact in found.facts}
    found.facts = {fact: tags for fact, tags in found.facts.items() if fact in found.rows}
    return found


def _answers(path: Path) -> Iterator[Answered]:
    for line in read_json_lines(path, Answered):
        if isinstance(line, BadLine):
            raise InputError(f"{path}:{line.number}: {line.fault}", remedy="Examine the student again.")
        yield line[1]


def _tag(answered: Answered, row: Row, answers: set[str], refusals: set[str]) -> str:
    """What is wrong with an answer, or nothing."""
    said = normalised(answered.student)
    if row.refusal:
        return "" if said in refusals else "answered"
    if said == normalised(row.answer) or answered.student_right:
        return "" if answered.student_stopped_by == "end" else "not_stopped"
    if said in refusals:
        return "refused"
    if answered.student_stopped_by != "end":
        return "not_stopped"
    return "another_fact" if said in answers else "wrong"


def latest_student(folder: Path, wanted: str = "") -> Path:
    """The student whose examination is to be read: the one named, or the one examined last. Raises InputError."""
    students = folder / "students"
    examined = sorted(students.glob(f"*/{ANSWERS}"), key=lambda path: path.stat().st_mtime_ns)
    if wanted:
        return Path(wanted) if Path(wanted).is_dir() else students / wanted
    if not examined:
        raise InputError(
            f"no student under {students} has been examined.", remedy="`coursework run RECIPE --train` trains one."
        )
    return examined[-1].parent


def next_round(wishes: Sequence[Wish], weakness: Weakness) -> int:
    """The number of the next improvement; 0 if the examination has been turned into wishes already."""
    if any(wish.examination == weakness.examination for wish in wishes):
        return 0
    return 1 + max((wish.round for wish in wishes), default=0)
