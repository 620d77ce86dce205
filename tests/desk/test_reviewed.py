"""What a person decided stands, whatever the machine does; and what the machine brings gives way to it."""

from __future__ import annotations

import json

import pytest

from pipeline.recipe import Recipe
from pipeline.records import Passage, content_id
from pipeline.review.sampling import wilson
from tests.review.test_sheets import Lain, record

TEXT = "a is größer, 多. Somebody said b. It weighs 12 kg."
PASSAGE = Passage(id="p", document="a.md", document_sha256="0", start=100, end=200, pages=((0, 3), (20, 4)), text=TEXT)
REFUSING = {"topic": "letters", "sentence": "Letters only.", "off_topic": {"fields": ["cooking"]}}
A, B, C = record("a"), record("b"), record("c")


def recipe(**more) -> Recipe:
    return Recipe.model_validate({"name": "n", "documents": {"files": ["a.md"]}, **more})


@pytest.fixture
def desk(tmp_path):
    return Lain(tmp_path, recipe(), {"p": PASSAGE})


def change(path, name, **changes):
    """What a person does to the line of a record."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps(line | changes if line["id"] == name else line) + "\n" for line in lines))


def texts(records) -> dict[str, str]:
    return {one.id: one.answer for one in records}


def test_where_person_and_machine_changed_the_same_both_are_shown_and_the_persons_stands(desk):
    path = desk.lay(A, B)
    change(path, "a", answer="By hand.")
    reviewed = desk.reviewed(record("a", answer="By the machine, anew."), record("b", answer="Anew."))
    assert texts(reviewed) == {"a": "By hand.", "b": "Anew."}
    (told,) = reviewed.problems()
    assert told.startswith(f"{path}:1:1: answer: ")
    assert "'By hand.'" in told and "'By the machine, anew.'" in told
    change(path, "a", review="keep")
    again = desk.reviewed(record("a", answer="By the machine, anew."), record("b", answer="Anew."))
    assert texts(again)["a"] == "By hand."
    assert again.problems() == []


def test_an_edit_alone_is_no_conflict_nor_is_a_change_of_the_machines_alone(desk):
    change(desk.lay(A, B), "a", answer="By hand.")
    assert desk.reviewed(A, record("b", answer="Anew.")).problems() == []


def test_what_a_person_keeps_stays_as_it_was_kept(desk):
    change(desk.lay(A, B), "a", review="keep")
    assert texts(desk.reviewed(record("a", answer="Anew."), record("b", answer="Anew."))) == {
        "a": A.answer, "b": "Anew."
    }  # fmt: skip


def test_edited_and_kept_records_survive_drafts_that_are_gone(desk):
    path = desk.lay(A, B, C)
    change(path, "a", answer="By hand.")
    change(path, "b", review="keep")
    reviewed = desk.reviewed(C)
    assert texts(reviewed) == {"c": C.answer, "a": "By hand.", "b": B.answer}
    assert next(one for one in reviewed if one.id == "a").request == A.request
    assert reviewed.lines() == ["review: 2 records stand by their sheet alone; no draft brings them any more."]
    assert reviewed.problems() == []


def test_an_edit_outlives_its_document_and_says_so_and_what_was_only_kept_does_not(desk):
    path = desk.lay(A, B)
    change(path, "a", answer="By hand.")
    change(path, "b", review="keep")
    desk.passages = {}
    reviewed = desk.reviewed()
    assert texts(reviewed) == {"a": "By hand."}
    (told,) = reviewed.problems()
    assert told.startswith(f"{path}:1:1: what it was drafted from is no longer in the documents")
    assert "1 lines say keep of what is no longer in the documents" in reviewed.lines()[-1]


def test_a_quote_that_a_person_moved_brings_its_page_along(desk):
    path = desk.lay(record("a", quote="a is größer, 多.", page=3, span=(100, 116)))
    change(path, "a", quote="It weighs 12 kg.")
    (edited,) = desk.reviewed(record("a", quote="a is größer, 多.", page=3, span=(100, 116)))
    start = 100 + TEXT.index("It weighs")
    assert (edited.quote, edited.page, edited.span) == ("It weighs 12 kg.", 4, (start, start + len("It weighs 12 kg.")))


def version(name: str, of: str, **changes):
    return record(name, question=f"What is {of}?", replaces=of, fix="too long", **changes)


def test_another_version_takes_the_place_of_the_old_one(desk):
    change(desk.lay(A, B), "a", review="fix: too long")
    reviewed = desk.reviewed(A, B, version("n", "a", answer="Short."))
    assert texts(reviewed) == {"b": B.answer, "n": "Short."}
    (out,) = reviewed.rejections()
    assert (out.cause, out.question, out.partner) == ("replaced_by_fix", A.question, "n")


def test_until_the_new_version_is_there_the_old_one_stands(desk):
    change(desk.lay(A, B), "a", review="fix: too long")
    assert texts(desk.reviewed(A, B)).keys() == {"a", "b"}


def test_a_version_that_did_not_pass_leaves_the_old_line_standing_and_flagged(desk):
    path = desk.lay(A, B)
    change(path, "a", review="fix: too long")
    reviewed = desk.reviewed(A, B, failed={"a": "number_not_in_passage"})
    assert {one.id: one.flags for one in reviewed} == {"a": ("fix_failed",), "b": ()}
    assert reviewed.problems() == [
        f"{path}:1:1: review: the new version was rejected (number_not_in_passage); the old line stands."
    ]


def test_whoever_keeps_the_old_one_after_all_has_it_and_not_the_new(desk):
    path = desk.lay(A)
    change(path, "a", review="fix: too long")
    desk.note_fixes()
    new = version("n", "a", answer="Short.")
    sheet = desk.lay(A, new)
    change(path, "a", review="keep")
    assert texts(desk.reviewed(A, new)).keys() == {"a"}
    change(sheet, "n", review="keep")
    assert texts(desk.reviewed(A, new)).keys() == {"n"}


def test_a_version_of_a_version_leaves_one_of_three(desk):
    path = desk.lay(A)
    change(path, "a", review="fix: too long")
    new = version("n", "a", answer="Short.")
    change(desk.lay(A, new), "n", review="fix: too short")
    newest = record("m", question="What is a?", replaces="n", fix="too short")
    assert texts(desk.reviewed(A, new, newest)).keys() == {"m"}


def test_a_dropped_version_does_not_bring_the_old_one_back(desk):
    change(desk.lay(A), "a", review="fix: too long")
    new = version("n", "a")
    change(desk.lay(A, new), "n", review="drop")
    assert texts(desk.reviewed(A, new)) == {}


def test_what_asks_the_same_as_an_edit_gives_way_to_it(desk):
    path = desk.lay(A, B, C)
    change(path, "c", question="What is the b?")
    reviewed = desk.reviewed(A, B, C)
    assert {one.id for one in reviewed} == {"a", "c"}
    (out,) = reviewed.rejections()
    assert (out.cause, out.partner) == ("exact_duplicate", "c")


def test_of_two_edits_that_ask_the_same_the_later_is_out_and_its_line_is_named(desk):
    path = desk.lay(A, B)
    change(path, "a", question="What is this letter?")
    change(path, "b", question="What is this letter?")
    reviewed = desk.reviewed(A, B)
    assert {one.id for one in reviewed} == {"a"}
    (told,) = reviewed.problems()
    assert told.startswith(f"{path}:2:1: question: ") and "asks the same" in told


def test_where_review_is_required_only_what_is_kept_or_edited_is_published(desk):
    desk.recipe = recipe(review={"mode": "required"})
    path = desk.lay(A, B, C)
    change(path, "a", review="keep")
    change(path, "b", answer="By hand.")
    reviewed = desk.reviewed(A, B, C)
    assert texts(reviewed) == {"a": A.answer, "b": "By hand."}
    assert (reviewed.awaiting, list(reviewed.rejections())) == (1, [])
    assert "1 records wait for a person's keep" in reviewed.lines()[-1]


def test_a_refusal_follows_the_recipe_unless_a_person_wrote_another(desk):
    def refusal(name, answer):
        return record(
            name, kind="off_topic", quote="", page=None, span=None, passage="", field="cooking", answer=answer
        )

    desk.recipe = recipe(refusals=REFUSING)
    old = [refusal(name, "No.") for name in "abcd"]
    path = desk.lay(*old)
    change(path, "a", question="What is an a?")
    change(path, "b", answer="Never.")
    change(path, "c", review="keep")
    change(path, "d", question="What is a d?")
    now = [refusal(name, "Letters only.") for name in "abc"]
    assert texts(desk.reviewed(*now)) == {
        "a": "Letters only.", "b": "Never.", "c": "Letters only.", "d": "Letters only."
    }  # fmt: skip


def test_a_sample_is_a_stable_share_and_grows_with_it():
    from pipeline.review.sampling import Chosen

    records = [record(content_id(str(number))) for number in range(2000)]
    tenth = {one.id for one in Chosen(records, 0.1, ())}
    fifth = {one.id for one in Chosen(reversed(records), 0.2, ())}
    assert tenth < fifth
    assert 150 < len(tenth) < 250


def test_wilsons_interval_is_as_published():
    # Newcombe 1998, table I: 81 of 263, and 0 of 20.
    assert [round(bound, 4) for bound in wilson(81, 263)] == [0.2553, 0.3662]
    assert [round(bound, 4) for bound in wilson(0, 20)] == [0.0, 0.1611]


def test_a_share_of_required_lines_cannot_be_asked_for():
    with pytest.raises(ValueError, match="what is never laid can never be kept"):
        recipe(review={"mode": "required", "sample": 0.5})
