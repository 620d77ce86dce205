"""HTML files, and any tree of HTML: headings, paragraphs, list items and table rows without their markup."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree, html

from pipeline.sources.blocks import Block, Kind, Reading, ReadLimits, Unreadable
from pipeline.sources.clean import raised, repaired
from pipeline.sources.plain import characters, typescript
from pipeline.sources.quality import is_gibberish

_JUDGED = 100_000
_DECLARED = re.compile(rb"""<(?:meta|\?xml)[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]{2,40})""", re.I)
_PROLOGUE = re.compile(r"\s*<\?xml[^>]*\?>")
_NOT_TEXT = frozenset(
    "script style noscript template head iframe object embed svg math canvas video audio map form button select"
    " textarea input label dialog menu nav header footer aside figcaption rp rt".split()
)
"""Elements whose text nobody reads as part of the document: code, controls, navigation."""
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite data del dfn em font i ins kbd mark q s samp small span strike strong sub sup"
    " time tt u var wbr code ruby rb".split()
)
_HIDDEN = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(?![.\d])|opacity\s*:\s*0(?![.\d])", re.I
)
_ASIDE_ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "menu"})
_WHOLE = frozenset({"main", "article"})
"""Inside them a header or an aside is the text's own."""


def declared_in(data: bytes) -> str:
    """The encoding that the beginning of a page names, or nothing."""
    found = _DECLARED.search(data[:4096])
    return found.group(1).decode("ascii", "replace") if found else ""


def read_html(path: Path, limits: ReadLimits) -> Reading:
    """A page of the web as one page of blocks. Raises Unreadable if it holds no text to be read."""
    with path.open("rb") as file:
        declared = declared_in(file.read(4096))
    text, warnings = characters(path, limits, declared)
    if "\0" in text:
        raise Unreadable("unsupported", "it is not text: it holds zero bytes")
    tree = parsed(text)
    found = walked(tree)
    if not found.blocks and found.code:  # an old page that is one text as a typewriter sets it
        found = Walk([block for typed in tree.iter("pre") for block in typescript("".join(typed.itertext()))])
    if not found.blocks:
        raise Unreadable("empty", "it holds no text: a page that a script fills has to be saved as it is shown")
    if is_gibberish("\n".join(block.text for block in found.blocks)[:_JUDGED]):
        raise Unreadable("gibberish", "its characters make no words in any language")
    return Reading([(1, found.blocks)], [*warnings, *found.told()], "lxml")


def parsed(text: str) -> Any:
    """HTML of any quality as a tree. Raises Unreadable if there is no element in it, or part of it would be lost."""
    parser = html.HTMLParser(no_network=True, huge_tree=True)  # else a text of 10 MB is lost, and any depth beyond 256
    try:
        tree = html.document_fromstring(_PROLOGUE.sub("", text, count=1), parser=parser)
    except (etree.ParserError, ValueError) as fault:
        raise Unreadable("empty", f"it holds no element of HTML: {fault}") from None
    if any(fault.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT for fault in parser.error_log):
        raise Unreadable("damaged", "its elements are nested deeper than any real page's")
    return tree


@dataclass
class Walk:
    """What a tree of HTML holds: its blocks in order, and how much of what nobody can be asked about was left out."""

    blocks: list[Block]
    code: int = 0
    contents: int = 0
    """Lines of a table of contents."""

    def told(self) -> list[str]:
        """What was left out."""
        code = f"{self.code} code block(s) were left out"
        contents = f"{self.contents} line(s) of a table of contents were left out"
        return [code] * bool(self.code) + [contents] * bool(self.contents)


def walked(tree: Any) -> Walk:
    """The text of a tree as a reader sees it: hidden elements, navigation and code are left out.

    Where the page says which part is its own (`main`, else one `article`), only that is read. The tree is
    walked without recursion, so that no depth of nesting can exhaust the stack.
    """
    root = _own_part(tree)
    writer = _Writer()
    skipped: Any = None
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in ("comment", "pi"):
            if skipped is None and element is not root:
                writer.take(element.tail)
        elif event == "start" and skipped is None:
            if writer.is_done_with(element, root):
                skipped = element
            else:
                writer.open(element)
        elif event == "end":
            if skipped is None:
                writer.close(element)
            if skipped is None or skipped is element:
                skipped = None
                if element is not root:
                    writer.take(element.tail)
    writer.flush()
    return writer.walk


