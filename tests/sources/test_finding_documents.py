"""Which files a recipe's patterns name."""

from __future__ import annotations

import pytest

from pipeline.errors import InputError
from pipeline.sources import find_documents


@pytest.fixture
def base(tmp_path):
    for name in ("b.md", "a.txt", "deep/er/c.PDF", "deep/skip.png", "deep/.hidden.md", ".git/d.md", "odd.odt"):
        path = tmp_path / "base" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")
    return tmp_path / "base"


def names(base, *patterns):
    return [path.relative_to(base).as_posix() for path in find_documents(patterns, base)]


def test_a_folder_gives_all_readable_files_below_it_but_hidden_ones(base):
    assert names(base, ".") == ["a.txt", "b.md", "deep/er/c.PDF"]


def test_a_glob_gives_readable_files(base):
    assert names(base, "*.md") == ["b.md"]
    assert names(base, "**/*") == ["a.txt", "b.md", "deep/er/c.PDF"]
    assert names(base, "deep/*/c.*") == ["deep/er/c.PDF"]


def test_json_is_taken_where_it_is_meant_for_in_a_folder_it_is_some_programs_settings(base):
    for name in ("pairs.jsonl", "pairs.csv", "package.json"):
        (base / name).write_text("x", encoding="utf-8")
    assert names(base, ".") == ["a.txt", "b.md", "deep/er/c.PDF", "pairs.csv", "pairs.jsonl"]
    assert names(base, "*.json") == names(base, "package.json") == ["package.json"]


def test_the_order_depends_on_names_and_each_file_comes_once(base):
    assert names(base, "b.md", "a.txt", "*.txt", ".") == ["a.txt", "b.md", "deep/er/c.PDF"]


def test_a_file_named_outright_is_taken_so_that_its_fate_is_told(base):
    assert names(base, "odd.odt") == ["odd.odt"]


@pytest.mark.parametrize("pattern", ["absent.pdf", "*.odt", "deep/*.md", "a\0b"])
def test_a_pattern_that_gives_nothing_is_an_error_that_names_it(base, pattern):
    with pytest.raises(InputError) as fault:
        find_documents(["b.md", pattern], base)
    assert repr(pattern) in str(fault.value)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(base, tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "s.md").write_text("x", encoding="utf-8")
    (base / "deep" / "out").symlink_to(tmp_path / "secret")
    (base / "deep" / "out.md").symlink_to(tmp_path / "secret" / "s.md")
    (base / "deep" / "loop").symlink_to(base / "deep")
    (base / "deep" / "inside.md").symlink_to(base / "deep" / "er" / "c.PDF")
    assert names(base, "deep") == ["deep/er/c.PDF"] or names(base, "deep") == ["deep/inside.md"]
    assert len(names(base, "deep/**/*")) == 1


def test_an_absolute_path_is_taken_as_it_is(base):
    assert find_documents([str(base / "b.md"), str(base / "*.txt")], base.parent) == [base / "a.txt", base / "b.md"]
