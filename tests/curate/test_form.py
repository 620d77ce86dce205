"""Faulty drafts are told from good ones, in several languages; the rates are measured on planted sets.

`good_drafts.tsv` (language, question, answer) and `faulty_drafts.tsv` (cause, language, question, answer) were written
by hand; further faults are made from the good ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate.findings import Finding
from pipeline.curate.form import Form, form_findings
from pipeline.language import can_tell
from pipeline.recipe import Checks, load_recipe
from pipeline.records import Draft
from pipeline.run import Options, run
from pipeline.runlog import Log
from tests.conftest import ROOT

HERE = Path(__file__).parent
GOOD = [line.split("\t") for line in (HERE / "good_drafts.tsv").read_text(encoding="utf-8").splitlines()]
FAULTY = [line.split("\t") for line in (HERE / "faulty_drafts.tsv").read_text(encoding="utf-8").splitlines()]
CAUSES = sorted({cause for cause, *_ in FAULTY})


def findings(question: str, answer: str, language: str = "en", **changes: object) -> list[Finding]:
    draft = Draft(kind="document", question=question, answer=answer, request="")
    return list(form_findings(draft, Form(Checks(**changes), language)))


def faults(question: str, answer: str, language: str = "en") -> set[str]:
    return {finding.cause for finding in findings(question, answer, language) if finding.verdict != "passed"}


@pytest.mark.parametrize(("language", "question", "answer"), GOOD)
def test_a_true_question_passes_in_its_language(language: str, question: str, answer: str) -> None:
    assert faults(question, answer, language) == set()


@pytest.mark.parametrize("cause", CAUSES)
def test_nine_of_ten_planted_faults_are_told(cause: str) -> None:
    planted = [(language, question, answer) for other, language, question, answer in FAULTY if other == cause]
    missed = [
        (question, answer) for language, question, answer in planted if cause not in faults(question, answer, language)
    ]
    assert len(planted) >= (8 if cause in {damage for damage, _ in DAMAGES.values()} else 20)
    assert len(missed) <= len(planted) / 10, missed


def misread(text: str) -> str:
    return text.encode().decode("cp1252", errors="replace")


Damage = Callable[[str, str], tuple[str, str]]
DAMAGES: dict[str, tuple[str, Damage]] = {
    "a question cut inside its quotation marks": ("cut_question", lambda q, a: (q.replace(" ", ' "', 1), a)),
    "a question cut inside its brackets": ("cut_question", lambda q, a: (q.replace(" ", " (", 1), a)),
    "a question in quotation marks": ("quoted_question", lambda q, a: (f'"{q}"', a)),
    "a question in curly ones": ("quoted_question", lambda q, a: (f"“{q}”", a)),
    "an answer that goes on for ever": ("answer_length", lambda q, a: (q, f"{a} " * 130)),
    "an answer of nothing but signs": ("answer_length", lambda q, a: (q, "…!")),
    "a question of one word": ("question_length", lambda q, a: (q.split()[-1], a)),
    "a question that goes on for ever": ("question_length", lambda q, a: (f"{q[:-1]} " * 30 + "?", a)),
    "an answer read in a wrong encoding": ("mojibake", lambda q, a: (q, misread(a))),
    "a question read in a wrong encoding": ("mojibake", lambda q, a: (misread(q) + "?", a)),
    "an answer in English": ("wrong_language", lambda q, a: (q, "They keep it in the old house by the river.")),
    "a question in German": ("wrong_language", lambda q, a: ("Warum schließen die Läden im Dorf so früh?", a)),
    "a question in Spanish": ("wrong_language", lambda q, a: ("¿Por qué cierran tan temprano las tiendas?", a)),
    "an answer in Chinese": ("wrong_language", lambda q, a: (q, "因为村里的商店很早就关门了。")),
}
BLANKS = {"zh", "ja"}
"""Written without them, so that `split` finds none to damage."""
OWN = {"an answer in English": "en", "a question in German": "de", "a question in Spanish": "es"}
OWN["an answer in Chinese"] = "zh"


def suited(name: str, question: str, answer: str, language: str) -> bool:
    """Whether the damage harms this draft: plain letters survive any encoding, and a language is no fault at home."""
    if name.endswith("wrong encoding"):
        damaged = answer if "answer" in name else question
        return sum(not character.isascii() for character in damaged) >= 2
    return OWN.get(name) != language and (name in OWN or language not in BLANKS)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_good_draft_that_is_damaged_is_told(name: str) -> None:
    cause, damage = DAMAGES[name]
    damaged = [(*damage(q, a), language) for language, q, a in GOOD if suited(name, q, a, language)]
    missed = [draft for draft in damaged if cause not in faults(*draft)]
    assert len(damaged) >= 20
    assert len(missed) <= len(damaged) / 20, missed


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["communication", "elon_musk"])
def test_no_draft_of_the_samples_is_called_faulty(recipe: str, tmp_path: Path) -> None:
    run(load_recipe(ROOT / "recipes" / f"{recipe}.yaml"), Options(tmp_path), lambda line: None, Log())
    rejected = [json.loads(line) for line in (tmp_path / recipe / "rejected.jsonl").open("rb")]
    sheets = [json.loads(line) for path in (tmp_path / recipe / "review").glob("*.jsonl") for line in path.open("rb")]
    assert len(sheets) >= 200
    of_form = {cause for cause, *_ in FAULTY} | {cause for cause, _ in DAMAGES.values()}
    assert [line for line in rejected if line["cause"] in of_form] == []
    assert [line for line in sheets if set(line.get("flags", [])) & of_form] == []


@settings(deadline=None)
@given(st.text(), st.text(), st.sampled_from(["en", "de", "es", "zh", "ja", "ar", "el", "th", "xx"]))
def test_no_text_brings_a_check_down(question: str, answer: str, language: str) -> None:
    found = findings(question, answer, language)
    assert [
        finding for finding in found if finding.verdict != "passed" and not (finding.cause and finding.detail)
    ] == []
    assert all(finding.measured for finding in found)


@settings(deadline=None, max_examples=20)
@given(st.text(max_size=20))
def test_a_thousandfold_text_is_judged_as_well(piece: str) -> None:
    assert findings(piece * 1000 + "?", piece * 1000)


def test_a_language_that_cannot_be_told_is_said_to_be_so() -> None:
    assert not can_tell("gsw")
    assert all(can_tell(language) for language in ("en", "nb", "zh", "ar"))
    found = findings("Warum ist das so teuer und so alt?", "Weil es eben so ist und nicht anders.", "gsw")
    assert [finding.cause for finding in found if finding.check == "language_odds"] == ["", ""]
