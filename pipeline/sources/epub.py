"""EPUB books: the chapters in their order of reading, one page each."""

from __future__ import annotations

import posixpath
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from lxml import etree

from pipeline.sources.archives import opened, part
from pipeline.sources.blocks import Fate, Reading, ReadLimits, Unreadable
from pipeline.sources.markup import Walk, declared_in, parsed, walked
from pipeline.sources.plain import as_text

_CONTAINER = "META-INF/container.xml"
_LOCKS = "META-INF/encryption.xml"
_FONT_LOCKS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_CHAPTERS = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})


def read_epub(path: Path, limits: ReadLimits) -> Reading:
    """The book, chapter by chapter as its spine orders them; a page's number is its place there.

    Raises Unreadable if the book is locked or broken, or no chapter holds text.
    """
    with opened(path, limits) as archive:
        _refuse_locked(archive)
        chapters = _spine(archive)
        reading = Reading(reader="lxml", page_count=len(chapters), unit="chapter")
        left_out, characters, broken = Walk([]), 0, False
        for number, name in enumerate(chapters, 1):
            try:
                data = part(archive, name)
                found = walked(parsed(as_text(data, False, declared_in(data))[0]))
            except Unreadable as fault:
                reading.warnings.append(f"chapter {number} could not be read: {fault.cause}")
                broken |= fault.fate != "empty"
                continue
            left_out.code += found.code
            left_out.contents += found.contents
            characters += sum(len(block.text) for block in found.blocks)
            if found.blocks:
                reading.pages.append((number, found.blocks))
            if characters > limits.characters:
                reading.warnings.append(
                    f"only the first {number} of {len(chapters)} chapters were read: over the limit"
                )
                break
    reading.warnings += left_out.told()
    if not reading.pages:
        fate: Fate = "damaged" if broken else "empty"
        cause = "; ".join(reading.warnings) or "its chapters are pictures or have nothing in them"
        raise Unreadable(fate, f"none of its {len(chapters)} chapters holds text: {cause}", len(chapters))
    return reading


def _refuse_locked(archive: zipfile.ZipFile) -> None:
    """A book whose text, and not only its fonts, is locked by a shop opens nowhere else."""
    if _LOCKS not in archive.namelist():
        return
    methods = _tree(archive, _LOCKS).xpath("//*[local-name()='EncryptionMethod']/@Algorithm")
    if any(method not in _FONT_LOCKS for method in methods):
        raise Unreadable("encrypted", "its text is locked (DRM): it opens only in the shop's own reader")


def _spine(archive: zipfile.ZipFile) -> list[str]:
    """Names of the chapters' parts in the order of reading."""
    packages = _tree(archive, _CONTAINER).xpath("//*[local-name()='rootfile']/@full-path")
    if not packages:
        raise Unreadable("damaged", f"{_CONTAINER} names no package")
    package, folder = _tree(archive, packages[0]), posixpath.dirname(packages[0])
    items: dict[str, Any] = {item.get("id"): item for item in package.xpath("//*[local-name()='item']")}
    order = package.xpath("//*[local-name()='itemref'][not(@linear='no')]/@idref")
    chapters = [items[name] for name in order if name in items and items[name].get("media-type") in _CHAPTERS]
    names = [
        posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        for item in chapters
        if "nav" not in (item.get("properties") or "").split()
    ]
    if not names:
        raise Unreadable("damaged", "its spine names no chapter")
    return list(dict.fromkeys(names))


def _tree(archive: zipfile.ZipFile, name: str) -> Any:
    """One part as XML; entities are not followed, so that none can multiply or reach a file."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=False)
    try:
        return etree.fromstring(part(archive, name), parser)
    except etree.XMLSyntaxError as fault:
        raise Unreadable("damaged", f"its part {name} is no XML: {fault}") from None
