"""A rule is kept by name in a file that people read, made on every text but a person's own, and undone by its name."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError, UsageError
from pipeline.review.rules import FILE, Rules, add_rule, make_rule, read_rules, undo_rule
from pipeline.review.suggesting import Edit, suggestions


def rule(name="r", replace="colour", by="color", **more):
    return make_rule(name=name, replace=replace, by=by, **more)


def test_a_plain_rule_replaces_to_the_letter_and_names_itself():
    rules = Rules([rule(replace="a.b", by="x"), rule("other", replace="never", by="y")])
    assert rules.on("document", "Is it a.b or acb?", "a.b") == ("Is it x or acb?", "x", ("r",))


def test_a_regular_expression_may_take_its_groups_along():
    rules = Rules([rule(replace=r"(\d+) ?%", by=r"\1 per cent", regex=True)])
    assert rules.on("document", "How much?", "About 12%.").answer == "About 12 per cent."


@pytest.mark.parametrize(
    ("where", "after"),
    [("question", ("color?", "colour")), ("answer", ("colour?", "color")), ("both", ("color?", "color"))],
)
def test_a_rule_is_made_where_it_says(where, after):
    assert Rules([rule(where=where)]).on("document", "colour?", "colour")[:2] == after


def test_a_refusal_stays_the_recipes_sentence():
    assert Rules([rule()]).on("off_topic", "Which colour?", "No colour, please.").answer == "No colour, please."


def test_rules_are_made_in_their_order():
    rules = Rules([rule("one", "a", "b"), rule("two", "b", "c")])
    assert rules.on("document", "q", "a") == ("q", "c", ("one", "two"))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"replace": "(", "regex": True}, "is no regular expression"),
        ({"replace": "a", "by": r"\1", "regex": True}, "cannot stand for"),
        ({"replace": ""}, "replace: "),
        ({"name": "no blanks"}, "name: "),
        ({"where": "quote"}, "where: "),
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_its_reason(said, told):
    with pytest.raises(UsageError, match=told):
        make_rule(**{"name": "r", "replace": "a", "by": "b"} | said)


def test_rules_are_added_listed_and_undone_by_name(tmp_path):
    assert not read_rules(tmp_path)
    add_rule(tmp_path, rule("one", "größer", "grösser"))
    add_rule(tmp_path, rule("two", r"\s+", " ", regex=True, where="answer"))
    assert [one.name for one in read_rules(tmp_path)] == ["one", "two"]
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert text.startswith("#") and "größer" in text
    assert undo_rule(tmp_path, "one").replace == "größer"
    assert [one.name for one in read_rules(tmp_path)] == ["two"]
    undo_rule(tmp_path, "two")
    assert not read_rules(tmp_path)
    add_rule(tmp_path, rule("one"))
    assert [one.name for one in read_rules(tmp_path)] == ["one"]


def test_a_name_that_is_taken_and_one_that_is_unknown_are_refused(tmp_path):
    add_rule(tmp_path, rule("one"))
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(UsageError, match="has a rule called one already"):
        add_rule(tmp_path, rule("one", "x"))
    with pytest.raises(UsageError, match="Its rules: one"):
        undo_rule(tmp_path, "two")
    assert (tmp_path / FILE).read_bytes() == before


OWN = """\
# My rules.
rules:

  # Americans read this.
  - name: one
    replace: colour
    with: color
    where: answer
  # And this is about two.
  - {name: two, replace: a, with: b}
"""


def test_what_a_person_wrote_into_the_file_stays(tmp_path):
    (tmp_path / FILE).write_text(OWN, encoding="utf-8")
    add_rule(tmp_path, rule("three", "x", "y"))
    undo_rule(tmp_path, "one")
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert "# My rules." in text and "# And this is about two." in text
    assert [one.name for one in read_rules(tmp_path)] == ["two", "three"]
    undo_rule(tmp_path, "two")
    assert [one.name for one in read_rules(tmp_path)] == ["three"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules:\n- name: a\n  replace: x\n", r"rules.yaml:2: rules.0.with: is missing"),
        ("rules:\n- {name: a, replace: x, with: y}\n- {name: a, replace: z, with: y}\n", "two rules are called a"),
        ("rules: [", r"rules.yaml:\d+:\d+: not YAML"),
        ("rules:\n- {name: a, replace: '(', with: y, regex: true}\n", "is no regular expression"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_by_its_line(tmp_path, text, told):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError, match=told):
        read_rules(tmp_path)


names = st.from_regex(r"[a-z][a-z0-9_.-]{0,8}", fullmatch=True)
strings = st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(names, st.tuples(strings.filter(bool), strings), min_size=1, max_size=5), st.data())
def test_any_text_survives_the_file(wanted, data):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, (replace, by) in wanted.items():
            add_rule(folder, rule(name, replace, by))
        assert {one.name: (one.replace, one.by) for one in read_rules(folder)} == wanted
        gone = data.draw(st.sampled_from(sorted(wanted)))
        undo_rule(folder, gone)
        assert {one.name for one in read_rules(folder)} == wanted.keys() - {gone}
        yaml.safe_load((folder / FILE).read_text(encoding="utf-8"))


def edits(*pairs) -> list[Edit]:
    return [Edit(str(number), "answer", before, after) for number, (before, after) in enumerate(pairs)]


def test_a_correction_that_recurs_is_suggested_once_with_where_it_was_made():
    found = suggestions(
        edits(
            ("He might utilise it.", "He might use it."),
            ("We utilise tools, often.", "We use tools, often."),
            ("They utilise that", "They use that"),
            ("Something else entirely.", "Another text."),
        ),
        3,
    )
    assert [(one.replace, one.by, one.where, len(one.ids)) for one in found] == [("utilise", "use", "answer", 3)]


def test_words_left_out_or_put_in_take_a_neighbour_along():
    (left_out,) = suggestions(edits(("It is very good.", "It is good."), ("That is very bad", "That is bad")), 2)
    assert (left_out.replace, left_out.by) == ("is very", "is")
    (put_in,) = suggestions(edits(("Ask a doctor", "Ask first a doctor"), ("Ask a nurse", "Ask first a nurse")), 2)
    assert (put_in.replace, put_in.by) == ("Ask", "Ask first")


def test_a_text_written_anew_suggests_nothing():
    long = " ".join(f"word{number}" for number in range(30))
    other = " ".join(f"other{number}" for number in range(30))
    assert suggestions(edits((long, other), (long, other)), 2) == []


def test_a_slip_with_a_comma_or_a_full_stop_behind_it_is_the_same_slip():
    (found,) = suggestions(edits(("Say recieve.", "Say receive."), ("To recieve, ask", "To receive, ask")), 2)
    assert (found.replace, found.by) == ("recieve", "receive")
