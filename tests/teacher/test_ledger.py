"""What was committed is kept, whoever dies; one process holds the ledger at a time."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import CannotWrite, InputError, TryAgainLater
from pipeline.teacher.audit import audit
from pipeline.teacher.batches import Jobs
from pipeline.teacher.ledger import Cost, Failure, Ledger
from pipeline.teacher.request import Reply, Request


def request(number: int) -> Request:
    return Request("kind", "model", "system", f"user {number}", {"type": "object"}, 0.5, 100)


def reply(one: Request, body: str = "{}") -> Reply:
    return Reply(one.key, body, "teacher", 10, 20)


PAID = Cost(30, 0.25)
UNPRICED = Cost(30, None)


def test_a_reply_is_kept_byte_for_byte_and_the_first_one_stays(tmp_path):
    one = request(1)
    with Ledger(tmp_path) as ledger:
        ledger.enlist([one])
        ledger.commit([(reply(one, '{"a":  "ü\\u2028\\ud800"}'), PAID)])
        ledger.commit([(reply(one, "another"), PAID)])
    with Ledger(tmp_path) as ledger:
        assert ledger.get(one.key) == reply(one, '{"a":  "ü\\u2028\\ud800"}')
        assert ledger.spent().usd == 0.25


@settings(deadline=None, max_examples=30)
@given(st.text())
def test_any_text_survives_the_ledger(body):
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder)) as ledger:
        one = request(1)
        ledger.enlist([one])
        ledger.commit([(reply(one, body), UNPRICED)])
        assert ledger.get(one.key).body == body


def test_requests_keep_their_first_place_for_ever(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.enlist([request(2), request(1)])
        ledger.enlist([request(3), request(1), request(2)])
        places = [ledger.place(request(number).key) for number in (2, 1, 3)]
    assert places == sorted(places)


def test_what_is_spent_says_what_has_no_known_price(tmp_path):
    with Ledger(tmp_path) as ledger:
        ledger.enlist([request(1), request(2), request(3)])
        ledger.commit([(reply(request(1)), PAID), (reply(request(2)), UNPRICED)])
        ledger.note_failures([Failure(request(3).key, "too_slow", "no reply")])
        assert ledger.spent() == (2, 60, 0.25, 1)


def test_a_reservation_is_charged_until_it_is_settled_or_released(tmp_path):
    worst = Cost(1000, 2.0)
    with Ledger(tmp_path) as ledger:
        ledger.enlist([request(1), request(2), request(3)], [worst] * 3)
        assert ledger.spent() == (3, 3000, 6.0, 0)
        ledger.commit([(reply(request(1)), PAID)])
        ledger.release([request(2).key])
        assert ledger.spent() == (2, 1030, 2.25, 0)


def test_what_a_dead_process_had_reserved_stays_charged(tmp_path):
    worst = Cost(1000, 2.0)
    Ledger(tmp_path).close()
    with Ledger(tmp_path) as ledger:
        ledger.enlist([request(1)], [worst])
    with Ledger(tmp_path) as ledger:
        ledger.enlist([request(1)], [worst])
        ledger.commit([(reply(request(1)), PAID)])
        assert ledger.spent() == (2, 1030, 2.25, 0)


def test_spending_is_counted_from_a_moment_on(tmp_path):
    clock = iter([100.0, 100.0, 200.0, 200.0])
    with Ledger(tmp_path, lambda: next(clock)) as ledger:
        ledger.enlist([request(1)])
        ledger.commit([(reply(request(1)), PAID)])
        ledger.enlist([request(2)])
        ledger.commit([(reply(request(2)), PAID)])
        assert ledger.spent(150.0).usd == 0.25
        assert ledger.spent().usd == 0.5


def test_a_reworded_request_is_known_by_its_subject(tmp_path):
    old = Request("kind", "model", "system", "old wording", {}, 0.5, 100, subject="p1")
    with Ledger(tmp_path) as ledger:
        ledger.enlist([old])
        assert ledger.answered_before("kind", "p1") is None
        ledger.commit([(reply(old), PAID)])
        assert ledger.answered_before("kind", "p1") == old.key
        assert ledger.answered_before("kind", "p2") is None


def test_a_second_process_is_told_who_holds_the_ledger(tmp_path):
    with Ledger(tmp_path), pytest.raises(TryAgainLater, match=f"in use by process {os.getpid()} since 20"):
        Ledger(tmp_path)
    Ledger(tmp_path).close()


def test_a_holder_that_has_not_signed_yet_is_waited_for_and_an_earlier_one_is_not_named(tmp_path):
    with Ledger(tmp_path):
        lock = tmp_path / "ledger.lock"
        signed = lock.read_text()
        lock.write_text("process 1 since 1999-01-01T00:00:00+00:00")
        later = threading.Timer(0.1, lock.write_text, [signed])
        later.start()
        with pytest.raises(TryAgainLater, match=f"in use by {re.escape(signed)}"):
            Ledger(tmp_path)


def test_the_lock_dies_with_a_killed_process_and_its_commits_live(tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom pipeline.teacher.ledger import Cost, Ledger\n"
        "from tests.teacher.test_ledger import reply, request\n"
        "ledger = Ledger(Path(sys.argv[1]))\nledger.enlist([request(1)])\n"
        "ledger.commit([(reply(request(1)), Cost(1, None))])\n"
        "print('ready', flush=True)\ntime.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "ready\n"
    with pytest.raises(TryAgainLater):
        Ledger(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Ledger(tmp_path) as ledger:
        assert ledger.get(request(1).key) == reply(request(1))


def test_looking_takes_no_lock_and_creates_nothing(tmp_path):
    with Ledger.look(tmp_path / "none") as nothing:
        assert nothing.replies() == 0
    assert not (tmp_path / "none").exists()
    with Ledger(tmp_path) as ledger:
        ledger.enlist([request(1)])
        ledger.commit([(reply(request(1)), Cost(1, None))])
        with Ledger.look(tmp_path) as seen:
            assert seen.has(request(1).key)


def test_a_file_that_is_no_ledger_is_named_and_left_alone(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"something else entirely, and long enough" * 40)
    with pytest.raises(InputError, match="is no ledger"):
        Ledger(tmp_path)
    assert (tmp_path / "ledger.sqlite").read_bytes().startswith(b"something else")


def test_a_ledger_of_a_later_version_is_refused_unchanged(tmp_path):
    Ledger(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(InputError, match="ledger format 99"):
        Ledger(tmp_path)


def of_version_1(folder) -> None:
    """A ledger as the first version left it, with a reply, a reservation and a batch that is awaited."""
    with Ledger(folder) as ledger:
        ledger.enlist([request(1), request(2)])
        ledger.commit([(reply(request(1)), PAID)])
        Jobs(ledger).begin("http://here/v1", "json_schema max_tokens 1", [request(2)], [PAID])
        with ledger.transaction() as db:
            db.execute("ALTER TABLE batches DROP COLUMN file")
            db.execute("ALTER TABLE batches DROP COLUMN asked")
            db.execute("DROP TABLE laid_records")
            db.execute("DROP TABLE fixes")
            db.execute("PRAGMA user_version = 1")


def test_a_ledger_of_the_first_version_is_brought_to_this_one_with_all_that_it_holds(tmp_path):
    of_version_1(tmp_path)
    for _ in range(2):
        with Ledger(tmp_path) as ledger:
            assert ledger.get(request(1).key) == reply(request(1))
            assert ledger.spent() == (2, 60, 0.5, 0)
            (job,) = Jobs(ledger).awaited()
            assert (job.server, job.file) == ("http://here/v1", None)
            assert job.asked == job.made, "it may have been created, so it is looked for before it is sent again"
            assert not list(audit(ledger))


def test_a_ledger_of_the_first_version_can_be_looked_at_and_is_left_as_it_is(tmp_path):
    of_version_1(tmp_path)
    before = (tmp_path / "ledger.sqlite").read_bytes()
    with Ledger.look(tmp_path) as ledger:
        assert ledger.get(request(1).key) == reply(request(1))
        assert (Jobs(ledger).waiting(), Jobs(ledger).holds(request(2))) == (1, True)
        assert not list(audit(ledger))
    assert (tmp_path / "ledger.sqlite").read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CannotWrite):
        Ledger(tmp_path / "new")


def test_a_path_through_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="Not a directory"):
        Ledger(tmp_path / "file" / "new")
