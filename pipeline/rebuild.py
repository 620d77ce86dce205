"""What is rebuilt at every run: records, rejections, the sheet of what is new, and the dataset.

All of it follows from what the ledger and the sheets hold, and streams: records wait in a spool on disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pipeline import __version__
from pipeline.crash import passing
from pipeline.curate import SHARD, Material, curate
from pipeline.curate.diversity import Diversity, diversity
from pipeline.curate.findings import Finding
from pipeline.curate.persona import Said, catch_phrases
from pipeline.desk.beside import leave_conflicts, leave_material
from pipeline.desk.reviewed import Reviewed
from pipeline.desk.said import Desk
from pipeline.draft import Aiming, Drafter, Drawing, Voiced
from pipeline.draft.personas import PersonaDrafter
from pipeline.drafted import drafts_in_order, spool_of_items
from pipeline.files import Writing, json_line, write_folder
from pipeline.funnel import Funnel
from pipeline.history import History
from pipeline.judging import Hearing
from pipeline.kinds import KINDS
from pipeline.language import can_tell
from pipeline.material import Say, Sources
from pipeline.mix.mixing import Mixture
from pipeline.mix.rows import OpenSet
from pipeline.mixed import Beside, licence_of, mix_in, told, warned
from pipeline.publish.dataset import Dataset, Provenance
from pipeline.publish.schema import TRAIN
from pipeline.publish.split import Assignment, assign, prove_no_leak
from pipeline.recipe import Loaded, Recipe
from pipeline.records import Record, Rejection
from pipeline.report.tally import tally
from pipeline.review.sampling import Chosen, acceptance_told
from pipeline.review.sheets import lay_sheet
from pipeline.runlog import Log
from pipeline.spool import Spool
from pipeline.teacher.endpoint import Address
from pipeline.teacher.ledger import Ledger


@dataclass(frozen=True)
class Ingredients:
    """What a dataset is made from."""

    loaded: Loaded
    address: Address
    sources: Sources
    drafters: Sequence[Drafter]
    history: History
    ledger: Ledger
    against: Material
    """What the drafts are checked against."""
    desk: Desk
    """As it was when the run began."""
    hearing: Hearing | None
    """Where a judge was asked."""
    sets: Sequence[OpenSet] = ()
    """What the recipe mixes in."""

    @property
    def folder(self) -> Path:
        """The dataset's outputs."""
        return self.ledger.folder


@dataclass(frozen=True)
class Built:
    """What came of it."""

    published: bool
    """False if nothing is left to train on: then the dataset stays as it was."""
    changed: bool
    """The dataset differs from what was published before."""
    problems: list[str]
    """Lines of review sheets that could not be followed, each as file:line: what."""


def rebuild(given: Ingredients, funnel: Funnel, say: Say, log: Log) -> Built:
    """Records, rejections, sheet and dataset from what the ledger and the sheets hold; `funnel` counts on.

    Raises InputError if a slice would hold what is trained, or a file that the recipe names cannot be read.
    """
    recipe, folder = given.loaded.recipe, given.folder
    log.stage("records")
    if recipe.checks.language_odds is not None and not can_tell(recipe.language):
        say(f"language: {recipe.language} cannot be told from others, so no draft is checked for it")
    leave_material(folder, recipe, given.sources.passages.values())
    desk = given.desk.again()  # saved since the asking began
    if given.hearing:
        given.hearing.tell_agreement(desk.verdicts, given.history, say)
    with (
        Spool[Record](folder, Record) as spool,
        Spool[Record](folder, Record) as imported,
        Writing(folder / "rejected.jsonl") as rejected,
    ):
        repeats: Counter[str] = Counter()
        failed = _curate(given, desk, spool, rejected, funnel, repeats)
        records = _Flagged.of(spool, given)
        log.stage("sheet")
        drawn_from = funnel.records
        kept = Reviewed(records, desk, given.sources.passages, recipe, failed, given.against.held_out)
        _lay(kept, desk, recipe)
        log.stage("dataset")
        for rejection in kept.rejections():
            funnel.rejections[rejection.cause] += 1
            rejected.write(json_line(rejection))
        rejected.finish()
        funnel.restored, funnel.awaiting = len(kept.decisions.restored), kept.awaiting
        leave_conflicts(folder, kept.decisions.conflicts)
        problems = [*desk.problems(), *kept.problems()]
        mixture, parts = _mix(given, kept, desk, imported)
        prove_no_leak(kept, parts, recipe.language, imported)
        funnel.published, funnel.typos = parts.counts, len(parts.slips)
        variety = diversity(_counting_flags(kept, funnel), given.sources.passages, recipe.diversity)
        trained = parts.counts[TRAIN] + mixture.rows
        remarks = [
            *parts.told,
            *_compliance(given),
            *_shortfall(given, kept.standing()),
            *variety.lines(),
            *warned(mixture),
        ]
        reviewing = [*kept.lines(), *acceptance_told(desk.verdicts, recipe.review.sample, drawn_from)]
        for line in (*funnel.lines(), *told(mixture, trained), *remarks, *reviewing):
            say(line)
        log.shown = tally(kept, given.sources.passages, repeats, log.facts.run).model_copy(
            update={
                "question_openings": {one.phrase: one.texts for one in variety.question_openings},
                "answer_openings": {one.phrase: one.texts for one in variety.answer_openings},
                "remarks": (*remarks, *reviewing),
            }
        )
        if not parts.counts[TRAIN]:
            return Built(False, False, problems)
        dataset = Dataset(recipe, _provenance(given, remarks, variety, mixture))
        rows = dataset.lines(chain(parts.rows(kept), ((TRAIN, record) for record in imported)))
        changed = write_folder(folder / "dataset", rows, dataset.closing, "manifest.json")
        return Built(True, changed, problems)


