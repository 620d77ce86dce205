"""Why a draft ended where it did: its whole story, from the page it rests on to the file it stands in.

Nothing of this is stored. The draft is found again in the paid replies, what came before it is curated again, and every
check is asked for its word; what a person decided and what was published are looked up.
"""

from __future__ import annotations

import re
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.curate import SHARD, Curator, end_of, record_id
from pipeline.curate.findings import Finding
from pipeline.curate.grounding import find_quote
from pipeline.desk.said import Desk
from pipeline.draft.replies import Unreadable, answer_object
from pipeline.drafted import Asked, Item, drafts_in_order, material, spool_of_items
from pipeline.errors import InputError
from pipeline.files import BadLine, read_json_lines
from pipeline.history import History
from pipeline.kinds import IMPORTED
from pipeline.material import Say, Sources, gather
from pipeline.publish.schema import PREFERENCE, SLICES, TRAIN, Row, read_manifest, read_pairs, read_rows
from pipeline.recipe import Loaded, load_recipe
from pipeline.records import Draft, Passage, Record, Rejection, content_id
from pipeline.rounds import Rounds
from pipeline.spool import Spool
from pipeline.teacher.endpoint import find_teacher
from pipeline.teacher.ledger import Ledger
from pipeline.why_imported import tell

_AROUND = 150
"""Characters of the passage shown on either side of the quote."""
_RAW = 2000
"""Characters shown of a reply that cannot be read."""
_LINE = re.compile(r"(?P<path>.*rejected\.jsonl):(?P<number>\d+)")
_HEX = re.compile(r"[0-9a-f]{4,32}")


def why(name: str, recipes: Sequence[Path], out: Path, model: str, say: Say) -> list[str]:
    """The story, line by line, of what a record's id, a request's key or its beginning, or `rejected.jsonl:3` names.

    The first of the recipes whose dataset knows it tells. Raises InputError if none does.
    """
    line = _LINE.fullmatch(name)
    if not (line or _HEX.fullmatch(name)):
        raise InputError(
            f"{name!r} names nothing: it is no record's id, no request's key and no line of a rejected.jsonl.",
            remedy="Ids stand in the dataset and on the sheets, keys in rejected.jsonl under `request`.",
        )
    known = [
        (loaded, folder) for loaded in map(load_recipe, recipes) if _has_ledger(folder := out / loaded.recipe.name)
    ]
    if line:
        known, rejection = _of_line(Path(line["path"]), int(line["number"]), known)
    for loaded, folder in known:
        with Ledger.look(folder) as ledger, spool_of_items(Path(tempfile.gettempdir())) as items:
            dataset = _Dataset.look(loaded, folder, ledger, items, model, say)
            story = dataset.of_rejection(rejection) if line else dataset.of_id(name)
        if story:
            return story
    looked = ", ".join(str(folder) for _, folder in known) or f"{out}, where no recipe named here has a ledger"
    raise InputError(
        f"{name} is unknown in {looked}.",
        remedy="Name the recipe after it; if the run was given --model or --out, give them here too.",
    )


def _has_ledger(folder: Path) -> bool:
    return (folder / "ledger.sqlite").exists()


_Known = list[tuple[Loaded, Path]]


def _of_line(path: Path, number: int, known: _Known) -> tuple[_Known, Rejection]:
    """The dataset whose file that is, and the rejection on the line."""
    named = [one for one in known if path.parent == Path() or one[1].resolve() == path.parent.resolve()]
    if len(named) != 1:
        folders = ", ".join(str(folder / path.name) for _, folder in named or known) or "none has a ledger"
        raise InputError(f"{path}: of which dataset? ({folders})", remedy="Name the file with its folder.")
    file = named[0][1] / path.name
    if not file.exists():
        raise InputError(f"{file} is not there.", remedy="`coursework reparse` writes it again.")
    for found in read_json_lines(file, Rejection):
        if isinstance(found, BadLine):
            if found.number == number:
                raise InputError(f"{file}:{number}: {found.fault}", remedy="`coursework reparse` writes it again.")
        elif found[0] == number:
            return named, found[1]
    raise InputError(f"{file} has no line {number}.")


@dataclass(frozen=True)
class _Examined:
    """A draft, or what a reply held in place of one, with every check's word on it and its end."""

    item: Item
    findings: list[Finding]
    end: Record | Rejection


