"""An answer is supported by its words, else by meaning, and what nobody can tell is doubtful."""

from __future__ import annotations

import re
import zlib

import numpy
import pytest

from pipeline.curate.meaning import Support
from pipeline.embedder import Absent, StoredEmbedder, TransformerEmbedder, find_embedder
from pipeline.recipe import Checks, Meaning
from pipeline.records import Draft, Passage

SAME = {"vessel": "boat", "vessels": "boat", "boats": "boat", "costs": "pays", "evening": "night", "moored": "berth",
        "lying": "berth", "berths": "berth"}  # fmt: skip


class Synonyms:
    """Words as directions, synonyms as the same one: an embedder that understands what stands in its list."""

    name, dimensions = "synonyms", 512

    def __init__(self):
        self.encoded = 0

    def encode(self, texts):
        self.encoded += len(texts)
        found = numpy.zeros((len(texts), self.dimensions), dtype=numpy.float32)
        for row, text in zip(found, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[zlib.crc32(SAME.get(word, word).encode()) % self.dimensions] += 1
        return found / numpy.maximum(numpy.linalg.norm(found, axis=1, keepdims=True), 1e-6)


def passage(number: int, text: str) -> Passage:
    return Passage(
        id=f"p{number:02}", document="a.md", document_sha256="0", start=0, end=len(text), pages=((0, 1),), text=text
    )


SUBJECTS = "bread glass honey paper stone cloth silver cheese copper timber leather barley".split()
OTHERS = [
    passage(number, f"A {one} merchant sold {two} in town. Later the {one} guild met every autumn to weigh {two}.")
    for number, (one, two) in enumerate(zip(SUBJECTS, SUBJECTS[1:] + SUBJECTS[:1], strict=True))
]
HARBOUR = passage(50, "Each boat pays a fee by night. A berth must be booked before boats arrive.")
PASSAGES = {one.id: one for one in [*OTHERS, HARBOUR]}


def draft(answer: str, question: str = "What of boats?", of: Passage = HARBOUR) -> Draft:
    return Draft(kind="document", question=question, answer=answer, passage=of.id, request="r")


def finding(one: Draft, embedder=None, passages=PASSAGES):
    (found,) = Support(passages, Checks(), embedder, "" if embedder else "none is installed").findings([one])
    return found


def test_an_answer_in_the_passages_words_is_supported_and_no_model_is_asked():
    embedder = Synonyms()
    assert finding(draft("A boat pays by night."), embedder).verdict == "passed"
    assert embedder.encoded == 0


def test_an_answer_in_other_words_is_supported_by_meaning():
    found = finding(draft("Vessels costs evening vessel."), Synonyms())
    assert (found.check, found.verdict) == ("support_chance", "passed")


def test_an_answer_that_other_passages_support_better_is_rejected():
    found = finding(draft("Copper merchants weigh timber daily outdoors.", "Who is a guild merchant?"), Synonyms())
    assert (found.verdict, found.cause) == ("rejected", "unsupported")


def test_an_answer_with_one_sentence_from_elsewhere_is_not_supported():
    found = finding(draft("Vessels costs evening. Copper merchants weigh timber outdoors."), Synonyms())
    assert (found.verdict, found.cause) == ("doubtful", "weakly_supported")


def test_what_words_do_not_settle_is_doubtful_where_nothing_compares_meaning():
    found = finding(draft("Vessels lying there costs money."))
    assert (found.verdict, found.cause) == ("doubtful", "weakly_supported")
    assert "none is installed" in found.detail


def test_in_a_corpus_of_few_passages_nothing_is_said_to_stand_out():
    few = {one.id: one for one in [HARBOUR, *OTHERS[:2]]}
    found = finding(draft("Vessels costs evening vessel."), Synonyms(), few)
    assert found.verdict == "doubtful" and "too few" in found.detail


def test_how_drafts_are_sharded_changes_no_finding():
    drafts = [draft("Vessels costs evening vessel."), draft("A boat pays."), draft("Copper guild outdoors."),
              draft("Bread merchants trade.", of=OTHERS[0]), draft("Vessels lying there.")]  # fmt: skip
    whole = Support(PASSAGES, Checks(), Synonyms(), "").findings(drafts)
    support = Support(PASSAGES, Checks(), Synonyms(), "")
    assert [support.findings([one])[0] for one in drafts] == whole


def test_answers_to_be_refused_and_a_personas_are_not_compared_with_any_passage():
    refusal = Draft(kind="off_topic", question="What is bread?", answer="No.", request="r")
    assert Support(PASSAGES, Checks(), None, "none").findings([refusal]) == [()]


def test_words_of_a_script_without_blanks_are_compared_by_pairs_of_characters():
    chinese = passage(60, "积极倾听需要耐心。说话人感到被理解。")
    passages = {chinese.id: chinese, HARBOUR.id: HARBOUR}
    assert finding(draft("积极倾听需要耐心。", "?", chinese), None, passages).verdict == "passed"
    assert finding(draft("港口每天收费很高。", "?", chinese), None, passages).verdict == "doubtful"


def test_a_vector_is_made_once_and_looked_up_after(tmp_path):
    inner = Synonyms()
    stored = StoredEmbedder(inner, tmp_path / "vectors.sqlite")
    first = stored.encode(["boats pay", "a night", "boats pay"])
    assert (inner.encoded, first.shape, first.dtype) == (2, (3, 512), numpy.float32)
    again = StoredEmbedder(inner, tmp_path / "vectors.sqlite").encode(["a night", "boats pay", "a town"])
    assert inner.encoded == 3
    assert (again[1] == first[0]).all() and (again[0] == first[1]).all()
    assert stored.encode([]).shape == (0, 512)


def test_a_recipe_may_do_without_meaning(tmp_path):
    absent = find_embedder(Meaning(enabled=False), "en", tmp_path, tmp_path / "v.sqlite")
    assert isinstance(absent, Absent) and "meaning.enabled" in absent.why


def test_for_another_language_than_english_a_model_must_be_named(tmp_path):
    absent = find_embedder(Meaning(), "zh", tmp_path, tmp_path / "v.sqlite")
    assert isinstance(absent, Absent) and "meaning" in absent.why
    named = find_embedder(Meaning(model="some/multilingual"), "zh", tmp_path, tmp_path / "v.sqlite")
    assert isinstance(named, StoredEmbedder) and named.name == "some/multilingual"


@pytest.mark.slow
def test_the_packaged_model_tells_meaning_and_a_batch_changes_nothing_that_counts(tmp_path):
    embedder = find_embedder(Meaning(), "en", tmp_path, tmp_path / "v.sqlite")
    assert isinstance(embedder, StoredEmbedder)
    texts = ["The cat sat on the mat.", "A feline was sitting on a rug.", "Interest rates rose in May."]
    vectors = embedder.encode(texts)
    assert vectors.shape == (3, embedder.dimensions)
    assert numpy.allclose(numpy.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.5 > 0.2 > vectors[0] @ vectors[2]
    inner = embedder._inner
    assert isinstance(inner, TransformerEmbedder)
    assert numpy.allclose(inner.encode(texts[:1])[0], vectors[0], atol=1e-5)
