"""From paid replies to the published folder at 10,000, 100,000 and 1,000,000 drafts: rate, memory and growth per stage.

    python benchmarks/curate.py              10,000 and 100,000 and 1,000,000 drafts
    python benchmarks/curate.py --sizes 10000 100000
    python benchmarks/curate.py --replies    10,000 and 100,000 replies of ten drafts: does memory grow with them?

The replies are made up and stand in a real ledger; from there on every stage is the one that `coursework run` goes
through, in its order, fed by the one before it. What compares by meaning is left out, for its time is the model's, and
so is what asks a teacher. Each size has a process of its own. Rates are in drafts, or rows, per second of CPU; memory
is the peak of the resident set within the stage, which the kernel is asked to count anew. A growth of 1.0 means that
a draft costs the same at the largest size as at the smallest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from random import Random

from pipeline.curate import Curator, Material, Origin
from pipeline.curate.decontaminate import HeldOut, HeldOutText
from pipeline.curate.diversity import diversity
from pipeline.curate.findings import Finding
from pipeline.desk.laid import Laid
from pipeline.desk.reviewed import Reviewed
from pipeline.desk.said import Desk
from pipeline.draft.documents import DocumentDrafter
from pipeline.draft.prompts import Manner, Prompt
from pipeline.draft.refusals import Bank, Beside, RefusalDrafter
from pipeline.drafted import drafts_in_order, spool_of_items
from pipeline.files import Writing, write_folder
from pipeline.funnel import Funnel
from pipeline.history import History
from pipeline.publish.dataset import Dataset, Provenance
from pipeline.publish.schema import SLICES, TRAIN, read_rows
from pipeline.publish.split import assign, prove_no_leak
from pipeline.rebuild import _sort_out
from pipeline.recipe import Decontamination, Recipe, shipped
from pipeline.records import Passage, Record, content_id
from pipeline.review.sheets import lay_sheet
from pipeline.spool import Spool
from pipeline.teacher.ledger import Cost, Ledger
from pipeline.teacher.request import Reply, Request

SIZES = (10_000, 100_000, 1_000_000)
FACTS, WORDINGS = 14, 8
REFUSED = 0.1
"""Share of the drafts that are questions to be refused."""
PER_FIELD = 100
HELD_OUT, UNASKED = 1000, 10**7
"""Passages that no teacher sees stand for an examination; their numbers begin there."""
RECIPE = Recipe.model_validate(
    {
        "name": "made-up",
        "documents": {"files": ["none"]},
        "refusals": {
            "topic": "made-up towns",
            "sentence": "Please let us stay with the towns.",
            "off_topic": {"fields": ["see below"]},
        },
    }
)
_KINDS = "bridge tower market harbour archive garden theatre station library mill".split()
_TRAITS = "height age owner builder cost keeper colour length purpose name".split()
_SYLLABLES = "ka lo mi ren sta vor el du bra nis tor fen gal hu pel zor win ash".split()
_FORMS = (
    "What is the {trait} of the {kind} of {town}?",
    "Which {trait} has the {kind} that stands in {town}?",
    "For the {kind} in the town {town}, what {trait} is given?",
    "How would somebody from {town} describe the {trait} of the {kind}?",
    "{town} has a {kind}: what is known of its {trait}?",
    "When people in {town} speak of the {kind}, which {trait} is meant?",
    "Could a visitor to {town} find out the {trait} of the {kind}, which is what?",
    "Among the sights of {town} the {kind} has what {trait}?",
)


def name(dice: Random, syllables: int = 4) -> str:
    return "".join(dice.choices(_SYLLABLES, k=syllables)).capitalize()


def passage(number: int) -> tuple[Passage, list[dict]]:
    """A passage about one town, and the facts that a teacher finds in it; some of these are faulty, or repeated."""
    dice = Random(number)
    town = f"{name(dice)} {name(dice, 2)}"
    facts = []
    for place in range(FACTS):
        kind, trait = _KINDS[place % 10], _TRAITS[(place + place // 10 + number) % 10]
        quote = f"The {trait} of the {kind} of {town} is {name(dice)}, as it was {dice.randint(2, 900)} years ago."
        forms = [form.format(trait=trait, kind=kind, town=town) for form in _FORMS[:WORDINGS]]
        if dice.random() < 0.02:
            forms[-1] = forms[0].upper()
        stated = quote if dice.random() < 0.98 else quote.replace("as it was", "as it never was")
        facts.append({"quote": stated, "answer": quote.partition(",")[0] + ".", "questions": forms, "said": quote})
    text = " ".join(fact.pop("said") for fact in facts)
    made = Passage(
        id=content_id(text), document=f"{number % 100}.md", document_sha256="0", start=0, end=len(text),
        pages=((0, 1),), text=text,
    )  # fmt: skip
    return made, facts


def reply(request: Request, content: dict) -> tuple[Reply, Cost]:
    choice = {"message": {"content": json.dumps(content)}, "finish_reason": "stop"}
    return Reply(request.key, json.dumps({"choices": [choice]}), "made-up-1", 900, 900), Cost(1800, 0.001)


def refused(field: str) -> list[str]:
    """Questions about something that no passage speaks of."""
    dice = Random(field)
    return [f"Why did {name(dice)} {name(dice)} paint {name(dice, 3)} for {name(dice)}?" for _ in range(PER_FIELD)]


class World:
    """A ledger with the paid replies to the requests of two drafters."""

    def __init__(self, drafts: int, folder: Path, facts: int = FACTS, wordings: int = WORDINGS) -> None:
        self.folder = folder
        self.ledger = Ledger(folder)
        prompts = shipped() / "prompts"
        manner = Manner("made-up", 0.7, 8192)
        count = max(1, int(drafts * (1 - REFUSED)) // (facts * wordings))
        self.passages = {made.id: made for made, _ in map(passage, range(count))}
        fields = tuple(f"field {number}" for number in range(max(1, int(drafts * REFUSED) // PER_FIELD)))
        bank = Bank("off_topic", fields, PER_FIELD, "made-up towns", "Please let us stay with the towns.")
        beside = Beside(Prompt(prompts / "answered_questions.jinja"), {}, 1.0, 8, 3)  # nobody is asked again
        self.drafters = [
            DocumentDrafter(
                list(self.passages.values()), facts, wordings, Prompt(prompts / "document_questions.jinja"), manner
            ),
            RefusalDrafter(bank, Prompt(prompts / "off_topic_questions.jinja"), manner, beside),
        ]
        told = (
            ({"facts": [fact | {"questions": fact["questions"][:wordings]} for fact in found[:facts]]}
             for _, found in map(passage, range(count))),
            ({"questions": refused(field)} for field in fields),
        )  # fmt: skip
        for drafter, contents in zip(self.drafters, told, strict=True):
            paid: list[tuple[Request, dict]] = []
            for request, content in zip(drafter.requests(0, lambda key: None), contents, strict=True):
                paid.append((request, content))
                if len(paid) == 500:
                    self._pay(paid)
                    paid = []
            self._pay(paid)
        self.history = History(self.ledger, False)
        for _ in self.history.plan(self.drafters):
            pass

    def _pay(self, paid: list[tuple[Request, dict]]) -> None:
        self.ledger.enlist([request for request, _ in paid], [Cost(1, 0.0)] * len(paid))
        self.ledger.commit([reply(request, content) for request, content in paid])


def peak_mb(anew: bool = False) -> float:
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class Stages:
    """What each stage took, in the order in which they ended."""

    def __init__(self) -> None:
        self.told: list[dict] = []
        self.peak = 0.0

    def __call__(self, stage: str, work: Callable[[], int]) -> None:
        """Do it; it says how many it was of."""
        peak_mb(anew=True)
        cpu, wall = time.process_time(), time.perf_counter()
        count = work()
        self.add(stage, count, time.process_time() - cpu, time.perf_counter() - wall)

    def add(self, stage: str, count: int, cpu: float, wall: float) -> None:
        peak = peak_mb()
        self.peak = max(self.peak, peak)
        self.told.append({"stage": stage, "count": count, "cpu": cpu, "wall": wall, "mb": peak})


class TimedCurator(Curator):
    """Says what each check took, by the name that stands in its findings."""

    def __init__(self, world: World) -> None:
        others = (HeldOutText("others", n, passage(UNASKED + n)[0].text) for n in range(HELD_OUT))
        held_out = HeldOut(others, Decontamination(files=("others",)))
        material = Material(world.passages, lambda key: Origin("made-up-1", "0"), held_out=held_out)
        super().__init__(material, RECIPE.checks, world.folder / "index.sqlite")
        self.cpu: Counter[str] = Counter()
        """Seconds by the name of the check."""

    @property
    def _checks(self):
        return tuple(map(self._timed, super()._checks))

    def _timed(self, check):
        def timed(drafts):
            begun = time.process_time()
            words = list(check(drafts))
            spent = time.process_time() - begun
            said = next((word if isinstance(word, Finding) else word[0] for word in words if word), None)
            self.cpu[said.check if said else "did not apply"] += spent
            return words

        return timed


def run_stages(size: int) -> dict:
    stages = Stages()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch) / "made-up"
        world = World(size, folder)
        stages.add("(made up)", size, 1e-9, 1e-9)
        items, records = stack.enter_context(spool_of_items(folder)), stack.enter_context(Spool(folder, Record))
        rejected = stack.enter_context(Writing(folder / "rejected.jsonl"))
        funnel = Funnel(0, 0, 0)
        ordered: list[Iterator] = []
        stages("replies read into drafts", lambda: _in_order(world, items, ordered))
        curators = [TimedCurator(world)]
        stages("all checks", lambda: _curating(curators[0], ordered, records, rejected, funnel))
        for check, cpu in curators.pop().cpu.items():
            stages.add(f"- {check}", funnel.drafts, cpu, cpu)
        stages("sheet laid", lambda: _laying(world, records))
        desks: list[Desk] = []
        stages("sheets read", lambda: _reading(world, desks))
        kept = Reviewed(records, desks[0], world.passages, RECIPE)
        stages("variety", lambda: diversity(kept, world.passages, RECIPE.diversity).questions)
        parts = []
        stages("split", lambda: _counted(parts, assign(kept, RECIPE)))
        published = sum(parts[0].counts.values())
        stages("leaks looked for", lambda: prove_no_leak(kept, parts[0], RECIPE.language) or published)
        dataset = Dataset(RECIPE, Provenance("0", "0", {}, {}, False, []))

        def publishing() -> int:
            write_folder(folder / "dataset", dataset.lines(parts[0].rows(kept)), dataset.closing, "manifest.json")
            return published

        stages("rows written", publishing)
        stages(
            "rows read and validated",
            lambda: sum(1 for stem in (TRAIN, *SLICES) for _ in read_rows(folder / "dataset", stem)),
        )
        size_mb = {path.name: path.stat().st_size / 1e6 for path in folder.rglob("*") if path.is_file()}
        world.ledger.close()
    return {"stages": stages.told, "peak": stages.peak, "rejections": dict(funnel.rejections),
            "parts": parts[0].counts, "files": size_mb}  # fmt: skip


def _in_order(world: World, items: Spool, ordered: list[Iterator]) -> int:
    ordered.append(drafts_in_order(world.drafters, world.history, items))
    return sum(1 for _ in items)


def _curating(
    curator: Curator, ordered: list[Iterator], records: Spool[Record], rejected: Writing, funnel: Funnel
) -> int:
    with curator:
        _sort_out(curator.curate(funnel.entering(ordered.pop())), records, rejected, funnel, Counter())
    rejected.finish()
    return funnel.drafts


def _laying(world: World, records: Spool[Record]) -> int:
    laid = Laid(world.ledger)
    lay_sheet(world.folder / "review", records, laid.lines, laid.note)
    return len(Laid(world.ledger).lines)


def _reading(world: World, desks: list[Desk]) -> int:
    desks.append(Desk.read(world.folder, world.ledger))
    return len(desks[0].laid.lines)


def _counted(parts: list, assignment) -> int:
    parts.append(assignment)
    return sum(assignment.counts.values())


def run_replies(size: int) -> dict:
    """The part that looks at every reply, and what holds them: ten drafts a reply."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "made-up"
        world = World(int(size * 10 / (1 - REFUSED)), folder, facts=5, wordings=2)
        before = peak_mb(anew=True)
        with spool_of_items(folder) as items:
            drafts = sum(1 for _ in drafts_in_order(world.drafters, world.history, items))
        return {"replies": world.ledger.replies(), "drafts": drafts, "before": before, "peak": peak_mb()}


