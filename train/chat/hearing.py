"""A spoken question becomes a written one, on this machine."""

from __future__ import annotations

import wave
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.errors import InputError

SECONDS = 60
BYTES = 12_000_000
"""A minute as a browser records it, in two channels at 48 kHz, and a little more."""
MODEL = "base"
MISSING = 'Speech needs faster-whisper, which is not installed. Install it with: pip install "coursework[speech]"'

Hear = Callable[[Path], str]
"""What makes a text of a sound file."""


def hears() -> bool:
    """Whether speech can be understood here."""
    return find_spec("faster_whisper") is not None


def whisper(model: str = "") -> Hear:
    """Whisper, opened when the first sound comes. A named model is fetched from the hub if it is not here.

    Without a name it is `base`, and only if it is on this machine: nobody asked for a download.
    """
    opened: list[Any] = []

    def hear(sound: Path) -> str:
        if not opened:
            opened.append(_open(model))
        pieces, _ = opened[0].transcribe(str(sound), vad_filter=False, condition_on_previous_text=False)
        return " ".join(piece.text.strip() for piece in pieces)

    return hear


def heard(sound: Path, hear: Hear) -> str:
    """The text of a recording, which is deleted however this ends.

    Raises InputError if it is no WAV, as browsers record it, or longer or larger than may be: it is
    measured before anything decodes it.
    """
    try:
        _measure(sound)
        return hear(sound).strip()
    finally:
        sound.unlink(missing_ok=True)


def _measure(sound: Path) -> None:
    if (size := sound.stat().st_size) > BYTES:
        raise InputError(f"The recording has {size:,} bytes; at most {BYTES:,} are taken.", remedy="Say less at once.")
    try:
        with wave.open(str(sound), "rb") as found:
            seconds = found.getnframes() / found.getframerate()
    except (wave.Error, EOFError, ZeroDivisionError):
        raise InputError(
            "The recording is not a WAV file.", remedy="Record it on the page, or save it as WAV."
        ) from None
    if seconds > SECONDS:
        raise InputError(
            f"The recording lasts {seconds:.0f} seconds; at most {SECONDS} are taken.", remedy="Say less at once."
        )


def _open(model: str) -> Any:
    if not hears():
        raise InputError(MISSING)
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(model or MODEL, device="cpu", compute_type="int8", local_files_only=not model)
    except (OSError, ValueError, RuntimeError) as fault:
        remedy = (
            "Check the name and the network." if model else f"Start the chat once with --speech {MODEL}: it is fetched."
        )
        raise InputError(
            f"The speech model {model or MODEL} cannot be opened: {str(fault).strip().splitlines()[0]}", remedy=remedy
        ) from fault
