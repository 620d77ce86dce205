"""The sample document can be built again from its text, byte for byte, and holds all of it."""

from __future__ import annotations

import importlib.util
import re

import pytest
from pypdf import PdfReader

from tests.conftest import ROOT

SAMPLES = ROOT / "samples"
PDF = SAMPLES / "good_and_bad_communication.pdf"


@pytest.fixture(scope="module")
def builder():
    pytest.importorskip("reportlab", reason="the sample is built with reportlab")
    spec = importlib.util.spec_from_file_location("sample_builder", SAMPLES / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def markdown():
    return (SAMPLES / "good_and_bad_communication.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def pages():
    return [page.extract_text() for page in PdfReader(PDF).pages]


def only_letters(text):
    """What is left of a text when line ends, hyphens, spaces and marks are taken out."""
    return re.sub(r"[^a-zA-Z]", "", text)


def test_building_again_gives_the_same_bytes(builder, tmp_path):
    builder.build(tmp_path / "again.pdf")
    assert (tmp_path / "again.pdf").read_bytes() == PDF.read_bytes()


def test_it_has_four_to_six_pages_with_a_running_head_and_a_number_each(pages):
    assert 4 <= len(pages) <= 6
    for number, text in enumerate(pages, 1):
        lines = text.strip().splitlines()
        assert lines[0] == "Good and Bad Communication"
        assert lines[-1] == f"Page {number} of {len(pages)}"


def test_it_breaks_words_at_line_ends_as_real_documents_do(pages):
    assert len(re.findall(r"[a-z]-\n[a-z]", "\n".join(pages))) >= 20


def test_it_says_every_sentence_of_its_text(pages, markdown):
    body = ["\n".join(text.strip().splitlines()[1:-1]) for text in pages]
    said = only_letters("".join(body))
    blocks = re.split(r"\n\s*\n|\|", re.sub(r"^#+ |^\d+\. ", "", markdown, flags=re.MULTILINE))
    missing = [block for block in blocks if only_letters(block) not in said]
    assert missing == []


def test_its_text_is_a_handout_of_its_size(markdown):
    prose = [line for line in markdown.splitlines() if line and line[0] not in "#|"]
    assert 2300 <= sum(len(line.split()) for line in prose) <= 3200
    assert len(re.findall(r"[.!?]”?\.?(?=\s|$)", "\n".join(prose))) >= 150
    assert {len(line.split()[0]) for line in markdown.splitlines() if line.startswith("#")} == {1, 2, 3}
