"""Question-answer pairs in CSV and JSON: each is read whole, and a broken one takes no other with it."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources import ReadLimits, ReadOptions, cut_passages, estimate_tokens, read_document
from pipeline.sources.blocks import Unreadable
from pipeline.sources.csv_pairs import read_csv
from pipeline.sources.json_pairs import read_json

QUESTION, ANSWER = "What does a listener do?", "A listener waits until the speaker has finished."


@pytest.fixture
def read(tmp_path):
    def reader(name, data, options=ReadOptions()):
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return read_document(tmp_path / name, name, ReadLimits(), options=options)

    return reader


@pytest.fixture
def reading(tmp_path):
    """What the reader itself makes of a file, without a process of its own."""

    def reader(name, data):
        (tmp_path / name).write_bytes(data if isinstance(data, bytes) else data.encode())
        return (read_csv if name.endswith(".csv") else read_json)(tmp_path / name, ReadLimits())

    return reader


@pytest.fixture
def pairs(reading):
    """(line, text) of each pair of a file, and the warnings."""

    def reader(name, data):
        found = reading(name, data)
        return [(number, "\n".join(block.text for block in blocks)) for number, blocks in found.pages], found.warnings

    return reader


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize(
    "names", ["question answer", "Q A", "Prompt completion", "instruction output", "Frage Antwort"]
)
def test_the_first_row_says_what_parts_the_cells_and_which_of_them_are_a_pair(pairs, separator, names):
    asked, told = names.split()
    rows = [["id", told, asked], ["1", f'{ANSWER} Yes, it does; it is "polite".', QUESTION]]
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows(rows)
    assert pairs("a.csv", f"\ufeff{file.getvalue()}") == (
        [(2, f"{QUESTION}\n{rows[1][1]}")],
        ["neither question nor answer, and left out: id"],
    )


def test_a_pair_is_named_by_the_line_that_it_begins_on_however_many_it_has(pairs):
    table = 'question,answer\r\n"What are\r\nthe steps?","Two:\r\n\r\n1. Wait.\r\n2. Ask."\r\n\r\nWho?,"Me, I say."\r\n'
    assert pairs("a.csv", table) == ([(2, "What are the steps?\nTwo:\n1. Wait.\n2. Ask."), (8, "Who?\nMe, I say.")], [])


def test_a_broken_row_is_named_and_the_others_are_read(pairs):
    lines = [
        "question,answer", "One?,Yes.", '"Two?,No.', "Three?,a, b", "Four?", 'Five?,"He said "no" to me"', "Six?,",
        "\0Seven?,Yes.", "Eight?,Yes.", '"Nine?,"Yes.', "Ten?,Yes.", "Eleven?,Yes.", "Twelve?,Yes.",
    ]  # fmt: skip
    found, warnings = pairs("a.csv", "\n".join(lines))
    assert [place for place, _ in found] == [2, 9, 11, 12, 13]
    assert warnings == [
        "line 3 was left out: a quote opens in it and is not closed",
        "line 4 was left out: it has 3 cells, and the first row has 2",
        "line 5 was left out: it has 1 cell, and the first row has 2",
        "line 6 was left out: after a closing quote a comma has to stand; a quote inside quotes is written twice",
        "line 7 was left out: its answer is empty",
        "line 8 was left out: it holds zero bytes",
        "line 10 was left out: after a closing quote a comma has to stand; a quote inside quotes is written twice",
    ]


def said(role, content):
    return {"role": role, "content": content}


def test_each_line_of_json_is_read_for_itself_and_a_broken_one_is_named(pairs):
    lines = [
        json.dumps({"question": QUESTION, "answer": ANSWER, "id": 7}),
        "",
        '{"q": "How many?", "a": 42}',
        '{"question": "Torn',
        '{"q": "Nobody?", "a": null}',
        b'{"q": "Broken \xff?", "a": "Yes."}',
        json.dumps({"instruction": "Say it shorter.", "input": ANSWER, "output": "They wait."}),
        json.dumps({"prompt": [said("user", "Why?")], "completion": [said("assistant", "So.")]}),
        json.dumps({"messages": [said("system", "Be brief."), said("user", "Hi?"), said("assistant", "Hello.")]}),
        '{"title": "no pair"}',
    ]  # fmt: skip
    data = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    found, warnings = pairs("a.jsonl", data)
    assert found == [
        (1, f"{QUESTION}\n{ANSWER}"), (3, "How many?\n42"), (7, f"Say it shorter.\n{ANSWER}\nThey wait."),
        (8, "Why?\nSo."), (9, "Hi?\nHello."),
    ]  # fmt: skip
    assert [warning.split(":")[0] for warning in warnings] == [f"line {line} was left out" for line in (4, 5, 6, 10)]


def test_a_list_of_json_is_read_item_by_item(pairs):
    items = [{"question": QUESTION, "answer": ANSWER}, 3, {"question": "Who?", "answer": "Ann."}]
    found, warnings = pairs("a.json", json.dumps(items, indent=1))
    assert [place for place, _ in found] == [1, 3]
    assert warnings == ["item 2 was left out: it holds no object with fields"]


@pytest.mark.parametrize(
    ("name", "data", "fate", "told"),
    [
        ("people.csv", "name,age\nAnn,3\n", "unsupported", "its first row is 'name,age'; question and answer,"),
        ("one_column.csv", "question\nWhy?\n", "unsupported", "were looked for"),
        ("package.json", '{\n"name": "x"}', "unsupported", "item 1: it has the fields name"),
        ("log.jsonl", '{"level": "info"}\n{"level": "info"}\n', "unsupported", "line 1: it has the fields level"),
        ("noise.jsonl", "what is this\n", "damaged", "line 1 was left out: it is no JSON"),
        ("cut.json", '[{"question": "Why?", "ans', "truncated", "list of JSON"),
        ("head.csv", "question,answer\n", "empty", "there is no line with one"),
        ("hollow.csv", "question,answer\n,x\n", "damaged", "its question is empty"),
        ("sixteen.csv", "question,answer\n".encode("utf-16-le"), "unsupported", "zero bytes"),
        ("blank.jsonl", " \n\n", "empty", "no characters"),
        ("deep.json", "[" * 100_000, "truncated", "list of JSON"),
        ("rot.csv", "q,a\n" + "wkh olvwhqhu zdlwv,khuh dqg wkhuh zlwk kxqjhu\n" * 30, "gibberish", "no words"),
    ],
)
def test_a_file_without_a_pair_is_unread_with_its_cause(reading, name, data, fate, told):
    with pytest.raises(Unreadable) as fault:
        reading(name, data)
    assert fault.value.fate == fate
    assert told in fault.value.cause


def test_a_pair_is_not_parted_where_it_fits_and_passages_know_their_lines(read):
    lines = [
        {"question": f"What does listener {number} do?", "answer": f"{ANSWER} Then number {number} asks."}
        for number in range(30)
    ]
    found = read("a.jsonl", "\n".join(map(json.dumps, lines)))
    passages = cut_passages(found, 80)
    assert 5 < len(passages) < 20
    wholes = [f"{line['question']}\n{line['answer']}" for line in lines]
    assert [pair for passage in passages for pair in passage.text.split("\n\n")] == wholes
    assert all(estimate_tokens(passage.text) <= 80 for passage in passages)
    first, second = passages[:2]
    assert first.where == f"lines 1 to {first.pages[-1][1]}"
    assert second.page == first.pages[-1][1] + 1
    assert second.page_at(second.text.index("\n\n") + 2) == second.page + 1


def test_half_a_pair_is_dropped_with_its_other_half(read):
    lines = ["question,answer", "Whom do I ask?,ann@example.org", "Who waits?,The listener waits."]
    found = read("a.csv", "\n".join(lines), ReadOptions(personal_data="drop"))
    assert found.text == "Who waits?\nThe listener waits."
    assert found.warnings == ("personal data left out with its sentence: 1 e-mail address on line 2",)


WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=12)
TEXT = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=3).map("\n".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=6), st.sampled_from(",;\t"))
def test_whatever_a_pair_holds_both_formats_give_the_same_of_it(tmp_path_factory, made, separator):
    folder = tmp_path_factory.mktemp("pairs")
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([("question", "answer"), *made])
    lines = [json.dumps({"question": question, "answer": answer}, ensure_ascii=False) for question, answer in made]
    (folder / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    table, lined = outcome(read_csv, folder / "a.csv"), outcome(read_json, folder / "a.jsonl")
    assert table == lined
    assert table[0] == "unread" or len(table[0]) + table[1] == len(made)


def outcome(reader, path):
    """The blocks of each pair, and how many were left out; or the fate of the file."""
    try:
        found = reader(path, ReadLimits())
    except Unreadable as fault:
        return "unread", fault.fate
    return [blocks for _, blocks in found.pages], len(found.warnings)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from('ab",\n'), max_size=60))
def test_no_heap_of_quotes_costs_a_row_that_is_sound(tmp_path_factory, noise):
    path = tmp_path_factory.mktemp("pairs") / "a.csv"
    path.write_text(f"question,answer\nFirst?,Yes.\n{noise}\nLast?,Yes.\n", encoding="utf-8")
    found = read_csv(path, ReadLimits())
    assert found.pages[0][0] == 2
    torn = noise.count('"') % 2 or '"' in noise.rsplit("\n", 1)[-1]
    assert torn or found.pages[-1][0] == noise.count("\n") + 4
