"""The pages of a PDF as pypdf reads them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pypdf import PageObject, PdfReader
from pypdf.generic import DictionaryObject

from pipeline.sources.blocks import Unreadable
from pipeline.sources.layout import PageText
from pipeline.sources.pen import fragments_of


class PypdfPages:
    """An open PDF. Raises Unreadable where it is locked, and whatever pypdf does where it is broken."""

    name = "pypdf"

    def __init__(self, path: Path, password: str | None) -> None:
        try:
            self._reader = PdfReader(path)
            locked = self._reader.is_encrypted and not self._opens(password)
        except NotImplementedError as fault:
            raise Unreadable("encrypted", f"it is locked in a way that cannot be opened: {fault}") from None
        if locked:
            cause = "the password given does not open it" if password else "it opens only with a password"
            raise Unreadable("encrypted", cause)
        self.count = len(self._reader.pages)

    def _opens(self, password: str | None) -> bool:
        return bool(self._reader.decrypt("") or (password and self._reader.decrypt(password)))

    def page(self, number: int) -> PageText:
        """One page, counted from 1."""
        page = self._reader.pages[number - 1]
        box = page.cropbox
        edges = (float(box.left), float(box.bottom), float(box.right), float(box.top))
        return PageText(fragments_of(page), edges)

    def holds_picture(self, number: int) -> bool:
        """Whether an image stands on the page, itself or inside a form."""
        return _holds_image(self._reader.pages[number - 1])


def has_cyclic_pages(path: Path) -> bool:
    """Whether the page tree comes back on itself, as pypdf sees it; False where pypdf cannot tell."""
    try:
        root: Any = PdfReader(path).root_object
        waiting: list[tuple[Any, bool]] = [(root.raw_get("/Pages"), False)]
        above: set[int] = set()
        done: set[int] = set()
        while waiting:
            reference, is_left = waiting.pop()
            name = getattr(reference, "idnum", id(reference))
            if is_left:
                above.discard(name)
                done.add(name)
            elif name in above:
                return True
            elif name not in done:
                above.add(name)
                waiting.append((reference, True))
                waiting += [(kid, False) for kid in reference.get_object().get("/Kids", [])]
    except Exception:  # noqa: BLE001 - a second opinion on a file that has a first one already
        return False
    return False


def _holds_image(page: PageObject) -> bool:
    return any(_images_in(page.get("/Resources"), depth=3))


def _images_in(resources: Any, depth: int) -> Iterator[bool]:
    resources = resources.get_object() if resources is not None else None
    objects = resources.get("/XObject") if isinstance(resources, DictionaryObject) else None
    objects = objects.get_object() if objects is not None else None
    for reference in objects.values() if isinstance(objects, DictionaryObject) else ():
        inner = reference.get_object()
        if isinstance(inner, DictionaryObject):
            yield inner.get("/Subtype") == "/Image"
            if depth and inner.get("/Subtype") == "/Form":
                yield from _images_in(inner.get("/Resources"), depth - 1)
