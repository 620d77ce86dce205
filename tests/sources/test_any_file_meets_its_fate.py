"""Whatever a file is, it ends as read or with a cause, soon, and nothing beside it is touched or told."""

from __future__ import annotations

import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources import Document, ReadLimits, read_document
from pipeline.sources.passages import cut_passages
from tests.sources import nasty_files
from tests.sources.nasty_files import EVERY, SECRET, SEEN, SELDOM


@pytest.mark.parametrize(
    "nasty",
    [pytest.param(one, id=one.name[:40], marks=[pytest.mark.slow] if one.name in SELDOM else []) for one in EVERY],
)
def test_a_file_made_to_hurt_meets_its_fate(tmp_path, nasty):
    folder = tmp_path / "inner" / "documents"
    folder.mkdir(parents=True)
    beside = [tmp_path / "secret.txt", tmp_path / "inner" / "secret.txt", folder / "secret.txt"]
    for path in beside:
        path.write_text(SECRET)
    path = folder / nasty.name
    nasty.made(path)
    before = {one: (one.lstat().st_size, one.lstat().st_mtime_ns) for one in tmp_path.rglob("*")}
    begun = time.monotonic()
    found = read_document(path, nasty.name, ReadLimits(seconds=20, memory_mib=600))
    if isinstance(found, Document):
        fate, told = "read", " ".join(found.warnings)
        assert any(mark.isalpha() for mark in found.text)
        assert SECRET not in found.text
        assert "root:" not in found.text
        assert cut_passages(found, 200)
    else:
        fate, told = found.fate, found.cause
        assert len(found.cause) > 10
        assert found.cause.isprintable()
    assert fate in nasty.fates, told
    assert nasty.says in told
    assert time.monotonic() - begun < 30
    assert before == {one: (one.lstat().st_size, one.lstat().st_mtime_ns) for one in tmp_path.rglob("*")}


def good_files(folder):
    """One sound file of each format, small enough that damage hits what matters."""
    made = {
        "a.pdf": nasty_files.written(nasty_files.prose_pages(2)),
        "b.pdf": nasty_files.written(nasty_files.page_of(zlib.compress(nasty_files.shown()), b"/Filter /FlateDecode")),
        "c.docx": nasty_files.word(),
        "d.epub": nasty_files.book(),
        "e.html": nasty_files.written(f"<html><body><h1>Wait</h1><p>{SEEN}</p><table><tr><td>1</table></body></html>"),
        "f.md": nasty_files.written(f"# Wait\n\n- {SEEN}\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"),
        "g.csv": nasty_files.written(f'question,answer\nWho waits?,"{SEEN}"\n'),
        "h.jsonl": nasty_files.written('{"question": "Who waits?", "answer": "Listeners."}\n' * 3),
        "i.txt": nasty_files.written(f"WAITING\n\n{SEEN}\n"),
    }
    for name, make in made.items():
        make(folder / name)
    return {name: (folder / name).read_bytes() for name in made}


BLOW = st.tuples(
    st.sampled_from(["overwrite", "insert", "delete", "repeat", "cut"]),
    st.floats(0, 1),
    st.binary(min_size=1, max_size=24) | st.sampled_from([b"\0" * 20, b"<<", b"9" * 20, b"endobj", b'"', b"\xff\xfe"]),
)


def struck(data, blows):
    """The bytes after each blow: what it does, where (as a share of the file), and with which bytes."""
    for what, share, noise in blows:
        place = int(share * len(data))
        before, after = data[:place], data[place:]
        data = {
            "overwrite": before + noise + after[len(noise) :],
            "insert": before + noise + after,
            "delete": before + after[len(noise) :],
            "repeat": before + after[: 8 * len(noise)] * 5 + after,
            "cut": before,
        }[what]
    return data


def check_damaged(tmp_path_factory, name, blows):
    folder = tmp_path_factory.mktemp("struck")
    path = folder / name
    path.write_bytes(struck(good_files(folder)[name], blows))
    begun = time.monotonic()
    found = read_document(path, name, ReadLimits(seconds=20, memory_mib=600))
    assert time.monotonic() - begun < 30
    if isinstance(found, Document):
        assert any(mark.isalnum() for mark in found.text)
        assert found.text.encode()
        assert cut_passages(found, 200)
    else:
        assert len(found.cause) > 10
        assert found.cause.isprintable()


NAMES = st.sampled_from(["a.pdf", "b.pdf", "c.docx", "d.epub", "e.html", "f.md", "g.csv", "h.jsonl", "i.txt"])


@settings(max_examples=6, deadline=None)
@given(name=NAMES, blows=st.lists(BLOW, min_size=1, max_size=4))
def test_no_damage_to_a_good_file_makes_reading_it_raise_or_lie(tmp_path_factory, name, blows):
    check_damaged(tmp_path_factory, name, blows)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(name=NAMES, blows=st.lists(BLOW, min_size=1, max_size=6))
def test_nor_does_any_damage_of_many(tmp_path_factory, name, blows):
    check_damaged(tmp_path_factory, name, blows)
