"""The child's side of reading one file: sets its own limits, reads, and answers in JSON on its output."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from pipeline.sources.blocks import READ, Progress, Reading, ReadLimits, ReadOptions, Stopped, Unreadable
from pipeline.sources.guard import guarded

_READERS = {
    "pdf": ("pdf", "read_pdf"),
    "markdown": ("markdown", "read_markdown"),
    "text": ("plain", "read_text"),
    "html": ("markup", "read_html"),
    "docx": ("word", "read_docx"),
    "epub": ("epub", "read_epub"),
    "csv": ("csv_pairs", "read_csv"),
    "json": ("json_pairs", "read_json"),
}
"""Format to module and function."""


def main() -> None:
    """Reads the job from standard input and writes the answer where standard output was.

    Standard output itself is pointed at standard error first, so that nothing a library prints can be
    taken for the answer.
    """
    job = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logging.disable(logging.CRITICAL)  # pypdf tells of each oddity it steps over; our warnings name the pages
    limits = ReadLimits(**job["limits"])
    _limit_myself(limits, Path(job["path"]).stat().st_size)

    def tell(progress: bytes) -> None:
        answer.write(progress.decode())
        answer.flush()

    json.dump(_answer(job, limits, tell), answer, ensure_ascii=False)
    answer.close()


def _limit_myself(limits: ReadLimits, size: int) -> None:
    """Memory, processor time and written bytes, as far as the system offers such limits.

    The clock is the parent's to watch; processor time is limited should it be there no longer.
    """
    try:
        import resource
    except ImportError:
        return
    seconds = math.ceil(limits.allowed(READ * limits.pages, size)) + 1
    wanted = (
        (resource.RLIMIT_AS, limits.memory_mib * 1024 * 1024),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, 1024 * 1024),
        (resource.RLIMIT_CORE, 0),
    )
    for kind, value in wanted:
        try:
            resource.setrlimit(kind, (value, value))
        except (ValueError, OSError):
            continue  # the system knows no such limit or has a lower one; the parent still watches the clock


def _answer(job: dict[str, Any], limits: ReadLimits, tell: Progress) -> dict[str, Any]:
    try:
        reading = _read(job, limits, tell)
    except Unreadable as fault:
        return _refused(fault)
    except MemoryError:
        return _refused(Stopped("unsupported", f"reading it took more than {limits.memory_mib} MiB of memory"))
    except RecursionError:
        return _refused(Unreadable("damaged", "its parts are nested deeper than any real document's"))
    except OSError as fault:
        return _refused(Unreadable("damaged", f"it cannot be read from the disk: {fault.strerror or fault}"))
    pages = [[number, [[block.kind, block.text, block.level] for block in blocks]] for number, blocks in reading.pages]
    return {
        "pages": pages,
        "warnings": reading.warnings,
        "reader": reading.reader or job["format"],
        "page_count": reading.page_count,
        "unit": reading.unit,
    }


def _refused(fault: Unreadable) -> dict[str, Any]:
    stopped = isinstance(fault, Stopped)
    return {"fate": fault.fate, "cause": fault.cause, "page_count": fault.page_count, "stopped": stopped}


def _read(job: dict[str, Any], limits: ReadLimits, tell: Progress) -> Reading:
    """One reader per format, imported only when its format is met."""
    module, name = _READERS[job["format"]]
    reader = getattr(import_module(f"pipeline.sources.{module}"), name)
    path, options = Path(job["path"]), ReadOptions(**job["options"])
    pdf = job["format"] == "pdf"
    found = reader(path, limits, options, job["password"], tell) if pdf else reader(path, limits)
    return guarded(found, options.personal_data)
