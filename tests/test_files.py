"""Files appear whole, change only if their content does, and are read line by line whatever one line holds."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from pipeline.files import BadLine, Writing, json_line, read_json_lines, sha256, write_folder, write_whole

chunks = st.lists(st.binary(max_size=30), max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@settings(deadline=None, max_examples=50)
@given(st.none() | st.binary(max_size=60), chunks)
def test_a_file_holds_what_was_written_and_is_left_alone_if_it_held_that_before(folder, old, new):
    path, content = folder / "a", b"".join(new)
    path.unlink(missing_ok=True)
    if old is not None:
        path.write_bytes(old)
    with Writing(path) as file:
        for chunk in new:
            file.write(chunk)
        assert (path.read_bytes() if path.exists() else None) == old
        assert file.finish() is (old != content)
        assert file.sha256 == sha256(content)
    assert path.read_bytes() == content
    assert [found.name for found in folder.iterdir()] == ["a"]


@settings(deadline=None, max_examples=50)
@given(chunks, chunks)
def test_a_longer_common_beginning_than_the_new_file_has_changes_nothing_of_that(folder, common, tail):
    path = folder / "a"
    path.write_bytes(b"".join(common + tail))
    assert write_whole(path, b"".join(common)) is bool(b"".join(tail))
    assert path.read_bytes() == b"".join(common)


def test_what_is_not_finished_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError), Writing(path) as file:
        file.write(b"new")
        raise RuntimeError
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["a"]


def test_a_folder_is_told_the_hashes_of_what_was_streamed_and_loses_what_is_not_named(tmp_path):
    (tmp_path / "stray").write_text("stray")
    told = {}

    def closing(hashes):
        told.update(hashes)
        return {"last": b"l", "more": b"m"}

    streamed = [("b", b"1"), ("a", b"2"), ("b", b"3")]
    assert write_folder(tmp_path, iter(streamed), closing, "last") is True
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "a": b"2", "b": b"13", "last": b"l", "more": b"m",
    }  # fmt: skip
    assert told == {"a": hashlib.sha256(b"2").hexdigest(), "b": hashlib.sha256(b"13").hexdigest()}
    assert write_folder(tmp_path, iter(streamed), closing, "last") is False


class Pair(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    number: int = 0


pairs = st.builds(Pair, name=st.text(st.characters(exclude_categories=["Cs"])), number=st.integers(-(10**9), 10**9))
GOOD = b'{"name": "x", "number": 1}'
BAD = [
    b"{", b"[1]", b"nonsense", b'{"name": 1}', b'{"number": 1}', b'{"name": "x", "more": 1}', b'{"name": "\xff"}',
    b'{"name": "x"} {"name": "y"}', b'{"name": "\\ud83d"}', b"[" * 5000, b"\x00\x00", b'{"name": NaN}',
]  # fmt: skip


@settings(deadline=None, max_examples=50)
@given(st.lists(pairs, max_size=8))
def test_what_was_written_as_lines_is_read_as_it_was(folder, some):
    path = folder / "lines"
    path.write_bytes(b"".join(map(json_line, some)))
    assert list(read_json_lines(path, Pair)) == list(enumerate(some, 1))
    path.unlink()


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_line_is_told_in_its_place_and_the_others_go_on(tmp_path, bad):
    path = tmp_path / "lines"
    path.write_bytes(GOOD + b"\n" + bad + b"\n" + GOOD)
    first, second, third = read_json_lines(path, Pair)
    assert first == (1, Pair(name="x", number=1))
    assert isinstance(second, BadLine)
    assert second.number == 2
    assert second.fault.endswith(".")
    assert third == (3, Pair(name="x", number=1))


def test_what_editors_leave_behind_is_no_fault(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD + b"\r\n\r\n  \n" + '{"name": "a\u2028b"}\n'.encode())
    assert list(read_json_lines(path, Pair)) == [(1, Pair(name="x", number=1)), (4, Pair(name="a\u2028b"))]


def test_a_torn_last_line_is_told(tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(GOOD + b"\n" + GOOD[:-5])
    assert [isinstance(found, BadLine) for found in read_json_lines(path, Pair)] == [False, True]
