"""What the judge may be asked about a draft, and what its word does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipeline.curate.findings import Finding
from pipeline.records import Draft

Opinions = Mapping[str, tuple[bool, str]]
"""What a draft says of its fact (`Draft.matter`) to the judge's yes or no, and its reason."""


class Evidence(NamedTuple):
    """What an answer is judged by."""

    heading: str
    text: str


class ToJudge(NamedTuple):
    """What the judge may be asked."""

    draft: Draft
    """As the judge sees it: of a pair, once with the better answer and once with the worse one."""
    record: str
    """Id of its record; empty of a worse answer, of which no person decides by itself."""
    in_doubt: bool


_JUDGE, _OF_REJECTED = "judge", "judge_of_rejected"
_DOUBTS = {
    **dict.fromkeys(("numbers", "support_words", "support_chance", "retold", "reasoned"), _JUDGE),
    "worse": _OF_REJECTED,
}
"""Checks whose doubts the judge settles, and under which name: what a draft says, beside the words it rests on."""


def judge_of(finding: Finding) -> str:
    """The name under which the judge's word settles what this finding leaves in doubt; empty if none does."""
    return _DOUBTS.get(finding.check, "") if finding.verdict == "doubtful" else ""


def to_judge(draft: Draft, record: str, findings: Sequence[Finding]) -> Iterator[ToJudge]:
    """What can be asked about a draft of which the checks found this."""
    doubts = {judge_of(finding) for finding in findings}
    yield ToJudge(draft, record, _JUDGE in doubts)
    if _OF_REJECTED in doubts:
        yield ToJudge(_with_rejected(draft), "", True)


def judged(draft: Draft, opinions: Opinions) -> list[Finding]:
    """The judge's word on a draft: nothing where it was not asked. A pair falls if its worse answer is upheld."""
    found = []
    if opinions and (opinion := opinions.get(draft.matter)):
        upholds, reason = opinion
        fault = "" if upholds else "judged_unsupported"
        found.append(_word(_JUDGE, opinion, fault, f"The judge says no: {reason}"))
    if opinions and draft.rejected_answer and (opinion := opinions.get(_with_rejected(draft).matter)):
        upholds, reason = opinion
        fault = "not_worse" if upholds else ""
        found.append(_word(_OF_REJECTED, opinion, fault, f"The judge upholds the rejected answer: {reason}"))
    return found


def _with_rejected(draft: Draft) -> Draft:
    return draft.model_copy(update={"answer": draft.rejected_answer, "rejected_answer": ""})


def _word(check: str, opinion: tuple[bool, str], fault: str, detail: str) -> Finding:
    measured = f"{'yes' if opinion[0] else 'no'}: {opinion[1]}"
    return Finding(check, measured, "rejected", fault, detail) if fault else Finding(check, measured)