def child(kind: str, size: int) -> dict:
    command = [sys.executable, __file__, "--child", kind, str(size)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout)


def table(sizes: list[int]) -> None:
    found = {}
    for size in sizes:
        found[size] = child("stages", size)
        print(f"{size:,} drafts: {found[size]['parts']}; rejected {found[size]['rejections']}", flush=True)
    head = [part for size in sizes for part in (f"{size:,}: /s", "MB")]
    print(f"\n| stage | {' | '.join(head)} | growth |\n|{'---|' * (len(head) + 2)}")
    stages = {told["stage"] for size in sizes for told in found[size]["stages"]}
    for stage in [told["stage"] for told in found[sizes[-1]]["stages"] if told["stage"] in stages]:
        cells, costs = [], []
        for size in sizes:
            told = next((one for one in found[size]["stages"] if one["stage"] == stage), None)
            if told is None or stage.startswith("("):
                cells += ["", f"{told['mb']:.0f}" if told else ""]
                continue
            costs.append(told["cpu"] / max(told["count"], 1))
            cells += [f"{1 / max(costs[-1], 1e-12):,.0f}", "" if stage.startswith("-") else f"{told['mb']:.0f}"]
        growth = f"{costs[-1] / costs[0]:.2f}" if len(costs) > 1 and costs[0] else ""
        print(f"| {stage} | {' | '.join(cells)} | {growth} |")
    peaks = ", ".join(f"{found[size]['peak']:.0f} MB at {size:,}" for size in sizes)
    walls = ", ".join(
        f"{sum(t['wall'] for t in found[size]['stages'] if t['stage'][0] not in '-('):.0f} s" for size in sizes
    )
    print(f"\npeak of all stages: {peaks}; wall of all stages: {walls}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    options.add_argument("--replies", action="store_true")
    options.add_argument("--child", nargs=2, metavar=("KIND", "SIZE"), help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.child:
        kind, size = chosen.child
        print(json.dumps({"stages": run_stages, "replies": run_replies}[kind](int(size))))
    elif chosen.replies:
        for size in (10_000, 100_000):
            found = child("replies", size)
            print(f"{found['replies']:,} replies, {found['drafts']:,} drafts: {found['before']:.0f} MB of sources and"
                  f" requests before, {found['peak']:.0f} MB at the peak", flush=True)  # fmt: skip
    else:
        table(sorted(chosen.sizes))


if __name__ == "__main__":
    main()
