"""A recording becomes a question, or a sentence that says why not; the file is gone either way."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from pipeline.errors import InputError
from train.chat.hearing import BYTES, SECONDS, heard, hears, whisper


def sound(folder: Path, seconds: float, rate: int = 8000) -> Path:
    path = folder / "question.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(rate)
        file.writeframes(bytes([128, 160]) * int(seconds * rate / 2))
    return path


def never(path: Path) -> str:
    raise AssertionError("it was handed on")


def test_a_recording_is_heard_and_deleted(tmp_path: Path) -> None:
    path = sound(tmp_path, 1)
    assert heard(path, lambda found: f" {found.name} of {found.stat().st_size} bytes ") == "question.wav of 8044 bytes"
    assert not path.exists()


def test_a_recording_that_makes_the_model_fail_is_deleted_too(tmp_path: Path) -> None:
    path = sound(tmp_path, 1)
    with pytest.raises(ZeroDivisionError):
        heard(path, lambda found: str(1 // 0))
    assert not path.exists()


def test_what_is_too_long_too_large_or_no_sound_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"lasts 61 seconds; at most {SECONDS}"):
        heard(sound(tmp_path, 61), never)
    with pytest.raises(InputError, match=f"at most {BYTES:,} are taken"):
        heard(sound(tmp_path, 59, rate=300_000), never)
    for content in (b"", b"RIFF", b"ID3 a song", b"RIFF\x24\0\0\0WAVEfmt " + bytes(40)):
        path = tmp_path / "song.wav"
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a WAV"):
            heard(path, never)
        assert not path.exists()


def test_a_header_that_lies_about_its_length_does_not_help(tmp_path: Path) -> None:
    path = sound(tmp_path, 1)
    data = bytearray(path.read_bytes())
    data[40:44] = (0xFFFFFFF0).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(InputError, match="lasts"):
        heard(path, never)


def test_without_the_package_the_remedy_is_named(tmp_path: Path) -> None:
    if hears():
        pytest.skip("faster-whisper is installed here")
    with pytest.raises(InputError, match=r'pip install "coursework\[speech\]"'):
        heard(sound(tmp_path, 1), whisper())


def test_no_model_is_fetched_that_nobody_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faster_whisper", reason="speech needs coursework[speech]")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    with pytest.raises(InputError, match="--speech base"):
        heard(sound(tmp_path, 1), whisper())
