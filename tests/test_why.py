"""`coursework why` tells a draft's whole story from outside: source, prompt, teacher, cost, checks, verdict, fate."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.desk.laid import Laid
from pipeline.errors import InputError
from pipeline.teacher.ledger import Ledger
from pipeline.why import why
from tests.commands import coursework as command
from tests.teacher.scripted import completion, error
from tests.victims import IN_FLIGHT, RECIPE, Teacher, finish, make_workspace, outputs


def coursework(workspace: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess:
    return command(workspace, *arguments, environment=environment)


class Odd(Teacher):
    """Its first reply to a passage holds a quote that stands nowhere, and one a question without its mark."""

    def _script(self, body, number):
        answer = super()._script(body, number)
        content = json.loads(json.loads(answer.body)["choices"][0]["message"]["content"])
        if number == 1 and "facts" in content:
            content["facts"][0]["quote"] = "Nobody ever wrote this."
            content["facts"][1]["questions"][0] = "no question"
            content["facts"][1]["questions"][2] = content["facts"][1]["questions"][1].upper()
            return completion(json.dumps(content))
        return answer


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A workspace with a finished run, in which a person dropped one record, edited one and kept one."""
    one_by_one = RECIPE.replace(f"in_flight: {IN_FLIGHT}", "in_flight: 1")  # so that the odd reply is always the same
    workspace = make_workspace(tmp_path_factory.mktemp("made"), one_by_one)
    with Odd(latency=0) as teacher:
        finish(workspace, teacher.url)
        sheet = outputs(workspace) / "review" / "0001.jsonl"
        lines = [json.loads(line) for line in sheet.open(encoding="utf-8")]
        lines[0]["review"], lines[1]["answer"], lines[2]["review"] = "drop", "Said by hand.", "keep"
        del lines[3]
        sheet.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        finish(workspace, teacher.url)
    return workspace


@pytest.fixture
def tell(made):
    """The story of a name."""

    def told(name: str) -> str:
        return "\n".join(why(name, [made / "recipes" / "tiny.yaml"], made / "outputs", "m", pytest.fail))

    return told


def rows(made, stem="train") -> list[dict]:
    return [json.loads(line) for line in (outputs(made) / "dataset" / f"{stem}.jsonl").open(encoding="utf-8")]


def rejected(made, cause: str) -> tuple[int, dict]:
    """Line number and content of the first rejection for a cause."""
    lines = (outputs(made) / "rejected.jsonl").open(encoding="utf-8")
    return next((number, one) for number, one in enumerate(map(json.loads, lines), 1) if one["cause"] == cause)


def test_a_trained_row_tells_of_its_page_prompt_teacher_cost_checks_and_file(made, tell):
    row = next(row for row in rows(made) if row["kind"] == "document")
    told = tell(row["id"])
    assert row["question"] in told
    assert row["answer"] in told
    assert f"[[{' '.join(row['quote'].split())}]]" in told
    assert "docs/a.md, page 1" in told
    assert "document_questions.jinja" in told
    assert re.search(r"[\d,]+ tokens read, [\d,]+ written", told)
    assert re.search(r"shared by \d+ drafts", told)
    for check in (
        "question_words",
        "answer_cut",
        "mojibake",
        "quote_alike",
        "numbers",
        "support_words",
        "near_duplicate",
    ):
        assert re.search(rf"passed +{check}: \S", told)
    assert told.splitlines()[-1].split() == "fate trained on, in train.jsonl".split()


@pytest.mark.parametrize("stem", ["unseen", "rephrased", "off_topic", "near_topic"])
def test_a_row_of_a_slice_says_so(made, tell, stem):
    assert tell(rows(made, stem)[0]["id"]).endswith(f"held out, in {stem}.jsonl")


def test_a_typing_slip_tells_the_story_of_its_own_question(made, tell):
    slip = next(row for row in rows(made) if row["typo_of"])
    told = tell(slip["id"])
    assert slip["question"] in told.splitlines()[0]
    assert "\n".join(told.splitlines()[1:]) == tell(slip["typo_of"])


def test_a_rejection_tells_the_check_that_rejected_it_and_its_figure(made, tell):
    number, _ = rejected(made, "quote_not_in_passage")
    told = tell(f"{outputs(made)}/rejected.jsonl:{number}")
    assert "rejected quote_alike: " in told
    assert "not in the passage, which begins:" in told
    assert told.endswith("rejected as quote_not_in_passage")
    number, one = rejected(made, "not_a_question")
    assert one["question"] in tell(f"rejected.jsonl:{number}")


