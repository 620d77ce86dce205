"""What waits in a spool comes back as it went in, and leaves nothing behind."""

from __future__ import annotations

import os
import resource
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.drafted import spool_of_items
from pipeline.errors import CannotWrite
from pipeline.records import Draft, Rejection
from tests.conftest import ROOT

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
drafts = st.builds(Draft, kind=st.just("document"), question=texts, answer=texts, quote=texts, request=texts)
rejections = st.builds(Rejection, cause=texts, detail=texts, kind=texts, question=texts, request=texts)
blocks = st.lists(st.lists(drafts | rejections, max_size=5), max_size=6)


@settings(deadline=None, max_examples=50)
@given(blocks, st.randoms(use_true_random=False))
def test_items_come_back_equal_as_often_as_wanted_and_block_by_block_in_any_order(tmp_path_factory, some, dice):
    with spool_of_items(tmp_path_factory.getbasetemp()) as spool:
        for block in some:
            spool.add(block)
        whole = [item for block in some for item in block]
        assert list(spool) == list(spool) == whole
        order = list(range(spool.blocks))
        dice.shuffle(order)
        assert list(spool.read(order)) == [item for number in order for item in some[number]]


def test_what_is_read_does_not_mind_what_is_added_or_read_meanwhile(tmp_path):
    first, second = ([Draft(kind="document", question=name, answer="", request="r")] for name in "ab")
    with spool_of_items(tmp_path) as spool:
        spool.add(first)
        reading = iter(spool)
        spool.add(second)
        assert list(spool) == first + second
        assert next(reading) == first[0]


def test_a_killed_process_leaves_no_spool(tmp_path):
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom pipeline.drafted import spool_of_items\n"
        "spool = spool_of_items(Path(sys.argv[1]))\nspool.add([])\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, timeout=60, check=False)
    assert done.returncode < 0
    assert list(tmp_path.iterdir()) == []


def test_a_spool_that_finds_no_room_names_its_folder(tmp_path):
    draft = Draft(kind="document", question=os.urandom(100_000).hex(), answer="", request="r")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with spool_of_items(tmp_path) as spool:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
        try:
            with pytest.raises(CannotWrite, match=f"{tmp_path}: File too large"):
                spool.add([draft])
                list(spool)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
