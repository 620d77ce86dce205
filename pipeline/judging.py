"""The judge's part of a run: what it is asked, and whether it is believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pipeline.asking import Asking, ask
from pipeline.curate import Curator, Material
from pipeline.draft.judge import Judge, seeds_of
from pipeline.draft.prompts import Manner, Prompt
from pipeline.history import History
from pipeline.kinds import KINDS
from pipeline.material import Say
from pipeline.recipe import Judge as Settings
from pipeline.recipe import Loaded
from pipeline.records import Draft, Rejection
from pipeline.review.verdicts import Verdicts
from pipeline.teacher.endpoint import Address, environment, find_teacher
from pipeline.teacher.ledger import Ledger
from pipeline.teacher.prices import find_price
from pipeline.teacher.stop import Stop


@dataclass(frozen=True)
class Hearing:
    """What the judge is asked, and which records hang on each answer."""

    judge: Judge
    records: Mapping[str, list[str]]
    """What is in doubt (`Draft.matter`) to the ids of the records that say it."""

    def tell_agreement(self, verdicts: Verdicts, history: History, say: Say) -> None:
        """How often people who said keep or drop, or deleted the line, decided as the judge did, believed or not."""
        opinions = self.judge.opinions(history.told)
        pairs = [
            (opinions[matter].upholds, kept)
            for matter, records in self.records.items()
            if matter in opinions
            for kept in (_kept(record, verdicts) for record in records)
            if kept is not None
        ]
        if pairs:
            agreed = sum(one == other for one, other in pairs)
            say(f"judge: agrees with {agreed} of {len(pairs)} verdicts of people.")


def prepare(items: Iterable[Draft | Rejection], material: Material, loaded: Loaded, model: str) -> Hearing:
    """Find what is in doubt, and make the seeds of what is not. A pure function of drafts and recipe."""
    settings = loaded.recipe.judge or Settings()
    doubtful: dict[str, Draft] = {}
    sound: dict[str, Draft] = {}
    records: dict[str, list[str]] = {}
    for draft, record, in_doubt in Curator(material, loaded.recipe.checks).for_the_judge(items):
        if in_doubt:
            doubtful.setdefault(draft.matter, draft)
            if record:
                records.setdefault(draft.matter, []).append(record)
        elif KINDS[draft.kind].quoted:
            sound.setdefault(draft.matter, draft)
    firm = [draft for matter, draft in sound.items() if matter not in doubtful]
    # More doubts, more seeds: so the judge of new answers is proved anew.
    number = max(settings.seeds, len(doubtful) // 10) if doubtful else 0
    manner = Manner(settings.model or model, 0.0, loaded.recipe.teacher.max_output_tokens)
    prompt = Prompt(loaded.template("judge.jinja"))
    judge = Judge(list(doubtful.values()), seeds_of(firm, number), material.evidence, prompt, manner)
    return Hearing(judge, records)


@dataclass(frozen=True)
class Court:
    """Where the judge sits."""

    loaded: Loaded
    drafter: Address
    ledger: Ledger

    def hear(self, hearing: Hearing, asking: Asking, say: Say) -> Stop:
        """Ask the judge, within what the drafters left of budget and deadline. Returns and raises as `ask`."""
        address, own = self._judge()
        price = find_price(address, own.recipe.teacher.usd_per_million, own.prices)
        return ask(replace(asking, drafters=[hearing.judge]), own, address, price, self.ledger, say)

    def _judge(self) -> tuple[Address, Loaded]:
        """Where the judge is asked, and the recipe as it is for the judge."""
        recipe, settings = self.loaded.recipe, self.loaded.recipe.judge or Settings()
        address, known = self.drafter, recipe.teacher.usd_per_million
        if settings.model or settings.base_url:
            model, url = settings.model or address.model, settings.base_url or recipe.teacher.base_url
            address, known = find_teacher(model, url, environment()), None
        teacher = recipe.teacher.model_copy(update={"usd_per_million": settings.usd_per_million or known})
        changed = recipe.model_copy(update={"teacher": teacher})
        return address, self.loaded.model_copy(update={"recipe": changed})


def believed(hearing: Hearing, settings: Settings, history: History, say: Say) -> dict[str, tuple[bool, str]]:
    """What was in doubt to the judge's yes or no and its reason; none where the seeds show that it cannot tell."""
    opinions, proof = hearing.judge.opinions(history.told), hearing.judge.proof(history.told)
    if not hearing.judge.doubts:
        return {}
    if not proof.trusted(settings.trust):
        say(f"judge: its verdicts are not used, for {proof.told()}; {settings.trust:.0%} of both are asked for.")
        return {}
    upheld = sum(opinion.upholds for opinion in opinions.values())
    say(
        f"judge: of {hearing.judge.doubts} answers in doubt it upheld {upheld} and rejected {len(opinions) - upheld};"
        f" {proof.told()}."
    )
    return {matter: (opinion.upholds, opinion.reason) for matter, opinion in opinions.items()}


def _kept(record: str, verdicts: Verdicts) -> bool | None:
    """What a person decided in so many words; an untouched line is no verdict on the judge."""
    if record in verdicts.dropped or record in verdicts.deleted:
        return False
    return True if record in verdicts.kept else None
