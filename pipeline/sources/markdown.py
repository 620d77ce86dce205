"""Markdown files: markdown-it-py parses them, and its tokens become headings, paragraphs, items and table rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

from pipeline.sources.blocks import Block, Kind, Reading, ReadLimits, Unreadable
from pipeline.sources.clean import joined, raised, repaired, vocabulary
from pipeline.sources.markup import parsed, walked
from pipeline.sources.plain import decoded

_DEEPEST = 10_000
"""Whatever is nested deeper than this is left out in silence; Python's own limit comes first, and is told."""
_LINE_ENDS = frozenset({"softbreak", "hardbreak"})
_CODE = frozenset({"fence", "code_block"})
_BREAK_TAG = re.compile(r"<br\b", re.I)
_RAISES, _RAISED = re.compile(r"<sup\b", re.I), re.compile(r"</sup\b", re.I)
_LOST_NOTE = re.compile(r"\[\^[^\]\s]{1,40}\]")
"""The mark of a note that the file does not hold."""


def read_markdown(path: Path, limits: ReadLimits) -> Reading:
    """A Markdown file as one page of blocks; code and footnotes are left out, for nobody can be asked about them."""
    text, warnings = decoded(path, limits)
    writer = _Writer()
    for token in _parser().parse(text):
        writer.take(token)
    warnings += [f"{count} {what} left out" for what, count in writer.left_out.items() if count]
    words = vocabulary(line for _, lines, _ in writer.runs for line in lines)
    blocks = [Block(kind, joined(lines, words), level) for kind, lines, level in writer.runs]
    blocks = [block for block in blocks if any(map(str.isalnum, block.text))]
    return Reading([(1, blocks)] if blocks else [], warnings, "markdown-it-py")


def _parser() -> MarkdownIt:
    """CommonMark with what people write beside it: tables, strikethrough, task lists, footnotes, front matter."""
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST}).enable(["table", "strikethrough"])
    return parser.use(front_matter_plugin).use(footnote_plugin).use(tasklists_plugin)


class _Writer:
    """Takes token after token; `runs` holds (kind, lines, heading level) of each block met so far."""

    def __init__(self) -> None:
        self.runs: list[tuple[Kind, list[str], int]] = []
        self.left_out = dict.fromkeys(
            ("code block(s) were", "footnote(s) were", "line(s) of a table of contents were"), 0
        )
        self._lists: list[int | None] = []
        """The next number of each open list; None where its items have a bullet."""
        self._mark = ""
        """Of an item whose words have not come yet."""
        self._level = 0
        """Of the heading that is open."""
        self._cells: list[str] | None = None
        """Of the row that is open."""
        self._in_notes = False

    def take(self, token: Token) -> None:
        """The next token of the file, without those inside an inline one."""
        if token.type in {"footnote_block_open", "footnote_block_close"}:
            self._in_notes = token.nesting == 1
        elif token.type == "footnote_open":
            self.left_out["footnote(s) were"] += 1
        elif self._in_notes:
            return
        elif token.type in _CODE:
            self.left_out["code block(s) were"] += 1
        elif token.type == "html_block":
            self.runs += _blocks_of_html(token.content)
        elif token.type == "inline":
            self._take_words(token.children or [])
        else:
            self._take_frame(token)

    def _take_frame(self, token: Token) -> None:
        """What opens or closes a heading, a list, an item or a row."""
        name, _, side = token.type.rpartition("_")
        opens = side == "open"
        if name == "heading":
            self._level = int(token.tag[1]) if opens else 0
        elif name in {"bullet_list", "ordered_list"} and opens:
            self._lists.append(int(token.attrs.get("start", 1)) if name == "ordered_list" else None)
        elif name in {"bullet_list", "ordered_list"}:
            self._lists.pop()
        elif name == "list_item":
            self._mark = self._next_mark() if opens else ""
        elif name == "tr" and opens:
            self._cells = []
        elif name == "tr" and self._cells is not None:
            self.runs.append(("row" if len(self._cells) > 1 else "prose", [" | ".join(self._cells)], 0))
            self._cells = None

    def _next_mark(self) -> str:
        number = self._lists[-1]
        if number is None:
            return "•"
        self._lists[-1] = number + 1
        return f"{number}."

    def _take_words(self, children: Sequence[Token]) -> None:
        lines = [repaired(line) for line in _words(children).split("\n")]
        if self._cells is not None:
            self._cells.append(" ".join(lines).replace("|", "/"))
        elif self._level:
            self.runs.append(("heading", lines, self._level))
        elif self._mark and _is_contents(children):
            self.left_out["line(s) of a table of contents were"] += 1
        elif self._mark:
            self.runs.append(("item", [f"{self._mark} {lines[0]}", *lines[1:]], 0))
            self._mark = ""
        else:
            self.runs.append(("prose", lines, 0))


def _words(children: Sequence[Token]) -> str:
    """Text without its markup: links and emphasis leave their words, pictures and tags leave nothing."""
    text = ""
    above: list[str] | None = None
    """What stands above the line."""
    ends = [place for place, child in enumerate(children) if _is_tag(child, _RAISED)]
    for place, child in enumerate(children):
        if _is_tag(child, _RAISES):
            above = [] if ends and place < ends[-1] else None
        elif _is_tag(child, _RAISED) and above is not None:
            text, above = text + raised("".join(above), text), None
        elif above is not None:
            above.append(child.content)
        else:
            text += _shown(child)
    return text


def _is_tag(child: Token, tag: re.Pattern[str]) -> bool:
    return child.type == "html_inline" and tag.match(child.content) is not None


def _shown(child: Token) -> str:
    if child.type == "html_inline":
        return " " if _BREAK_TAG.match(child.content) else ""
    if child.type in _LINE_ENDS:
        return "\n"
    if child.type == "text":
        return _LOST_NOTE.sub("", child.content)
    return child.content if child.type == "code_inline" else ""


def _is_contents(children: Sequence[Token]) -> bool:
    """An item that is nothing but a link to another place of the same file."""
    shown = [child for child in children if child.type not in {"text", "softbreak"} or child.content.strip()]
    return (
        len(shown) > 2
        and shown[0].type == "link_open"
        and shown[-1].type == "link_close"
        and sum(child.type == "link_open" for child in shown) == 1
        and str(shown[0].attrs.get("href", "")).startswith("#")
    )


def _blocks_of_html(content: str) -> Iterator[tuple[Kind, list[str], int]]:
    """The blocks of a stretch of HTML, however much of a page it is."""
    try:
        found = walked(parsed(content))
    except Unreadable:
        return  # a comment, or an end tag whose beginning stands further up
    for block in found.blocks:
        yield block.kind, [block.text], block.level
