"""Generated data shows patterns; they are counted in one pass, and warned about with their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curate.diversity import diversity
from pipeline.curate.frequent import Frequent
from pipeline.recipe import Diversity as Thresholds
from pipeline.records import Passage, Record

TEXT = "One two three four five six seven eight nine ten. " * 2
PASSAGE = Passage(
    id="p", document="a.md", document_sha256="0", start=100, end=100 + len(TEXT), pages=((0, 1),), text=TEXT
)
WORDS = "amber birch cedar delta ember flint grove heath islet jetty knoll larch marsh north ocean".split()


def record(number: int, question: str, answer: str, **changes) -> Record:
    known = {"kind": "persona", "source": "s", "fact": f"f{number}", "model": "m", "prompt": "x", "request": "r"}
    return Record(id=str(number), question=question, answer=answer, **(known | changes))


def varied(count: int) -> Iterator[Record]:
    dice = Random(7)
    for number in range(count):
        words = [f"{dice.choice(WORDS)}{dice.randrange(9)}" for _ in range(3 + number % 6)]
        yield record(number, f"{' '.join(words)}, why?", f"{' '.join(reversed(words))} does.")


def measured(records, passages=(), **changes):
    return diversity(records, {passage.id: passage for passage in passages}, Thresholds(**changes))


def test_varied_records_are_not_warned_about():
    found = measured(varied(500))
    assert (found.questions, found.answers) == (500, 500)
    assert found.warnings == ()


def test_an_opening_that_many_share_is_warned_about_with_its_numbers():
    alike = [record(number, f"What is the {number}th thing?", f"Thing {number}.") for number in range(40)]
    found = measured([*varied(60), *alike])
    assert found.question_openings[0].model_dump() == {"phrase": "what is the", "texts": 40}
    assert "40 of 100 questions begin with 'what is the': 40.0%, at most 10.0% is usual" in found.warnings
    assert measured([*varied(60), *alike], opening_share=0.4).warnings == ()
    assert measured([*varied(60), *alike], least=101).warnings == ()


def test_a_phrase_inside_many_answers_is_warned_about():
    worn = [record(n, f"Why {n}?", f"Thing{n} is, at the end of the day, thing{n + 1}.") for n in range(1000, 1030)]
    found = measured([*varied(100), *worn])
    assert any("30 of 130 answers hold 'at the end of'" in warning for warning in found.warnings)


def test_answers_of_one_length_are_warned_about():
    even = [record(n, f"Why {'so ' * (n % 9)}{n}?", f"Thing{n} is {WORDS[n % 15]}{n}.") for n in range(60)]
    assert "nearly all answers are of one length: 3 to 3 (median 3) words" in measured(even).warnings


def test_wordings_of_a_fact_share_one_answer_and_refusals_have_none():
    wordings = [record(n, f"Who {n}?", "Nobody at all.", fact="same") for n in range(8)]
    refusals = [record(n, f"Who {n}?", "No, thanks.", kind="off_topic") for n in range(5)]
    found = measured([*wordings, *refusals])
    assert (found.questions, found.answers) == (13, 1)


def test_what_a_passage_is_asked_about_is_measured_on_its_text():
    half = (PASSAGE.start, PASSAGE.start + len(TEXT) // 2)
    known = {"kind": "document", "quote": "q", "passage": "p", "page": 1}
    records = [record(n, f"Who {n}?", f"Thing {n}.", span=half, **known) for n in range(3)]
    silent = PASSAGE.model_copy(update={"id": "silent"})
    found = measured(records, [PASSAGE, silent])
    assert (found.passages, found.passages_asked) == (2, 1)
    assert found.facts_per_passage.median == 3
    assert found.quoted_share == 0.25
    assert found.warnings == ("1 of 2 passages brought no question that was kept",)


def test_the_records_are_gone_through_once():
    assert measured(varied(10)) == measured(list(varied(10)))


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 30), max_size=4), max_size=600), st.sampled_from([0.1, 0.2, 0.5]))
def test_no_frequent_item_is_let_go_and_counts_fall_short_by_a_tenth_at_most(texts, share):
    frequent: Frequent[int] = Frequent(share)
    for items in texts:
        frequent.add(items)
    true = Counter(item for items in texts for item in set(items))
    for item, count in true.items():
        assert frequent.counts[item] <= count
        if count > share * len(texts):
            assert frequent.counts[item] >= count - share / 10 * len(texts)


def test_counting_holds_no_more_for_more_texts():
    frequent: Frequent[int] = Frequent(0.1)
    for number in range(20_000):
        frequent.add([number, -(number % 3)])
    assert len(frequent.counts) <= 200


def test_any_records_can_be_measured():
    odd = ["", "?", "什么", "a" * 5000, "\ud800", "1 2 3"]
    found = measured([record(n, text, text) for n, text in enumerate(odd)])
    assert found.questions == len(odd)
    assert measured([]).lines()
