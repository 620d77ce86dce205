"""Documents set as a printer sets them: columns, running heads, notes, a table, words broken at the ends of lines."""

from __future__ import annotations

import itertools
import random
import unicodedata
from pathlib import Path

from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A5
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont, stringWidth
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Paragraph, Table

ARABIC_FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
FONTS = {"zh": ("STSong-Light", "STSong-Light"), "ar": ("DejaVu", "DejaVu")}
HYPHENATION = {"en": "en_US", "de": "de_DE", "es": "es_ES"}
ROWS = (("A", "B", "C"), ("12", "13", "14"), ("22", "23", "24"))
WIDTH, HEIGHT = A5
SIDE, TOP, FOOT, GUTTER = 36, 40, 70, 16

WORDS = {
    "en": (
        ["The patient listener", "A good teacher", "My neighbour", "The officer of the watch"],
        ["waits for the answer", "finds a sufficient reason", "writes the difficult letter", "reflects on it"],
        ["in the quiet office", "before the meeting begins", "without interrupting anybody", "all afternoon"],
    ),
    "de": (
        ["Der geduldige Zuhörer", "Die aufmerksame Leserin", "Mein Nachbar", "Der Vorsitzende des Ausschusses"],
        [
            "wartet auf die Antwort der Nachbarin",
            "findet eine hinreichende Begründung",
            "schreibt den Brief",
            "hört zu",
        ],
        ["in der Bibliothek", "vor Beginn der Versammlung", "ohne Unterbrechung des Gesprächs", "am Nachmittag"],
    ),
    "es": (
        ["El oyente paciente", "La lectora atenta", "Mi vecino", "El presidente de la comisión"],
        ["espera la respuesta de su vecina", "encuentra una razón suficiente", "escribe la carta", "escucha"],
        ["en la biblioteca", "antes de que empiece la reunión", "sin interrumpir a nadie", "con la mayor atención"],
    ),
    "zh": (
        ["耐心的听众", "细心的读者", "我的邻居", "委员会的主席"],
        ["等待邻居的回答", "找到充分的理由", "写完困难的信", "仔细思考这个问题"],
        ["在安静的图书馆里", "在会议开始之前", "不打断任何人", "以最大的注意力"],
    ),
    "ar": (
        ["المستمع الصبور", "القارئ المنتبه", "جاري القديم", "رئيس اللجنة"],
        ["ينتظر جواب الجار", "يجد سببا كافيا", "يكتب الرسالة الصعبة", "يفكر في السؤال"],
        ["في المكتبة الهادئة", "قبل بداية الاجتماع", "دون مقاطعة أحد", "بكل انتباه وعناية"],
    ),
}
TITLES = {
    "en": ("On Listening", "Chapter", "See the report of 1987."),
    "de": ("Vom Zuhören", "Kapitel", "Vgl. den Bericht von 1987."),
    "es": ("Sobre la escucha", "Capítulo", "Véase el informe de 1987."),
    "zh": ("论倾听", "章", "参见一九八七年报告。"),
    "ar": ("عن الاستماع", "الفصل", "انظر تقرير الشتاء."),
}


def sentences(language: str) -> list[str]:
    """Sixty-four that all differ, in an order that puts none beside its like."""
    made = list(itertools.product(*WORDS[language]))
    random.Random(1).shuffle(made)
    return [f"{where}，{who}{does}。" if language == "zh" else f"{who} {does} {where}." for who, does, where in made]


def furniture(language: str) -> set[str]:
    """Whatever is no sentence of the text, as it should be read."""
    title, chapter, note = TITLES[language]
    rows = {" | ".join(row) for row in ROWS}
    return {title, note, *rows, *(f"{number}. {chapter} {'ABC'[number - 1]}" for number in (1, 2))} | {
        f"{page} {note}" for page in range(1, 9)
    }


def typeset(path: Path, language: str, columns: int) -> None:
    """The sentences in justified columns with all that stands around them in a book."""
    plain, bold = _fonts(language)
    title, chapter, note = TITLES[language]

    def around(canvas: Canvas, _template: BaseDocTemplate) -> None:
        page = canvas.getPageNumber()
        canvas.setFont(plain, 8)
        canvas.drawString(SIDE, HEIGHT - 24, f"{title}   {chapter}")
        canvas.drawRightString(WIDTH - SIDE if page % 2 else WIDTH / 2, HEIGHT - 24, str(page))
        canvas.drawCentredString(WIDTH / 2, 24, f"- {page} -")
        canvas.setFont(plain, 5)
        canvas.drawString(SIDE, 53, str(page))
        canvas.setFont(plain, 7)
        canvas.drawString(SIDE + 3, 50, f" {note}")

    width = (WIDTH - 2 * SIDE - (columns - 1) * GUTTER) / columns
    frames = [
        Frame(SIDE + place * (width + GUTTER), FOOT, width, HEIGHT - TOP - FOOT, 0, 0, 0, 0) for place in range(columns)
    ]
    template = BaseDocTemplate(str(path), pagesize=A5)
    template.addPageTemplates([PageTemplate("pages", frames, onPage=around)])
    template.build(_flow(language, plain, bold))