def test_a_duplicate_tells_its_partner_and_where_that_stands(made, tell):
    number, one = rejected(made, "exact_duplicate")
    told = tell(f"rejected.jsonl:{number}")
    assert re.search(rf"partner +{one['partner']}, (trained on|held out), in", told)
    assert "rejected exact_duplicate: the same words" in told
    own = next(row["id"] for stem in ("train", "unseen") for row in rows(made, stem) if row["id"] == one["partner"])
    assert "drafted    2 times; what is told is of the one that became the record" in tell(own)


@pytest.mark.parametrize(
    ("place", "verdict", "fate"),
    [
        (0, "a person dropped it", "dropped by a person"),
        (1, "a person edited it: .*Said by hand.", "in .+jsonl"),
        (2, "a person keeps it", "in .+jsonl"),
        (3, "a person deleted its line", "dropped by a person"),
    ],
)
def test_what_a_person_decided_is_told(made, tell, place, verdict, fate):
    assert re.search(rf"review +0001.jsonl: {verdict}.*\nfate +.*{fate}$", tell(reviewed(made)[place]), re.DOTALL)


def reviewed(made) -> list[str]:
    """Ids of the records that the person dropped, edited, kept and deleted."""
    with Ledger.look(outputs(made)) as ledger:
        laid = Laid(ledger).lines
    sheet = [json.loads(line)["id"] for line in (outputs(made) / "review" / "0001.jsonl").open(encoding="utf-8")]
    (deleted,) = set(laid) - set(sheet)
    return [*sheet[:3], deleted]


def test_a_request_tells_each_of_its_drafts_by_key_and_by_its_beginning(made, tell):
    _, one = rejected(made, "quote_not_in_passage")
    told = tell(one["request"])
    assert tell(one["request"][:10]) == told
    shared = int(re.search(r"shared by (\d+) drafts", told)[1])
    assert len(re.findall(r"^  [0-9a-f-]{16}  ", told, re.MULTILINE)) == shared
    assert "rejected as quote_not_in_passage" in told
    assert "trained on, in train.jsonl" in told


def test_a_reply_that_cannot_be_read_is_shown_as_it_came(tmp_path):
    class Chatting(Teacher):
        def _script(self, body, number):
            return completion("Sure! I would rather chat.") if number <= 3 else super()._script(body, number)

    workspace = make_workspace(tmp_path)
    (workspace / "recipes" / "tiny.yaml").write_text(
        (workspace / "recipes" / "tiny.yaml").read_text().replace("in_flight: 4", "in_flight: 1")
    )
    with Chatting(latency=0) as teacher:
        finish(workspace, teacher.url)
    with Ledger.look(outputs(workspace)) as ledger:
        (first, *_) = ledger.keys("")
    told = "\n".join(why(first, [workspace / "recipes" / "tiny.yaml"], workspace / "outputs", "m", print))
    assert "Sure! I would rather chat." in told
    assert "no_json" in told


def test_a_request_without_a_reply_tells_its_failed_tries(tmp_path):
    workspace = make_workspace(tmp_path)
    with Teacher(error(503, "out of order"), latency=0) as teacher:
        done = coursework(workspace, "run", "recipes/tiny.yaml", "--model", "m", OPENAI_BASE_URL=teacher.url)
    assert done.returncode == 75
    with Ledger.look(outputs(workspace)) as ledger:
        (key,) = (key for key in ledger.keys("") if not ledger.has(key))
    told = coursework(workspace, "why", key[:8], "--model", "m").stdout
    assert re.search(r"teacher +no reply yet\n", told)
    assert re.search(r"failed try +http_503: .*out of order", told)


@pytest.mark.parametrize("name", ["0123456789abcdef", "rejected.jsonl:999", "hello", "ff", "f" * 32])
def test_an_unknown_name_ends_with_65_and_one_line(made, name):
    done = coursework(made, "why", name, "--model", "m")
    assert (done.returncode, done.stdout) == (65, "")
    assert done.stderr.count("\n") == 1
    assert name.rpartition(":")[2] in done.stderr


def test_a_beginning_of_many_requests_asks_for_more(tell, monkeypatch):
    monkeypatch.setattr(Ledger, "keys", lambda self, beginning: [beginning + "0" * 28, beginning + "1" * 28])
    with pytest.raises(InputError, match=r"2 requests begin with abcd: .* Give more of the key."):
        tell("abcd")


def test_asking_changes_nothing(made, tell, tmp_path):
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    before = {
        path: path.read_bytes() for path in sorted(copy.rglob("*")) if path.is_file() and "ledger" not in path.name
    }
    done = coursework(copy, "why", rows(made)[0]["id"], "--model", "m")
    assert done.returncode == 0, done.stderr
    assert {path: path.read_bytes() for path in before} == before
    assert {path.name for path in outputs(copy).iterdir()} == {path.name for path in outputs(made).iterdir()}