def _mix(given: Ingredients, kept: Reviewed, desk: Desk, imported: Spool[Record]) -> tuple[Mixture, Assignment]:
    """What the mix brings, `imported`, and where each own record goes beside it."""
    recipe, parts = given.loaded.recipe, assign(kept, given.loaded.recipe)
    mixture = mix_in(given.loaded, given.sets, Beside(given.folder, kept, parts, given.against.embedder), imported)
    if mixture.rows:
        lay_sheet(desk.folder / "review", mixture.sample, desk.laid.lines, desk.laid.note)
        parts = assign(kept, recipe, mixture.rows)
    return mixture, parts


def _lay(reviewed: Reviewed, desk: Desk, recipe: Recipe) -> None:
    """What is new goes on the next sheet: all of it, or the share of it that a person is asked for."""
    chosen = Chosen(reviewed.records, recipe.review.sample, reviewed.decisions.yielding)
    lay_sheet(desk.folder / "review", chosen, desk.laid.lines, desk.laid.note, recipe.language)
    passing("sheet-laid")
    desk.laid.complete(reviewed.records)


def _curate(
    given: Ingredients,
    desk: Desk,
    records: Spool[Record],
    rejected: Writing,
    funnel: Funnel,
    repeats: Counter[str],
) -> dict[str, str]:
    """Curate all drafts. Of those that were to replace a record and did not pass, the record and the cause.

    `repeats` counts by record the drafts that repeat it.
    """
    checks, index = given.loaded.recipe.checks, given.folder / "index.sqlite"
    with spool_of_items(given.folder) as items:
        drafted = funnel.entering(drafts_in_order(given.drafters, given.history, items, desk.mend))
        ends = curate(drafted, given.against, checks, index, desk.verdicts.gone)
        return _sort_out(ends, records, rejected, funnel, repeats)


def _sort_out(
    ends: Iterable[Record | Rejection],
    records: Spool[Record],
    rejected: Writing,
    funnel: Funnel,
    repeats: Counter[str],
) -> dict[str, str]:
    """Records wait in the spool, a shard a block; rejections go to their file. See `_curate` for what comes back."""
    shard: list[Record] = []
    failed: dict[str, str] = {}
    for end in ends:
        if isinstance(end, Rejection):
            funnel.rejections[end.cause] += 1
            rejected.write(json_line(end))
            if end.partner:
                repeats[end.partner] += 1
            if end.replaces and end.cause != "superseded":
                failed[end.replaces] = end.cause
            continue
        shard.append(end)
        if len(shard) == SHARD:
            records.add(shard)
            shard = []
    records.add(shard)
    return failed


@dataclass(frozen=True)
class _Flagged:
    """The records, each with the flag that only all of them together can bring."""

    records: Spool[Record]
    worn: Mapping[str, Finding]
    """By id: a phrase that too many answers share."""

    @classmethod
    def of(cls, records: Spool[Record], given: Ingredients) -> _Flagged:
        checks = given.loaded.recipe.checks
        return cls(records, catch_phrases(_InVoice(records), checks.catch_phrase_share, checks.catch_phrase_least))

    def __iter__(self) -> Iterator[Record]:
        for record in self.records:
            found = self.worn.get(record.id)
            yield record.model_copy(update={"flags": (*record.flags, found.cause)}) if found else record


@dataclass(frozen=True)
class _InVoice:
    """The answers in a persona's voice."""

    records: Iterable[Record]

    def __iter__(self) -> Iterator[Said]:
        return (Said(record.id, record.answer) for record in self.records if KINDS[record.kind].voiced)


def _counting_flags(records: Iterable[Record], funnel: Funnel) -> Iterator[Record]:
    for record in records:
        funnel.flags.update(flag.partition(":")[0] for flag in record.flags)
        yield record


def _compliance(given: Ingredients) -> list[str]:
    in_voice = (drafter for drafter in given.drafters if isinstance(drafter, PersonaDrafter))
    return [drafter.compliance(given.history.told).line() for drafter in in_voice]


def _shortfall(given: Ingredients, records: Iterable[Record]) -> Iterator[str]:
    """What drafters that work towards a number lack of it."""
    for drafter in given.drafters:
        if isinstance(drafter, Aiming):
            yield from drafter.shortfall(records, given.history.told)


def _provenance(given: Ingredients, remarks: Sequence[str], variety: Diversity, mixture: Mixture) -> Provenance:
    persona, drift = given.sources.persona, mixture.drift
    imitated = [persona.name] if persona and persona.living_person else []
    imitated += [drafter.imitated for drafter in given.drafters if isinstance(drafter, Voiced) and drafter.imitated]
    drawn_on = [drafter.files for drafter in given.drafters if isinstance(drafter, Drawing)]
    return Provenance(
        version=__version__,
        recipe_sha256=given.loaded.sha256,
        prompts={name: text for drafter in given.drafters for name, text in drafter.prompts.items()},
        sources={name: digest for files in (given.sources.hashes, *drawn_on) for name, digest in files.items()},
        embedded_teacher=given.address.embedded,
        living_persons=list(dict.fromkeys(imitated)),
        remarks=remarks,
        diversity=variety.model_dump(mode="json"),
        mix=mixture.sets,
        constraints={name: persona.constraints for name, kind in KINDS.items() if kind.voiced} if persona else {},
        licence=licence_of(given.loaded.recipe, mixture),
        drift=drift.model_dump(mode="json") if drift else {},
        drift_table=drift.table() if drift else (),
    )
