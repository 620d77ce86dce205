"""Markdown files: headings, paragraphs, list items and table rows without their markup."""

from __future__ import annotations

import html
import re
from pathlib import Path

from pipeline.sources.blocks import Block, Kind, Reading, ReadLimits
from pipeline.sources.clean import joined, repaired, vocabulary
from pipeline.sources.plain import decoded

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n.*?\n(?:---|\.\.\.)[ \t]*\n", re.S)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$")
_ITEM = re.compile(r"[ \t]*(?:([-*+])|(\d{1,9})[.)])[ \t]+(?=\S)")
_DIVIDER = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_DEFINITION = re.compile(r" {0,3}\[[^\]\n]+\]:[ \t]*\S+")
_IMAGE = re.compile(r"!\[[^\]]*\](?:\([^)\s]*(?:[ \t]+\"[^\"]*\")?\)|\[[^\]]*\])")
_LINK = re.compile(r"\[([^\]]*)\](?:\((?:[^()\s]|\([^()\s]*\))*(?:[ \t]+\"[^\"]*\")?\)|\[[^\]]*\])")
_NOTE = re.compile(r"\[\^[^\]]+\]:?")
_AUTOLINK = re.compile(r"<((?:https?|mailto):[^>\s]+)>")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_STRONG = re.compile(r"(\*\*|__|~~)(?=\S)(.+?)(?<=\S)\1")
_EMPHASIS = re.compile(
    r"(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])|(?<![\w_])_(?=[^\s_])([^_]+?)(?<=[^\s_])_(?!\w)"
)
_CODE = re.compile(r"(`+)(.+?)\1")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def read_markdown(path: Path, limits: ReadLimits) -> Reading:
    """A Markdown file as one page of blocks; code blocks are left out, for nobody can be asked about them."""
    text, warnings = decoded(path, limits)
    text = _COMMENT.sub("", _FRONT_MATTER.sub("", text))
    parser = _Parser()
    for line in text.split("\n"):
        parser.take(line.expandtabs(4))
    parser.close()
    if parser.code:
        warnings.append(f"{parser.code} code block(s) were left out")
    words = vocabulary(line for _, lines, _ in parser.runs for line in lines)
    blocks = [Block(kind, joined(lines, words), level) for kind, lines, level in parser.runs]
    blocks = [block for block in blocks if block.text]
    return Reading([(1, blocks)] if blocks else [], warnings)


class _Parser:
    """Takes line after line; `runs` holds (kind, lines, heading level) of each block met so far."""

    def __init__(self) -> None:
        self.runs: list[tuple[Kind, list[str], int]] = []
        self.code = 0
        self._fence = ""
        self._open = False
        self._in_code = False
        self._in_table = False

    def take(self, line: str) -> None:
        """The next line of the file."""
        if self._fence:
            self._fence = "" if line.strip().startswith(self._fence) and not line.strip(" `~") else self._fence
            return
        line = re.sub(r"^ {0,3}(?:> ?)+", "", line)
        if not line.strip():
            self._open = self._in_table = False
        elif not (self._takes_code(line) or self._takes_structure(line)):
            self._takes_text(line)

    def close(self) -> None:
        """After the last line: mends the text of each block."""
        self.runs = [(kind, [plain(line) for line in lines], level) for kind, lines, level in self.runs]

    def _takes_code(self, line: str) -> bool:
        fence = _FENCE.match(line)
        indented = line.startswith("    ") and not self._open and not _ITEM.match(line)
        if fence:
            self._fence = fence.group(1)
        if (fence or indented) and not self._in_code:
            self.code += 1
        self._in_code = indented
        return bool(fence) or indented

    def _takes_structure(self, line: str) -> bool:
        heading = _HEADING.match(line)
        underline = _UNDERLINE.match(line)
        if heading:
            self._add("heading", heading.group(2) or "", len(heading.group(1)))
        elif self._open and underline and self.runs[-1][0] == "prose":
            self.runs[-1] = ("heading", self.runs[-1][1], 1 if "=" in underline.group(1) else 2)
        elif self._open and "|" in line and _DIVIDER.match(line) and "|" in self.runs[-1][1][-1]:
            header = self.runs[-1][1].pop()
            self._add("row", _cells(header))
            self._in_table = True
            return True
        elif self._in_table and "|" in line:
            self._add("row", _cells(line))
        elif not (_RULE.match(line) or _DEFINITION.match(line)):
            return False
        self._open = False
        return True

    def _takes_text(self, line: str) -> None:
        item = _ITEM.match(line)
        if item:
            mark = "•" if item.group(1) else f"{item.group(2)}."
            self._add("item", f"{mark} {line[item.end() :]}")
        elif self._open:
            self.runs[-1][1].append(line)
        elif line.startswith(" ") and self.runs and self.runs[-1][0] == "item":
            self._add("prose", line)  # a second paragraph of the item
        else:
            self._add("prose", line)
        self._open = True

    def _add(self, kind: Kind, line: str, level: int = 0) -> None:
        self.runs.append((kind, [line], level))


def plain(line: str) -> str:
    """One line without its inline markup: links and emphasis leave their words, pictures leave nothing."""
    codes: list[str] = []

    def kept(match: re.Match[str]) -> str:
        codes.append(match.group(2).strip())
        return f"\ue000{len(codes) - 1}\ue001"

    text = _CODE.sub(kept, line)
    text = _NOTE.sub("", _LINK.sub(r"\1", _IMAGE.sub("", text)))
    text = _TAG.sub("", _AUTOLINK.sub(r"\1", text))
    for _ in range(2):  # bold inside italics, and the other way round
        text = _STRONG.sub(r"\2", text)
        text = _EMPHASIS.sub(lambda match: match.group(1) or match.group(2), text)
    text = html.unescape(_ESCAPE.sub(r"\1", text))
    text = re.sub("\ue000(\\d+)\ue001", lambda match: codes[int(match.group(1))], text)
    return repaired(text)


def _cells(line: str) -> str:
    inner = line.strip().removeprefix("|").removesuffix("|")
    return " | ".join(cell.strip().replace("\\|", "/") for cell in re.split(r"(?<!\\)\|", inner))
