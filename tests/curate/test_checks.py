"""Every draft ends as a record or as a rejection with its cause."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate import Curator, Material, Origin, curate, end_of, record_id
from pipeline.curate.findings import Finding
from pipeline.curate.grounding import find_quote
from pipeline.recipe import Checks
from pipeline.records import Draft, Passage, Record, Rejection, content_id

TEXT = "Active listening asks for patience. It takes about 20 minutes\nto learn the first step of well-meant praise."
PASSAGE = Passage(
    id="p1", document="a.pdf", document_sha256="0", start=100, end=100 + len(TEXT), pages=((0, 3), (36, 4)), text=TEXT
)
MATERIAL = Material({"p1": PASSAGE}, lambda key: Origin("teacher-1", "prompt-1"))
QUOTE = "Active listening asks for patience."


def draft(**changes) -> Draft:
    values = dict(
        kind="document", question="What does active listening ask for?", answer="It asks for patience.",
        quote=QUOTE, passage="p1", fact="f1", request="r1",
    )  # fmt: skip
    return Draft(**(values | changes))


def refusal(question: str, kind: str = "off_topic") -> Draft:
    return Draft(kind=kind, question=question, answer="No, thank you.", field="cooking", fact=question, request="r2")


def ends(*items: Draft | Rejection) -> list[Record | Rejection]:
    return list(curate(items, MATERIAL, Checks()))


def cause_of(one: Draft) -> str:
    (end,) = ends(one)
    return end.cause if isinstance(end, Rejection) else "record"


def test_a_good_draft_becomes_a_record_that_knows_its_place_and_its_parents():
    (record,) = ends(draft())
    assert (record.source, record.page, record.span) == ("a.pdf", 3, (100, 135))
    assert (record.model, record.prompt, record.request) == ("teacher-1", "prompt-1", "r1")
    assert record.id == content_id("p1", "what does active listening ask for")


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"question": "Tell me what active listening asks for."}, "not_a_question"),
        ({"question": "What is it?"}, "unclear_question"),
        ({"question": "Listening how?"}, "question_length"),
        ({"question": "What does the passage say of active listening?"}, "speaks_of_source"),
        ({"question": "According to the text, what does listening ask for?"}, "speaks_of_source"),
        ({"question": "What does active listening (the real kind ask for?"}, "cut_question"),
        ({"answer": "It asks for patience and"}, "cut_answer"),
        ({"answer": "It asks for patience,"}, "cut_answer"),
        ({"answer": "As an AI, I say patience."}, "teacher_speak"),
        ({"answer": "What does active listening ask for"}, "answer_repeats_question"),
        ({"answer": "word " * 200 + "end."}, "answer_length"),
        ({"answer": "It asks for [insert virtue]."}, "placeholder"),
        ({"quote": "Active listening asks for courage."}, "quote_not_in_passage"),
        ({"quote": ""}, "quote_not_in_passage"),
        ({"answer": "It takes 30 minutes.", "quote": "It takes about 20 minutes to learn"}, "number_not_in_passage"),
    ],
)
def test_each_fault_has_its_cause(changes, cause):
    assert cause_of(draft(**changes)) == cause


def test_a_quote_survives_line_wrapping_and_typographic_signs():
    (record,) = ends(draft(quote="It takes about 20 minutes to  learn the first step of well‑meant praise."))
    assert record.page == 4
    start, end = record.span
    assert TEXT[start - 100 : end - 100].startswith("It takes about 20 minutes\nto learn")


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
def test_any_slice_of_the_passage_is_found_where_its_words_stand(one, other):
    start, end = sorted((one, other))
    found = find_quote(TEXT[start:end], TEXT)
    if TEXT[start:end].strip():
        assert " ".join(TEXT[slice(*found)].split()) == " ".join(TEXT[start:end].split())


def test_an_exact_and_a_near_duplicate_name_their_partner():
    again = draft(question="What does active  listening ask for ?", fact="f2")
    near = draft(question="Please, what does the active listening ask for?", fact="f3")
    record, *rejections = ends(draft(), again, near)
    assert [rejection.cause for rejection in rejections] == ["exact_duplicate", "near_duplicate"]
    assert {rejection.partner for rejection in rejections} == {record.id}


def test_a_question_with_a_slip_passes_with_a_flag_that_names_its_partner():
    first, second = ends(draft(), draft(question="What does active listning ask for?", fact="f2"))
    assert (first.flags, second.flags) == ((), (f"similar_question:{first.id}",))


def test_wordings_of_one_fact_are_not_duplicates_of_each_other():
    other = draft(question="Which virtue is needed by somebody who listens actively?")
    assert all(isinstance(end, Record) for end in ends(draft(), other))


def test_a_question_to_be_refused_must_not_be_answered_by_the_corpus():
    assert cause_of(refusal("Does active listening ask for patience?", "near_topic")) == "answered_by_corpus"
    assert cause_of(refusal("Who invented active listening?", "near_topic")) == "record"
    assert cause_of(refusal("How long do eggs boil?")) == "record"


some_drafts = st.lists(st.builds(
    draft,
    question=st.sampled_from(["What is denial?", "what is denial", "Why?", "Is it?", "The text?", ""]),
    answer=st.sampled_from(["Yes.", "", "It is,", "20 of 20.", "99."]),
    quote=st.sampled_from([QUOTE, "no", ""]),
), max_size=8)  # fmt: skip
unread = Rejection(cause="no_json", detail="The reply holds no JSON object.", kind="document_questions", request="r0")


@settings(deadline=None, max_examples=50)
@given(some_drafts)
def test_every_item_has_its_end_in_the_order_given(drafts):
    items = [unread, *drafts, unread]
    result = ends(*items)
    assert [end.request for end in result] == [item.request for item in items]
    assert result[0] == result[-1] == unread
    assert [end.question for end in result] == [item.question for item in items]
    assert all(end.cause and end.detail for end in result if isinstance(end, Rejection))


@settings(deadline=None, max_examples=50)
@given(some_drafts, st.integers(1, 5))
def test_how_drafts_are_sharded_changes_no_end(drafts, size):
    whole = ends(*drafts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.curate.SHARD", size)
        assert ends(*drafts) == whole


@settings(deadline=None, max_examples=50)
@given(some_drafts)
def test_the_findings_on_a_draft_hold_every_check_and_agree_with_its_end(drafts):
    for number, one in enumerate(drafts):
        curator = Curator(MATERIAL, Checks())
        before = list(curator.curate(drafts[:number]))
        findings = curator.findings(one)
        assert {"question_words", "answer_cut", "mojibake", "quote_alike"} <= {f.check for f in findings}
        assert all(finding.measured for finding in findings)
        assert end_of(one, findings, MATERIAL) == ends(*drafts)[number]
        assert len(before) == number


def test_what_is_flagged_or_doubtful_becomes_a_record_that_says_so_with_the_partner():
    findings = [
        Finding("a", "3 of 2", "flagged", "similar_question", "It is like another.", "0123456789abcdef"),
        Finding("b", "0.4", "doubtful", "unsupported", "Nobody knows."),
        Finding("c", "fine"),
    ]
    assert end_of(draft(), findings, MATERIAL).flags == ("similar_question:0123456789abcdef", "unsupported")


def test_the_first_finding_that_rejects_gives_the_cause():
    findings = [Finding("a", "1", "flagged", "odd"), Finding("b", "2", "rejected", "bad", "It is bad."),
                Finding("c", "3", "rejected", "worse", "It is worse.")]  # fmt: skip
    end = end_of(draft(), findings, MATERIAL)
    assert (end.cause, end.detail) == ("bad", "It is bad.")


def test_one_question_beside_two_contexts_is_two_records_and_beside_none_the_same_as_ever():
    alone, here, there = draft(), draft(context="Here."), draft(context="There.")
    assert len({record_id(one) for one in (alone, here, there)}) == 3
    assert record_id(here) == record_id(draft(context="Here."))
    assert record_id(alone) == content_id("p1", "what does active listening ask for")