@dataclass(frozen=True)
class _Dataset:
    """All that is known of one dataset, read and not changed."""

    folder: Path
    ledger: Ledger
    sources: Sources
    loaded: Loaded
    history: History
    asked: Asked
    items: Spool[Item]
    ordered: Iterator[Item]
    templates: dict[str, str]
    """Fingerprint to the name of the template that has it today."""
    desk: Desk

    @classmethod
    def look(cls, loaded: Loaded, folder: Path, ledger: Ledger, items: Spool[Item], model: str, say: Say) -> _Dataset:
        """Read sources, plan, replies and verdicts."""
        # Nobody is asked anything, so neither key nor address is needed; without a name it was the embedded teacher.
        asked_of = model or loaded.recipe.teacher.model or find_teacher("", "", {}).model
        sources = gather(loaded, say)
        history = History(ledger, accept_changes=False)
        desk = Desk.read(folder, ledger)
        drafters = Rounds(loaded, sources, asked_of, history, folder, desk).all()
        asked = Asked.of(drafters, history)
        return cls(
            folder=folder,
            ledger=ledger,
            sources=sources,
            loaded=loaded,
            history=history,
            asked=asked,
            items=items,
            ordered=drafts_in_order(drafters, history, items, desk.mend),
            templates={content_id(text): name for drafter in drafters for name, text in drafter.prompts.items()},
            desk=desk,
        )

    def of_id(self, name: str) -> list[str]:
        """The story of a record's id, or of a request's key or its beginning; empty if it names neither."""
        if any(_has_id(item, name) for item in self.items):
            return self._of_draft(lambda item: _has_id(item, name))
        if slip := self._slips.get(name):
            told = f"{slip.question!r} is {slip.typo_of} with a typing slip; this is what that comes from:"
            return [_labelled("slip", told), *self._of_draft(lambda item: _has_id(item, slip.typo_of))]
        if story := self._of_imported(name):
            return story
        if name in self.desk.laid.lines and (story := self._of_sheet(name)):
            return story
        keys = [key for key in dict.fromkeys((*self.asked.prompts, *self.ledger.keys(name))) if key.startswith(name)]
        if len(keys) > 1:
            raise InputError(
                f"{len(keys)} requests begin with {name}: {', '.join(keys[:5])}.", remedy="Give more of the key."
            )
        return self._of_request(keys[0]) if keys else []

    def of_rejection(self, rejection: Rejection) -> list[str]:
        """The story of a line of rejected.jsonl."""
        if rejection.kind == IMPORTED:
            return _of_rejected_row(rejection)
        story = self._of_draft(lambda item: _is_of(item, rejection))
        if story:
            return story
        return [
            f"{rejection.cause}: {rejection.detail}",
            _labelled("question", rejection.question or "(none)"),
            "Today's recipe and sources bring no such draft any more; the next run rewrites rejected.jsonl.",
        ]

    def _examined(self, wanted: Callable[[Item], bool]) -> Iterator[_Examined]:
        """Each wanted item, after what came before it was curated."""
        recipe = self.loaded.recipe
        against = material(self.loaded, self.folder, self.sources, self.asked, self.history)
        before: list[Item] = []
        with Curator(against, recipe.checks, dropped=self.desk.verdicts.gone) as curator:
            for item in self.ordered:
                found = wanted(item)
                if found or len(before) == SHARD:
                    deque(curator.curate(before), maxlen=0)
                    before = []
                if not found:
                    before.append(item)
                elif isinstance(item, Draft):
                    findings = curator.findings(item)
                    yield _Examined(item, findings, end_of(item, findings, against))
                else:
                    yield _Examined(item, [], item)

    def _of_draft(self, wanted: Callable[[Item], bool]) -> list[str]:
        """Of several drafts that are wanted, that which became the record, else the first."""
        first, others = None, 0
        for one in self._examined(wanted):
            if first is None or (isinstance(one.end, Record) and not isinstance(first.end, Record)):
                first = one
            others += 1
        if first is None:
            return []
        lines = [*self._draft(first), *self._request(first.item.request), *_checks(first)]
        lines += self._partners(first) + self._review(first)
        if others > 1:
            lines.append(_labelled("drafted", f"{others} times; what is told is of {_which(first.end)}"))
        return [*lines, _labelled("fate", self._fate(first.end))]

    def _of_request(self, key: str) -> list[str]:
        lines = [*self._request(key), *self._unreadable(key)]
        for one in self._examined(lambda item: item.request == key):
            named = one.end.id if isinstance(one.end, Record) else "-" * 16
            lines.append(f"  {named}  {self._fate(one.end)}: {one.item.question or '(no question)'}")
        return lines

    def _draft(self, one: _Examined) -> list[str]:
        item = one.item
        lines = [_labelled("draft", f"{record_id(item)} ({item.kind})" if isinstance(item, Draft) else item.kind)]
        lines += [_labelled(what, getattr(item, what)) for what in ("question", "answer") if getattr(item, what)]
        passage = self.sources.passages.get(item.passage)
        if passage is not None:
            return lines + _place(passage, item.quote)
        if self.sources.persona is not None and item.kind.startswith("persona"):
            lines.append(_labelled("source", f"persona {self.sources.persona.name}"))
        return lines + ([_labelled("field", item.field)] if item.field else [])

    def _request(self, key: str) -> list[str]:
        fingerprint = self.asked.prompts.get(key, "")
        template = self.templates.get(fingerprint, "not in today's plan")
        lines = [_labelled("request", key), _labelled("prompt", f"{template} {fingerprint}".strip())]
        reply = self.history.told(key)
        if reply is None:
            causes = [f"{failure.cause}: {failure.detail}" for failure in self.ledger.failures(key)]
            return [*lines, _labelled("teacher", "no reply yet"), *(_labelled("failed try", why) for why in causes)]
        if reply.key != key:
            lines.append(_labelled("", f"the reply to {reply.key}, as it was asked before it changed, stands for it"))
        cost = self.ledger.cost(reply.key)
        dollars = "no price known" if cost.usd is None else f"{cost.usd:.6f} USD"
        read, written = ("?" if count is None else f"{count:,}" for count in (reply.input_tokens, reply.output_tokens))
        shared = sum(item.request == key for item in self.items)
        return [
            *lines,
            _labelled("teacher", reply.model),
            _labelled("cost", f"{read} tokens read, {written} written, {cost.tokens:,} charged, {dollars}"),
            _labelled("", f"shared by {shared} drafts"),
        ]

    def _unreadable(self, key: str) -> list[str]:
        """Why the reply cannot be read, if it cannot, and what it says."""
        reply = self.history.told(key)
        if reply is None:
            return []
        try:
            answer_object(reply)
        except Unreadable as fault:
            cut = f", the first {_RAW:,} of {len(reply.body):,} characters" if len(reply.body) > _RAW else ""
            return [
                _labelled("unreadable", f"{fault.cause}: {fault}"),
                f"The reply as it came{cut}:",
                reply.body[:_RAW],
            ]
        return []

    def _partners(self, one: _Examined) -> list[str]:
        names = dict.fromkeys(finding.partner for finding in one.findings if finding.partner)
        return [_labelled("partner", f"{name}, {self._stands(name) or 'not published'}") for name in names]

    def _review(self, one: _Examined) -> list[str]:
        if not isinstance(one.end, Record):
            return []
        return [*self._made_of(one.end), _labelled("review", self._verdict(one.end.id))]

    def _made_of(self, record: Record) -> list[str]:
        """What people had done to it."""
        lines = [_labelled("rules", ", ".join(record.rules))] if record.rules else []
        if record.replaces:
            lines.append(_labelled("replaces", f"{record.replaces}, of which a person said: {record.fix}"))
        return lines

    def _verdict(self, name: str) -> str:
        said, laid = self.desk.verdicts, self.desk.laid.lines
        if name not in laid:
            return "on no sheet yet"
        verdict = "a person keeps it" if name in said.kept else "no verdict yet"
        if name in said.dropped:
            verdict = "a person dropped it"
        elif name in said.deleted:
            verdict = "a person deleted its line"
        elif name in said.edited:
            line = said.edited[name]
            verdict = f"a person edited it: {line.question} {line.answer}"
        if name in said.fixes:
            verdict += f"; to be mended: {said.fixes[name]}"
        return f"{laid[name][0]}: {verdict}"

    def _of_imported(self, name: str) -> list[str]:
        """The story of a row that is mixed in; empty if it is none, or is neither published nor on a sheet."""
        rows = (row for _, row in self._rows() if row.id == name)
        one = next(rows, None) or self.desk.laid.records([name]).get(name)
        if one is None or one.kind != IMPORTED:
            return []
        manifest = self.folder / "dataset" / "manifest.json"
        sets = read_manifest(manifest.parent).mix if manifest.exists() else {}
        told = tell(one, self.loaded, sets, self._rows())
        lines = [_labelled(label, text) for label, text in told.lines]
        lines += [*_words(told.findings), _labelled("review", self._verdict(name))]
        fate = "dropped by a person" if name in self.desk.verdicts.gone else self._stands(name) or "not published"
        return [*lines, _labelled("fate", fate)]

    def _of_sheet(self, name: str) -> list[str]:
        """The story of a record that no draft brings any more."""
        record = self.desk.laid.records([name]).get(name)
        if record is None:
            return []
        lines = [_labelled("record", f"{name} ({record.kind}), which no draft brings any more; as it was laid:")]
        lines += [_labelled(what, getattr(record, what)) for what in ("question", "answer", "quote", "source")]
        lines += [*self._request(record.request), *self._made_of(record), _labelled("review", self._verdict(name))]
        return [*lines, _labelled("fate", self._fate(record) if self._stands(name) else "not published")]

    def _fate(self, end: Record | Rejection) -> str:
        if isinstance(end, Rejection):
            return f"rejected as {end.cause}"
        if end.id in self.desk.verdicts.gone:
            return "dropped by a person"
        if stands := self._stands(end.id):
            return stands
        if version := self._versions.get(end.id):
            return f"replaced by {version}, the version that a person asked for"
        if end.id in self.desk.laid.lines and (self.folder / "dataset" / "manifest.json").exists():
            return (
                "withheld: a held-out wording of a fact that is not trained, a near-topic refusal without a trained"
                " twin, a refusal above the recipe's share, or waiting for a person's keep where the recipe requires it"
            )
        return "a record, not published yet"

    def _stands(self, name: str) -> str:
        """Where in the published dataset a record stands; empty if nowhere."""
        stem = self._stems.get(name, "")
        if stem in (TRAIN, PREFERENCE):
            return f"trained on, in {stem}.jsonl"
        return stem and f"held out, in {stem}.jsonl"

    @cached_property
    def _stems(self) -> dict[str, str]:
        """Record id to file stem of every published row."""
        pairs = {pair.id: PREFERENCE for pair in read_pairs(self.folder / "dataset")}
        return pairs | {row.id: stem for stem, row in self._rows()}

    @cached_property
    def _slips(self) -> dict[str, Row]:
        """Id to row of every published typing slip."""
        return {row.id: row for _, row in self._rows() if row.typo_of}

    @cached_property
    def _versions(self) -> dict[str, str]:
        """Id of a record to that of the published version that replaces it."""
        return {row.replaces: row.id for _, row in self._rows() if row.replaces}

    def _rows(self) -> Iterator[tuple[str, Row]]:
        """Every published row with its file stem."""
        folder = self.folder / "dataset"
        stems = (TRAIN, *SLICES) if (folder / f"{TRAIN}.jsonl").exists() else ()
        return ((stem, row) for stem in stems for row in read_rows(folder, stem))