def _flow(language: str, plain: str, bold: str) -> list[Flowable]:
    title, chapter, _ = TITLES[language]
    body = ParagraphStyle("body", fontName=plain, fontSize=9, leading=11, firstLineIndent=9, alignment=TA_JUSTIFY)
    if language == "zh":
        body.wordWrap, body.alignment, body.firstLineIndent = "CJK", 0, 18
    else:
        body.hyphenationLang, body.hyphenationMinWordLength = HYPHENATION[language], 6
    head = ParagraphStyle("head", fontName=bold, fontSize=12, leading=15, spaceBefore=6, spaceAfter=4, keepWithNext=1)
    flow: list[Flowable] = [Paragraph(title, ParagraphStyle("title", parent=head, fontSize=18, leading=24))]
    flow += [
        Paragraph(f"{number}. {chapter} {'. ' * 12}{7 * number}", ParagraphStyle("toc", body)) for number in (1, 2)
    ]
    text = sentences(language)
    for place in range(0, len(text), 4):
        if place % 32 == 0:
            flow.append(Paragraph(f"{place // 32 + 1}. {chapter} {'AB'[place // 32]}", head))
        paragraph = ("" if language == "zh" else " ").join(text[place : place + 4])
        if language != "zh" and place % 12 == 4:
            paragraph = paragraph.replace(".", f'.<super size="6">{place}</super>', 1)
        flow.append(Paragraph(paragraph, body))
        if place == 12:
            flow.append(Table([list(row) for row in ROWS]))
    return flow


def _fonts(language: str) -> tuple[str, str]:
    if language == "zh":
        registerFont(UnicodeCIDFont("STSong-Light"))
    if language == "ar":
        registerFont(TTFont("DejaVu", str(ARABIC_FONT)))
    return FONTS.get(language, ("Times-Roman", "Times-Bold"))


def typeset_leftwards(path: Path, columns: int) -> None:
    """The Arabic sentences in columns from right to left, drawn as shapes in the order of the page."""
    plain, _ = _fonts("ar")
    title, _, note = TITLES["ar"]
    canvas, page, column, y = Canvas(str(path), pagesize=A5), 0, columns, 0.0
    width = (WIDTH - 2 * SIDE - (columns - 1) * GUTTER) / columns
    text = sentences("ar")
    for place in range(0, len(text), 4):
        for index, line in enumerate(_wrapped(" ".join(text[place : place + 4]), plain, width - 9)):
            if y < FOOT:
                column, y = column + 1, HEIGHT - TOP - 10
            if column >= columns:
                if page:
                    canvas.showPage()
                page, column = page + 1, 0
                canvas.setFont(plain, 7)
                canvas.drawRightString(WIDTH - SIDE, HEIGHT - 24, _shaped(title))
                canvas.drawString(SIDE, HEIGHT - 24, str(page))
                canvas.drawRightString(WIDTH - SIDE, 50, _shaped(note))
            canvas.setFont(plain, 9)
            right = WIDTH - SIDE - column * (width + GUTTER)
            canvas.drawRightString(right - 9 * (index == 0), y, _shaped(line))
            y -= 12
    canvas.save()


def _wrapped(text: str, font: str, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if stringWidth(_shaped(longer), font, 9) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


SHAPES: dict[str, dict[str, str]] = {}
"""Letter to its shapes: isolated, initial, medial, final."""
for code in range(0xFE70, 0xFEFD):
    kind, *letters = unicodedata.decomposition(chr(code)).split() or ["", ""]
    if len(letters) == 1:
        SHAPES.setdefault(chr(int(letters[0] or "0", 16)), {})[kind.strip("<>")] = chr(code)


def _shaped(line: str) -> str:
    """Letters as the shapes they take beside each other, from left to right as they stand on paper."""
    shown = []
    for place, letter in enumerate(line):
        shapes = SHAPES.get(letter, {})
        joins_before = place > 0 and "initial" in SHAPES.get(line[place - 1], {})
        joins_after = "initial" in shapes and "final" in SHAPES.get(line[place + 1 : place + 2], {})
        name = ("isolated", "initial", "final", "medial")[2 * joins_before + joins_after]
        shown.append(shapes.get(name) or shapes.get("isolated") or letter)
    return "".join(reversed(shown))
