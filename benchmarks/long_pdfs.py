"""What reading a long PDF costs, page by page: `python -m benchmarks.long_pdfs [PAGES]`."""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from pathlib import Path
from textwrap import wrap

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pipeline.sources import Document, ReadLimits, ReadOptions, read_document

WORDS = """the harbour keeps its boats behind a long wall and every pilot who comes home in fog listens for the bell
that hangs above the northern gate because nobody can see the light before the tide has turned although older sailors
say that water tells them where they are when it grows quiet under the keel and smells of rope tar and bread""".split()


def set_book(path: Path, pages: int, lines: int = 50) -> None:
    """A book of prose with running heads and page numbers, the same for the same numbers."""
    dice = random.Random(pages)
    canvas = Canvas(str(path), pagesize=A4)
    for page in range(1, pages + 1):
        canvas.setFont("Times-Italic", 9)
        canvas.drawString(72, 800, "On Harbours")
        canvas.drawCentredString(297, 36, str(page))
        canvas.setFont("Times-Roman", 11)
        told = f"Page {page} begins here."
        while len(told) < 78 * lines:
            told += f" {' '.join(dice.choices(WORDS, k=dice.randint(6, 25))).capitalize()}."
        for line, shown in enumerate(wrap(told, 84)):
            canvas.drawString(72, 770 - 14 * line, shown)
        canvas.showPage()
    canvas.save()


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("pages", type=int, nargs="?", default=600)
    pages = options.parse_args().pages
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.pdf"
        set_book(path, pages)
        for reader in ("auto", "pypdfium2", "pypdf"):
            before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            found = read_document(path, path.name, ReadLimits(seconds=600), options=ReadOptions(reader=reader))
            after, clock = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
            cost = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            told = f"{len(found.text):,} characters" if isinstance(found, Document) else found.cause
            print(
                f"{reader:10} {pages} pages: {cost:6.1f} CPU s ({1000 * cost / pages:.0f} ms a page), {clock:.1f} s by"
                f" the clock, at most {after.ru_maxrss / 1024:.0f} MiB so far: {told}"
            )


if __name__ == "__main__":
    main()
