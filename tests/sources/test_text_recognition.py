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
        print("\\t".join(map(str, [5, 1, 1, 1, line, number, *box, 90, word])))
        left += 25 * len(word) + 20
"""
LINES = ["Good listeners wait until the speaker has fin-", "ished, and they ask before they answer."]
OPTIONS = ReadOptions(ocr=True, ocr_languages="deu+eng")


@pytest.fixture
def scan(tmp_path):
    """A PDF of one picture of a text."""
    image = Image.new("L", (1200, 400), 255)
    font = ImageFont.load_default(40)
    for place, line in enumerate(LINES):
        ImageDraw.Draw(image).text((20, 40 + 60 * place), line, font=font, fill=0)
    setter = Setter(tmp_path / "scan.pdf")
    setter.canvas.drawImage(ImageReader(image), 40, 500, 500, 166)
    setter.save()
    return tmp_path / "scan.pdf"


@pytest.fixture
def tesseract(tmp_path, monkeypatch):
    """Puts a stand-in for the program on the path: it checks what it is handed, and answers `lines`."""

    def stand_in(lines=LINES, fails=False):
        program = tmp_path / "bin" / "tesseract"
        program.parent.mkdir(exist_ok=True)
        program.write_text(FAKE.format(python=sys.executable, lines=lines, fails=fails), encoding="utf-8")
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


@pytest.mark.skipif(shutil.which("tesseract") is None, reason="Tesseract is not installed")
def test_tesseract_itself_reads_the_picture(scan):
    found = read_document(scan, "scan", ReadLimits(), None, ReadOptions(ocr=True))
    assert "listeners wait until the speaker has" in found.text