def _of_rejected_row(rejection: Rejection) -> list[str]:
    """An example of a rejected row: nobody else kept it, so what it says is all there is."""
    file, _, row = rejection.place.rpartition(":")
    lines = [_labelled("source", f"row {row} of {file}, set {rejection.field}")]
    lines += [_labelled(what, text) for what in ("question", "answer") if (text := getattr(rejection, what))]
    lines += [_labelled("partner", rejection.partner)] if rejection.partner else []
    return [*lines, _labelled("fate", f"rejected as {rejection.cause}: {rejection.detail}")]


def _has_id(item: Item, name: str) -> bool:
    return isinstance(item, Draft) and record_id(item) == name


def _is_of(item: Item, rejection: Rejection) -> bool:
    """Whether the rejection is of this item."""
    if isinstance(item, Rejection):
        return item == rejection
    said = (item.request, item.kind, item.question, item.answer, item.quote)
    return said == (rejection.request, rejection.kind, rejection.question, rejection.answer, rejection.quote)


def _which(end: Record | Rejection) -> str:
    return "the one that became the record" if isinstance(end, Record) else "the first"


def _place(passage: Passage, quote: str) -> list[str]:
    """Where the quote stands, in its surroundings; or the passage's beginning, if it does not stand there."""
    span = find_quote(quote, passage.text) if quote else None
    start, end = span or (0, 0)
    at = passage.start + start
    lines = [
        _labelled("source", f"{passage.document}, {passage.unit} {passage.page_at(start)}, character {at} of its text"),
        _labelled("passage", f"{passage.id} {' > '.join(passage.heading)}".strip()),
    ]
    before, after = passage.text[max(0, start - _AROUND) : start], passage.text[end : end + _AROUND]
    if span is None:
        lines.append(_labelled("quote", quote or "(none)"))
        return [*lines, _labelled("", f"not in the passage, which begins: {' '.join(after.split())} …")]
    around = f"… {before}[[{passage.text[start:end]}]]{after} …"
    return [*lines, _labelled("quote", " ".join(around.split()))]


def _checks(one: _Examined) -> list[str]:
    """Each check with its figure."""
    if isinstance(one.item, Rejection):
        return [_labelled("reply", f"{one.item.cause}: {one.item.detail}")]
    return _words(one.findings)


def _words(findings: Sequence[Finding]) -> list[str]:
    return [
        _labelled("check" if number == 0 else "", f"{finding.verdict:<8} {finding.check}: {finding.measured}")
        for number, finding in enumerate(findings)
    ]


def _labelled(label: str, text: str) -> str:
    return f"{label:<11}{text}"
