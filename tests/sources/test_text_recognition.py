"""Pages that are pictures are read by Tesseract where the recipe says so and it is installed."""

from __future__ import annotations

import os
import shutil
import stat
import sys

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.utils import ImageReader

from pipeline.sources import Document, ReadLimits, ReadOptions, read_document
from tests.conftest import SHARED
from tests.sources.made_up_documents import Setter

FAKE = """#!{python}
import sys
head = sys.stdin.buffer.read(2)
size = [int(word) for word in sys.stdin.buffer.readline().split()[:2]]
rest = sys.stdin.buffer.read()
assert head == b"P5" and len(rest) == size[0] * size[1], (head, size, len(rest))
assert sys.argv[1:] == ["stdin", "stdout", "-l", "deu+eng", "--dpi", "300", "tsv"], sys.argv
if {fails}:
    sys.exit("Error opening data file deu.traineddata")
print("level\\tpage_num\\tblock_num\\tpar_num\\tline_num\\tword_num\\tleft\\ttop\\twidth\\theight\\tconf\\ttext")
print("1\\t1\\t0\\t0\\t0\\t0\\t0\\t0\\t2480\\t3508\\t-1\\t")
for line, words in enumerate({lines}):
    left = 300
    for number, word in enumerate(words.split()):
        box = [left, 600 + 60 * line, 25 * len(word), 50]
        print("\\t".join(map(str, [5, 1, 1, 1, line, number, *box, {confidence}, word])))
        left += 25 * len(word) + 20
"""
LINES = ["Good listeners wait until the speaker has fin-", "ished, and they ask before they answer."]
OPTIONS = ReadOptions(ocr=True, ocr_languages="deu+eng")


def picture_of(lines):
    image = Image.new("L", (1200, 400), 255)
    font = ImageFont.load_default(40)
    for place, line in enumerate(lines):
        ImageDraw.Draw(image).text((20, 40 + 60 * place), line, font=font, fill=0)
    return image


@pytest.fixture
def scan(tmp_path):
    """A PDF of one picture of a text."""
    setter = Setter(tmp_path / "scan.pdf")
    setter.canvas.drawImage(ImageReader(picture_of(LINES)), 40, 500, 500, 166)
    setter.save()
    return tmp_path / "scan.pdf"


@pytest.fixture
def tesseract(tmp_path, monkeypatch):
    """Puts a stand-in for the program on the path: it checks what it is handed, and answers `lines`."""

    def stand_in(lines=LINES, fails=False, confidence=90):
        program = tmp_path / "bin" / "tesseract"
        program.parent.mkdir(exist_ok=True)
        fake = FAKE.format(python=sys.executable, lines=lines, fails=fails, confidence=confidence)
        program.write_text(fake, encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return stand_in


@pytest.mark.parametrize("reader", ["auto", "pypdf"])
def test_what_is_recognised_goes_the_way_of_all_text(scan, tesseract, reader):
    tesseract()
    found = read_document(scan, "scan", ReadLimits(), None, ReadOptions(reader, ocr=True, ocr_languages="deu+eng"))
    assert isinstance(found, Document), found
    assert found.text == "Good listeners wait until the speaker has finished, and they ask before they answer."
    assert found.reader == "tesseract"


def test_without_the_recipes_word_nothing_is_recognised(scan, tesseract):
    tesseract()
    found = read_document(scan, "scan", ReadLimits())
    assert (found.fate, found.page_count) == ("scanned", 1)
    assert "documents.ocr" in found.cause


def test_a_program_that_is_not_there_or_fails_is_named_in_the_cause(scan, tesseract, monkeypatch):
    tesseract(fails=True)
    found = read_document(scan, "scan", ReadLimits(), None, OPTIONS)
    assert (found.fate, "deu.traineddata" in found.cause) == ("scanned", True)
    monkeypatch.setenv("PATH", "/nowhere")
    found = read_document(scan, "scan", ReadLimits(), None, OPTIONS)
    assert (found.fate, "not installed" in found.cause) == ("scanned", True)


def test_what_is_recognised_badly_is_gibberish(scan, tesseract):
    tesseract(
        ["G0od l|st3n~ers w4i1t u^n,til th:e sp3@ker h~4s f1~n", "~= ,;! |l1I ][ 0O0 }{ rn#m vv§w x%% kj&hgf qwrtpsdf"]
        * 3
    )
    assert read_document(scan, "scan", ReadLimits(), None, OPTIONS).fate == "gibberish"


def test_words_that_tesseract_makes_of_a_photograph_are_gibberish_however_they_look(scan, tesseract):
    tesseract(confidence=27)
    assert read_document(scan, "scan", ReadLimits(), None, OPTIONS).fate == "gibberish"


INSTALLED = pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")


@INSTALLED
def test_tesseract_itself_reads_pages_whichever_way_they_lie(scan, tmp_path):
    """The page of `scan` as a scanner would give it: turned in the picture, not by a sign in the file."""
    image = picture_of(LINES)
    setter = Setter(tmp_path / "turned.pdf")
    for turn in (0, 90, 180, 270):
        turned = image.rotate(turn, expand=True)
        setter.canvas.setPageSize((turned.width / 2, turned.height / 2))
        setter.canvas.drawImage(ImageReader(turned), 0, 0, turned.width / 2, turned.height / 2)
        setter.next_page()
    setter.save()
    found = read_document(tmp_path / "turned.pdf", "turned", ReadLimits(seconds=200), None, ReadOptions(ocr=True))
    whole = "Good listeners wait until the speaker has finished, and they ask before they answer."
    assert [page.text for page in found.pages] == [whole] * 4


@INSTALLED
@pytest.mark.skipif(not (SHARED / "pdf").is_dir(), reason="../shared/pdf is not here")
@pytest.mark.slow
def test_the_scanned_pages_that_somebody_else_turned_are_read():
    path, limits = SHARED / "pdf" / "scan_rotated_4p.pdf", ReadLimits(seconds=200)
    found = read_document(path, "scan", limits, None, ReadOptions(ocr=True))
    whole = "Docling bundles PDF document conversion to JSON and Markdown in an easy self contained package"
    assert [page.text for page in found.pages] == [whole] * 4
    assert found.reader == "tesseract"
