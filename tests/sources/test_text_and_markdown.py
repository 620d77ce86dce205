"""Text and Markdown files as blocks."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources import ReadLimits, Unread, read_document
from pipeline.sources.markdown import read_markdown


@pytest.fixture
def read(tmp_path):
    def reader(name, text, encoding="utf-8", limits=ReadLimits()):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        found = read_document(path, name, limits)
        assert not isinstance(found, Unread), found
        return found

    return reader


def blocks(document):
    return [(block.kind, block.text) for page in document.pages for block in page.blocks]


MARKDOWN = """---
title: front matter goes
---
<!-- a comment
over two lines -->
Listening
=========

Good *listeners* wait; **they** do not [interrupt](https://example.org "x").
This line goes on with `wait()` and a broken compre-
hension.[^1]

### Steps ###

- Ask _one_ question
  and wait for the answer.
* Do not guess.
2) Write snake_case_names down.

```python
print("kept out")
```

| Habit | Effect |
|-------|:------:|
| Interrupting | *Silence* |

> Quoted words stay.
![a picture](x.png)

***

    indented code goes

Speaking
--------
2 * 3 * 4 stays, AT&amp;T too, and so does 1 < 2.

[ref]: https://example.org
"""


def test_markdown_leaves_its_words_and_loses_its_markup(read):
    found = read("a.md", MARKDOWN)
    assert blocks(found) == [
        ("heading", "Listening"),
        (
            "prose",
            "Good listeners wait; they do not interrupt. This line goes on with wait() and a broken comprehension.",
        ),
        ("heading", "Steps"),
        ("item", "• Ask one question and wait for the answer."),
        ("item", "• Do not guess."),
        ("item", "2. Write snake_case_names down."),
        ("row", "Habit | Effect"),
        ("row", "Interrupting | Silence"),
        ("prose", "Quoted words stay."),
        ("heading", "Speaking"),
        ("prose", "2 * 3 * 4 stays, AT&T too, and so does 1 < 2."),
    ]
    assert [block.level for page in found.pages for block in page.blocks if block.kind == "heading"] == [1, 3, 2]
    assert found.warnings == ("2 code block(s) were left out",)


TODAY = """- [Steps](#steps)
- [More](#more)

## Steps

1. First.
1. Second, see [here](#more).

   Its reason.
   - [x] Done.
1. Third.

About 10<sup>6</sup> words[^1] are known.<sup>[2]</sup>

[^1]: Counted by nobody.

<details><summary>More</summary>
<p>Words in <b>HTML</b>.</p>

</details>

\\*Not emphasis\\*, `a|b`.<br>Bye.
"""


def test_markdown_is_read_as_people_write_it_today(read):
    found = read("a.md", TODAY)
    assert blocks(found) == [
        ("heading", "Steps"),
        ("item", "1. First."),
        ("item", "2. Second, see here."),
        ("prose", "Its reason."),
        ("item", "• Done."),
        ("item", "3. Third."),
        ("prose", "About 10⁶ words are known."),
        ("prose", "More"),
        ("prose", "Words in HTML."),
        ("prose", "*Not emphasis*, a|b. Bye."),
    ]
    assert found.warnings == ("1 footnote(s) were left out", "2 line(s) of a table of contents were left out")


MARKS = ["# ", "- ", "1. ", "> ", "|", "|-|", "**", "`", "```", "[^1]", "[a](#b)", "<sup>", "</sup>", "</p>", "<!--"]
MARKS += ["word ", "\n", "\n\n", "    ", "\\", "&amp;", "===", "---", "é", "- [x] "]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("markdown") / "a.md"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(MARKS), max_size=30))
def test_no_heap_of_marks_fails_or_leaves_a_line_break_in_a_block(file, pieces):
    file.write_text(f"first {''.join(pieces)}", encoding="utf-8")
    for _, found in read_markdown(file, ReadLimits()).pages:
        assert all(block.text and "\n" not in block.text for block in found)


def test_paragraphs_of_a_text_are_parted_by_blank_lines(read):
    text = "LISTENING\n\nGood listeners wait and do not inter-\nrupt.\n\n1. Ask.\n2. Wait for\n   an answer.\n"
    assert blocks(read("a.txt", text.replace("\n", "\r\n"))) == [
        ("heading", "LISTENING"),
        ("prose", "Good listeners wait and do not interrupt."),
        ("item", "1. Ask."),
        ("item", "2. Wait for an answer."),
    ]


def test_lines_too_long_to_have_been_wrapped_are_paragraphs(read):
    long = "Good listeners wait until the speaker has finished before they answer, which is harder than it sounds. "
    text = f"{long}{long}\n{long}The end."
    assert [text for _, text in blocks(read("a.txt", text))] == [f"{long}{long}".strip(), f"{long}The end."]


def test_a_form_feed_begins_a_new_page(read):
    assert [(page.number, page.text) for page in read("a.txt", "One.\f\fThree.").pages] == [(1, "One."), (3, "Three.")]


def test_tabbed_lines_are_a_table(read):
    assert blocks(read("a.txt", "Name\tAge\nAnn\t3\n\nProse."))[:2] == [("row", "Name | Age"), ("row", "Ann | 3")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_in_the_encoding_it_declares(read, encoding):
    assert read("a.txt", "Café – “gut”. 沟通。", encoding).text == "Café – “gut”. 沟通。"


def test_text_in_an_old_encoding_is_read_with_a_warning(read):
    found = read("a.txt", "Café – “gut”.", "cp1252")
    assert found.text == "Café – “gut”."
    assert "Windows-1252" in found.warnings[0]


def test_mojibake_is_mended_and_what_nobody_sees_is_taken_out(read):
    hidden = "Itâ€™s ﬁne.\u200b\u202e \u00adReally\u00a0so."
    assert read("a.txt", hidden).text == "It’s fine. Really so."


def test_a_text_over_the_limit_is_cut_and_that_is_said(read):
    found = read("a.txt", "word " * 100, limits=ReadLimits(characters=50))
    assert len(found.text) <= 50
    assert "first 50 characters" in found.warnings[0]


def test_line_separators_of_unicode_do_not_end_up_inside_blocks(read):
    found = read("a.md", "One\u2028two\u2029three\x0bfour.")
    assert found.text == "One two three four."


@pytest.mark.parametrize(
    "text",
    [
        "沟通是一个人把意思清楚地告诉另一个人。倾听是最好的习惯。" * 8,
        "التواصل هو عمل جعل معنى شخص واحد واضحا لشخص آخر. " * 8,
        "Сообщение выполнило свою задачу, когда слушатель понял. " * 8,
        "Komunikacja to praca nad tym, żeby znaczenie było jasne dla drugiej osoby. " * 8,
        "İletişim, bir kişinin anlamını başka birine açık kılma işidir. " * 8,
        "Giao tiếp là công việc làm cho ý nghĩa của một người rõ ràng với người khác. " * 8,
        "x = 3; 17 | 42 | 99.5 % 1,204 " * 20,
    ],
)
def test_no_language_is_taken_for_gibberish(read, text):
    assert read("a.txt", text).text