def _own_part(tree: Any) -> Any:
    for path in ("//main|//*[@role='main']", "//article"):
        found = tree.xpath(path)
        if len(found) == 1 and len("".join(found[0].itertext()).strip()) > 200:
            return found[0]
    return tree


def _is_left_out(element: Any, root: Any) -> bool:
    if element is root:
        return False
    hidden = element.get("hidden") is not None or element.get("aria-hidden") == "true"
    if hidden or _HIDDEN.search(element.get("style", "")) or element.get("role") in _ASIDE_ROLES:
        return True
    if element.tag in {"header", "aside", "footer"} and root.tag in _WHOLE:
        return bool(element.tag == "footer")
    return bool(element.tag in _NOT_TEXT or element.tag == "pre")


def _is_contents(element: Any) -> bool:
    """A list item that is nothing but a link to another place of the same page."""
    if element.tag != "li" or (element.text or "").strip() or len(element) != 1 or (element[0].tail or "").strip():
        return False
    return bool(element[0].tag == "a" and element[0].get("href", "").startswith("#"))


class _Writer:
    """Takes text in the order of the tree and ends a block where an element does."""

    def __init__(self) -> None:
        self.walk = Walk([])
        self._text: list[str] = []
        self._kind: Kind = "prose"
        self._level = 0
        self._marker = ""
        self._lists: list[int | None] = []
        """The next number of each open list; None where its items have a bullet."""
        self._cells: list[str] = []
        self._rows = 0
        """How many rows are open: the cells of a table in a cell belong to the outer row."""

    def take(self, text: str | None) -> None:
        """Some text as it stands between two tags."""
        self._text.append(text or "")

    def is_done_with(self, element: Any, root: Any) -> bool:
        """Whether nothing inside the element is to be looked at: it is left out, or what it says is taken already."""
        if _is_left_out(element, root):
            self.walk.code += element.tag == "pre"
        elif _is_contents(element):
            self.walk.contents += 1
        elif element.tag == "sup":
            self._text.append(raised("".join(element.itertext()), "".join(self._text[-3:]).rstrip()))
        else:
            return False
        return True

    def open(self, element: Any) -> None:
        """The start of an element, with the text that follows it."""
        tag = element.tag
        if tag == "br":
            self._text.append(" ")
        elif tag not in _INLINE and not (self._rows and tag not in {"td", "th", "tr"}):
            if tag not in {"p", "div"} or not self._is_only_a_mark():
                self.flush()
            self._begin(tag, element)
        elif self._rows:
            self._text.append(" " if tag not in _INLINE else "")
        self.take(element.text)

    def _begin(self, tag: str, element: Any) -> None:
        if tag in {"ul", "ol"}:
            start = element.get("start", "1")
            self._lists.append((int(start) if start.isdecimal() and len(start) < 6 else 1) if tag == "ol" else None)
        elif tag == "li":
            self._kind = "item"
            self._marker = self._mark()
            self._text.append(f"{self._marker} ")
        elif tag in _HEADINGS:
            self._kind, self._level = "heading", int(tag[1])
        elif tag == "tr":
            self._rows += 1

    def _is_only_a_mark(self) -> bool:
        """An item has begun, and its words are in a paragraph of their own."""
        return self._kind == "item" and "".join(self._text).strip() == self._marker

    def _mark(self) -> str:
        if not self._lists or self._lists[-1] is None:
            return "•"
        self._lists[-1] += 1
        return f"{self._lists[-1] - 1}."

    def close(self, element: Any) -> None:
        """The end of an element."""
        tag = element.tag
        if tag in {"td", "th"} and self._rows == 1:
            self._cells.append(repaired("".join(self._text)).replace("|", "/"))
            self._text = []
        elif tag == "tr" and self._rows:
            self._rows -= 1
            if not self._rows:
                self._end_row()
        elif tag in {"ul", "ol"} and self._lists:
            self.flush()
            self._lists.pop()
        elif tag not in _INLINE and tag != "br" and not self._rows:
            self.flush()

    def _end_row(self) -> None:
        if any(self._cells):
            kind: Kind = "row" if len(self._cells) > 1 else "prose"  # one cell is layout, not a table
            self.walk.blocks.append(Block(kind, " | ".join(self._cells) if kind == "row" else self._cells[0]))
        self._cells, self._text = [], []

    def flush(self) -> None:
        """Ends the block under way."""
        if self._rows:
            return
        text = repaired("".join(self._text))
        if any(mark.isalnum() for mark in text):
            self.walk.blocks.append(Block(self._kind, text, self._level))
        self._text, self._kind, self._level = [], "prose", 0
