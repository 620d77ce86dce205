"""What is rebuilt at every run: records, rejections, the sheet of what is new, and the dataset.

All of it follows from what the ledger and the sheets hold, and streams: records wait in a spool on disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline import __version__
from pipeline.crash import passing
from pipeline.curate import SHARD, Material, curate
from pipeline.curate.diversity import Diversity, diversity
from pipeline.curate.findings import Finding
from pipeline.curate.persona import Said, catch_phrases
from pipeline.draft import Aiming, Drafter
from pipeline.draft.personas import PersonaDrafter
from pipeline.drafted import drafts_in_order, spool_of_items
from pipeline.files import Writing, json_line, write_folder
from pipeline.funnel import Funnel
from pipeline.history import History
from pipeline.judging import Hearing
from pipeline.kinds import KINDS
from pipeline.laid import Laid
from pipeline.language import can_tell
from pipeline.material import Say, Sources
from pipeline.publish.dataset import Dataset, Provenance
from pipeline.publish.schema import TRAIN
from pipeline.publish.split import assign, prove_no_leak
from pipeline.recipe import Loaded
from pipeline.records import Record, Rejection
from pipeline.review.sheets import lay_sheet
from pipeline.review.verdicts import Verdicts, decide, read_sheets
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
    hearing: Hearing | None
    """Where a judge was asked."""

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
    recipe, folder, ledger = given.loaded.recipe, given.folder, given.ledger
    log.stage("records")
    if recipe.checks.language_odds is not None and not can_tell(recipe.language):
        say(f"language: {recipe.language} cannot be told from others, so no draft is checked for it")
    laid = Laid(ledger)
    verdicts = read_sheets(folder / "review", laid.lines)
    if given.hearing:
        given.hearing.tell_agreement(verdicts, given.history, say)
    with Spool[Record](folder, Record) as spool, Writing(folder / "rejected.jsonl") as rejected:
        _curate(given, verdicts, spool, rejected, funnel)
        records = _Flagged.of(spool, given)
        log.stage("sheet")
        lay_sheet(folder / "review", records, laid.lines, laid.note)
        passing("sheet-laid")
        log.stage("dataset")
        kept = _Kept(records, verdicts)
        for dropped in kept.dropped():
            funnel.rejections[dropped.cause] += 1
            rejected.write(json_line(dropped))
        rejected.finish()
        parts = assign(kept, recipe)
        prove_no_leak(kept, parts, recipe.language)
        funnel.published, funnel.typos = parts.counts, len(parts.slips)
        variety = diversity(_counting_flags(kept, funnel), given.sources.passages, recipe.diversity)
        remarks = [*parts.told, *_compliance(given), *_shortfall(given, kept), *variety.lines()]
        for line in (*funnel.lines(), *remarks):
            say(line)
        if not parts.counts[TRAIN]:
            return Built(False, False, verdicts.problems)
        dataset = Dataset(recipe, _provenance(given, remarks, variety))
        rows = dataset.lines(parts.rows(kept))
        changed = write_folder(folder / "dataset", rows, dataset.closing, "manifest.json")
        return Built(True, changed, verdicts.problems)


def _curate(given: Ingredients, verdicts: Verdicts, records: Spool[Record], rejected: Writing, funnel: Funnel) -> None:
    checks, index = given.loaded.recipe.checks, given.folder / "index.sqlite"
    with spool_of_items(given.folder) as items:
        drafted = funnel.entering(drafts_in_order(given.drafters, given.history, items))
        _sort_out(curate(drafted, given.against, checks, index, verdicts.gone), records, rejected, funnel)


def _sort_out(ends: Iterable[Record | Rejection], records: Spool[Record], rejected: Writing, funnel: Funnel) -> None:
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


@dataclass(frozen=True)
class _Kept:
    """The records as the person wants them, read from the spool as often as they are gone through."""

    records: Iterable[Record]
    verdicts: Verdicts

    def __iter__(self) -> Iterator[Record]:
        return (end for end in decide(self.records, self.verdicts) if isinstance(end, Record))

    def dropped(self) -> Iterator[Rejection]:
        """Those that the person does not want."""
        return (end for end in decide(self.records, self.verdicts) if isinstance(end, Rejection))


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


def _provenance(given: Ingredients, remarks: Sequence[str], variety: Diversity) -> Provenance:
    persona = given.sources.persona
    return Provenance(
        version=__version__,
        recipe_sha256=given.loaded.sha256,
        prompts={name: text for drafter in given.drafters for name, text in drafter.prompts.items()},
        sources=given.sources.hashes,
        embedded_teacher=given.address.embedded,
        living_persons=[persona.name] if persona and persona.living_person else [],
        remarks=remarks,
        diversity=variety.model_dump(mode="json"),
    )
