"""What a row says survives every format, whatever its characters; what cannot survive is told with a reason."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import assume, example, given, settings

from pipeline.errors import InputError
from pipeline.publish.formats import FORMATS
from pipeline.publish.formats.form import Cannot
from tests.publish.formats.making import DIALOGUE, IN_CONTEXT, OFF_TOPIC, PROMPTS, row, rows, talk

CHAT = {"messages": "messages", "llama-factory": "messages", "unsloth": "conversations", "axolotl": "messages"}
CHAT |= {"oumi": "messages", "openai": "messages"}


def through(name, *of):
    """The rows written in a format and read as anybody would read it; None if it has no place for one of them."""
    form, lines = FORMATS[name], []
    for each in of:
        made = form.lines(each, PROMPTS)
        if isinstance(made, Cannot):
            assert made.why
            return None
        lines += made
    content = b"".join(form.encoding.encode(lines, form.columns))
    if name == "parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        return parquet.read_table(io.BytesIO(content)).to_pylist()
    if name == "h2o-csv":
        pandas = pytest.importorskip("pandas")
        table = pandas.read_csv(io.BytesIO(content), lineterminator="\n")  # as H2O LLM Studio reads it
        return table.astype(object).where(table.notna(), None).to_dict("records")
    return [json.loads(line) for line in content.split(b"\n")[:-1]]


def heard(name, lines):
    """What a trainer makes of the lines of one row: who says what, and which texts are trained."""
    if name == "trl":
        (line,) = lines
        said = [*line["prompt"], *line["completion"]]
        return [(each["role"], each["content"]) for each in said], [each["content"] for each in line["completion"]]
    if name == "sharegpt":
        (line,) = lines
        roles = {"human": "user", "gpt": "assistant"}
        return [(roles[each["from"]], each["value"]) for each in line["conversations"]], None
    if name == "h2o-csv":
        chain = [
            (role, str(line[key])) for line in lines for role, key in (("user", "prompt"), ("assistant", "answer"))
        ]
        parents = [line.get("parent_id") for line in lines]
        assert parents == [None, *(line["id"] for line in lines[:-1])]
        return chain, None
    (line,) = lines
    said = line[CHAT[name]]
    trained = {
        "axolotl": [each["content"] for each in said if each.get("train")],
        "openai": [each["content"] for each in said if each["role"] == "assistant" and each.get("weight", 1)],
    }
    return [(each["role"], each["content"]) for each in said], trained.get(name)


@pytest.mark.parametrize("name", ["trl", "sharegpt", *CHAT])
@settings(max_examples=25)
@given(rows())
@example(DIALOGUE)
@example(IN_CONTEXT)
def test_a_conversation_survives_and_its_last_answer_alone_is_trained(name, given_row):
    said, trained = heard(name, through(name, given_row))
    assert said == talk(given_row)
    assert trained in (None, [given_row.answer])


@pytest.mark.parametrize("name", ["alpaca", "litgpt"])
@settings(max_examples=25)
@given(rows())
@example(DIALOGUE)
@example(IN_CONTEXT)
def test_instruction_input_and_output_survive_but_for_turns_before_them(name, given_row):
    lines = through(name, given_row)
    if given_row.earlier:
        assert lines is None
    else:
        kept = {"instruction": given_row.question, "input": given_row.context, "output": given_row.answer}
        assert lines == [{"id": given_row.id, **kept}]


@settings(max_examples=50)
@given(rows(), rows())
@example(DIALOGUE, IN_CONTEXT)
@example(row("What is it?", "NA"), OFF_TOPIC)
def test_a_table_as_pandas_reads_it_holds_the_conversation_or_the_row_is_left_out(one, other):
    assume(one.id != other.id)
    try:
        lines = through("h2o-csv", one, other)
    except InputError as refused:
        assert "number" in str(refused)
        return
    if lines is not None:
        own = len(one.earlier) // 2 + 1
        assert heard("h2o-csv", lines[:own])[0] == talk(one)
        assert heard("h2o-csv", lines[own:])[0] == talk(other)


@settings(max_examples=20)
@given(rows(), rows())
def test_parquet_holds_every_column(one, other):
    assert through("parquet", one, other) == [one.model_dump(mode="json"), other.model_dump(mode="json")]


@pytest.mark.parametrize("text", ["NA", "None", "null", "nan", "N/A", ""])
def test_a_text_that_pandas_takes_for_a_missing_value_is_left_out_with_the_reason(text):
    made = FORMATS["h2o-csv"].lines(row("Is there an answer?", text), PROMPTS)
    assert isinstance(made, Cannot)
    assert repr(text) in made.why


@pytest.mark.parametrize(
    "answers", [("3.50", "4"), ("007", "8"), ("1e5", "2"), ("true", "False")], ids=lambda each: each[0]
)
def test_a_column_that_pandas_would_turn_into_numbers_or_truth_values_is_refused(answers):
    with pytest.raises(InputError, match="answer looks like a number or a truth value"):
        through("h2o-csv", *(row(f"Which is number {n}?", answer) for n, answer in enumerate(answers)))


def test_a_column_of_numbers_that_stay_as_they_are_written_is_kept():
    lines = through("h2o-csv", row("How many?", "42"), row("And now?", "-7"))
    assert [str(line["answer"]) for line in lines] == ["42", "-7"]


def test_a_table_without_dialogue_has_no_column_of_parents():
    """H2O LLM Studio would read an empty one as numbers, and fail on the ids."""
    assert set(through("h2o-csv", OFF_TOPIC)[0]) == {"id", "prompt", "answer"}
