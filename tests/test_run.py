"""The main job from the outside: documents and a recipe in, a dataset folder out."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from pipeline.teacher.embedded import complete
from tests.commands import coursework as command
from tests.conftest import ROOT
from tests.teacher.scripted import ScriptedServer, completion, error
from tests.victims import started

DOCUMENT = (ROOT / "samples" / "good_and_bad_communication.md").read_text(encoding="utf-8")
RECIPE = """\
name: tiny
meaning: {enabled: false}
checks: {language_odds: null}
documents:
  files: [docs]
  passage_tokens: 200
  wordings: 4
refusals:
  topic: good or bad communication
  sentence: Please let's keep our discussion related to good or bad communication.
  asked_from: 1
  off_topic:
    fields: [astronomy, cooking, geography, chemistry]
    per_field: 6
split:
  unseen: 0.2
"""


def sections(first: int, last: int) -> str:
    """A few second-level sections of the sample."""
    return "## " + "\n## ".join(DOCUMENT.split("\n## ")[first:last])


@pytest.fixture
def workspace(tmp_path):
    """A workspace with one document and a small recipe."""
    (tmp_path / "recipes" / "docs").mkdir(parents=True)
    (tmp_path / "recipes" / "docs" / "a.md").write_text(sections(1, 4), encoding="utf-8")
    (tmp_path / "recipes" / "tiny.yaml").write_text(RECIPE, encoding="utf-8")
    return tmp_path


def coursework(workspace: Path, *arguments: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess:
    done = command(workspace, *arguments, environment=environment)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def run(workspace: Path, *more: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess:
    return coursework(workspace, "run", "recipes/tiny.yaml", *more, code=code, **environment)


def outputs(workspace: Path) -> Path:
    return workspace / "outputs" / "tiny"


def rows(workspace: Path, stem: str = "train") -> list[dict]:
    path = outputs(workspace) / "dataset" / f"{stem}.jsonl"
    return [json.loads(line) for line in path.open(encoding="utf-8")] if path.exists() else []


def every_row(workspace: Path) -> list[dict]:
    return [
        row for stem in ("train", "rephrased", "unseen", "off_topic", "near_topic") for row in rows(workspace, stem)
    ]


def teaching(text: str = "", delay: float = 0.0):
    """A scripted server whose answers are the embedded teacher's."""

    def script(body, number):
        time.sleep(delay)
        content = complete(body)["choices"][0]["message"]["content"]
        return completion(text + content)

    return ScriptedServer(script)


def test_a_second_run_asks_nothing_and_writes_nothing(workspace):
    run(workspace)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (outputs(workspace) / "dataset").iterdir()}
    again = run(workspace)
    assert "(0 in this run)" in again.stdout
    assert "(unchanged)" in again.stdout
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in before} == before


def test_every_draft_is_a_row_or_a_rejection_with_a_cause(workspace):
    done = run(workspace)
    assert "does not add up" not in done.stdout
    rejected = [json.loads(line) for line in (outputs(workspace) / "rejected.jsonl").open(encoding="utf-8")]
    counted = dict(reversed(line.split()) for line in done.stdout.splitlines() if line.startswith(" " * 10))
    causes = Counter(one["cause"] for one in rejected)
    assert all(int(counted[cause]) == count for cause, count in causes.items())
    assert all(one["detail"] for one in rejected)
    drafts = next(int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("drafts"))
    own = [row for row in every_row(workspace) if not row["typo_of"]]
    assert drafts == len(own) + len(rejected) + int(counted["withheld"])


NEAR_TOPIC = """\
  near_topic: {fields: [prices, sport, animals], per_field: 6}
  false_premise: {fields: [a law that does not exist, a cause that is none], per_field: 6}
"""


def test_near_topic_questions_are_put_to_the_teacher_and_trained_beside_a_twin(workspace):
    sharing = RECIPE.replace("asked_from: 1", "asked_from: 0.2\n  share: 0.3").replace("split:", NEAR_TOPIC + "split:")
    (workspace / "recipes" / "tiny.yaml").write_text(sharing, encoding="utf-8")
    asked: list[str] = []

    def script(body, number):
        content = json.loads(complete(body)["choices"][0]["message"]["content"])
        if "<passages>" in (user := body["messages"][-1]["content"]):
            asked.extend(user.split("<questions>\n")[1].split("\n</questions>")[0].splitlines())
            content["questions"][0] |= {"answered": True, "words": "as it says"}
        return completion(json.dumps(content))

    with ScriptedServer(script) as server:
        done = run(workspace, "--model", "m", OPENAI_BASE_URL=server.url, OPENAI_API_KEY="k")
    rejected = [json.loads(line) for line in (outputs(workspace) / "rejected.jsonl").open(encoding="utf-8")]
    refused = {one["question"] for one in rejected if one["cause"] == "answered_by_corpus"}
    assert {line.split(". ", 1)[1] for line in asked if line.startswith("1. ")} <= refused
    assert "does not add up" not in done.stdout
    train = {row["id"]: row for row in rows(workspace)}
    topical = [row for row in train.values() if row["kind"] in ("near_topic", "false_premise")]
    assert topical
    assert {row["question"] for row in topical} & {line.split(". ", 1)[1] for line in asked}
    for row in topical:
        assert row["kind"] == "false_premise" or row["question"] not in refused
        assert not train[row["twin"]]["refusal"]
    share = sum(row["refusal"] for row in train.values()) / len(train)
    assert f"refusals: {share:.1%} of train.jsonl" in done.stdout


def test_rows_are_what_the_card_says(workspace):
    run(workspace)
    train = rows(workspace)
    assert all(row["prompt"] == f"Question: {row['question']}\nAnswer:" for row in train)
    assert all(row["completion"] == f" {row['answer']}" for row in train)
    document = "".join(DOCUMENT.split())
    for row in every_row(workspace):
        if row["kind"] == "document":
            assert row["source"] == "docs/a.md"
            assert "".join(row["quote"].replace("“", "“").split()) in document
        else:
            assert row["answer"] == "Please let's keep our discussion related to good or bad communication."
    card = (outputs(workspace) / "dataset" / "README.md").read_text(encoding="utf-8")
    assert "rule-based stand-in" in card


def test_a_new_document_asks_only_its_own_questions_and_moves_no_row(workspace):
    run(workspace)
    before = {
        row["id"]: stem for stem in ("train", "rephrased", "unseen", "off_topic") for row in rows(workspace, stem)
    }
    (workspace / "recipes" / "docs" / "0-first.md").write_text(sections(4, 6), encoding="utf-8")
    planned = coursework(workspace, "plan", "recipes/tiny.yaml").stdout
    assert "4 off_topic_questions, 4 already answered" in planned
    run(workspace)
    after = {row["id"]: stem for stem in ("train", "rephrased", "unseen", "off_topic") for row in rows(workspace, stem)}
    assert len(after) > len(before)
    assert {name: after.get(name) for name in before} == before


def test_an_edited_prompt_brings_only_its_own_requests(workspace):
    run(workspace)
    shutil.copytree(ROOT / "prompts", workspace / "prompts")
    template = workspace / "prompts" / "off_topic_questions.jinja"
    template.write_text(template.read_text(encoding="utf-8").replace("everyday", "ordinary"), encoding="utf-8")
    assert "(4 in this run)" in run(workspace).stdout


def test_plan_calls_nothing_and_writes_nothing(workspace):
    url = "http://teacher.example/v1"
    done = coursework(workspace, "plan", "recipes/tiny.yaml", "--model", "m", OPENAI_BASE_URL=url)
    assert not (workspace / "outputs").exists()
    assert "document_questions, 0 already answered" in done.stdout
    assert "price unknown" in done.stdout


def test_a_model_without_a_price_is_refused_before_anything_is_sent(workspace):
    done = run(workspace, "--model", "m", code=78, OPENAI_BASE_URL="http://teacher.example/v1")
    assert "budget.run.tokens" in done.stderr


def test_a_budget_that_is_used_up_ends_with_75_and_the_next_run_goes_on(workspace):
    (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + "budget:\n  run:\n    requests: 6\n")
    with teaching() as server:
        done = run(workspace, "--model", "m", code=75, OPENAI_BASE_URL=server.url)
        assert "6 requests a run" in done.stderr
        assert len(server.bodies) == 6
        assert rows(workspace)
        run(workspace, "--model", "m", code=75, OPENAI_BASE_URL=server.url)
        run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        assert len(server.bodies) == 15


def test_a_paid_reply_is_not_replaced_by_an_edited_prompt_without_leave(workspace):
    recipe = RECIPE + "teacher:\n  usd_per_million: [1, 1]\n"
    (workspace / "recipes" / "tiny.yaml").write_text(recipe)
    with teaching() as server:
        run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        paid = len(server.bodies)
        before = rows(workspace)
        shutil.copytree(ROOT / "prompts", workspace / "prompts")
        template = workspace / "prompts" / "off_topic_questions.jinja"
        template.write_text(template.read_text(encoding="utf-8").replace("everyday", "ordinary"), encoding="utf-8")
        done = run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        assert "4 requests have changed since they were paid" in done.stdout
        assert (len(server.bodies), rows(workspace)) == (paid, before)
        planned = coursework(workspace, "plan", "recipes/tiny.yaml", "--model", "m", OPENAI_BASE_URL=server.url)
        assert "4 requests have changed" in planned.stdout
        run(workspace, "--model", "m", "--accept-changes", OPENAI_BASE_URL=server.url)
        assert len(server.bodies) == paid + 4


def test_reparse_reads_paid_replies_again_and_buys_nothing(workspace):
    with teaching() as server:
        run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        paid = len(server.bodies)
        oracle = rows(workspace)
        shutil.rmtree(outputs(workspace) / "dataset")
        coursework(workspace, "reparse", "recipes/tiny.yaml", "--model", "m", OPENAI_BASE_URL=server.url)
        assert (len(server.bodies), rows(workspace)) == (paid, oracle)


@pytest.mark.parametrize(("signals", "code"), [([signal.SIGTERM], 75), ([signal.SIGINT, signal.SIGINT], 130)])
def test_a_signal_ends_a_run_whose_teacher_hangs_in_time_too(workspace, signals, code):
    (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + "teacher:\n  in_flight: 2\n")
    with ScriptedServer(falling_silent) as server:
        victim = started(workspace, server.url)
        while len(server.bodies) < 8:
            time.sleep(0.01)
        begun = time.monotonic()
        for one in signals:
            victim.send_signal(one)
            time.sleep(0.05)
        said = victim.communicate(timeout=20)[1]
        assert time.monotonic() - begun < 5
        assert (victim.returncode, said.count("\n")) == (code, 1), said


@pytest.mark.parametrize(
    ("signals", "code"), [([signal.SIGTERM], 75), ([signal.SIGINT], 130), ([signal.SIGINT, signal.SIGINT], 130)]
)
def test_a_signal_ends_the_run_in_time_with_its_code_and_keeps_what_came(workspace, signals, code):
    (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + "teacher:\n  in_flight: 2\n")
    with teaching(delay=0.4) as server:
        victim = started(workspace, server.url)
        while len(server.bodies) < 6:
            time.sleep(0.01)
        begun = time.monotonic()
        for one in signals:
            victim.send_signal(one)
            time.sleep(0.05)
        said = victim.communicate(timeout=20)[1]
        assert time.monotonic() - begun < 5
        assert victim.returncode == code
        assert said.count("\n") == 1
        asked = len(server.bodies)
        run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        assert len(server.bodies) - asked >= 15 - asked
        assert len(server.bodies) <= 15 + 2


def test_a_deadline_ends_the_asking_with_75(workspace):
    (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + "teacher:\n  in_flight: 1\n")
    with teaching(delay=0.4) as server:
        done = run(workspace, "--model", "m", "--deadline", "2s", code=75, OPENAI_BASE_URL=server.url)
    assert "deadline" in done.stderr
    assert 0 < len(server.bodies) < 15


def test_a_teacher_that_falls_silent_ends_the_run_with_75_and_the_next_one_goes_on(workspace):
    (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + "teacher: {in_flight: 2, silence_seconds: 1}\n")
    with teaching() as server, ScriptedServer(falling_silent) as silent:
        done = run(workspace, "--model", "m", code=75, OPENAI_BASE_URL=silent.url)
        assert done.stderr.count("\n") == 1
        assert "the teacher was asked for 1 seconds and no reply came; the dataset holds" in done.stderr
        assert len(silent.bodies) == 8
        assert rows(workspace)
        run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        assert len(server.bodies) == 15 - 6


def falling_silent(body: dict, number: int):
    """Answers the first six requests, and then none."""
    if number >= 6:
        time.sleep(30)
    return completion(complete(body)["choices"][0]["message"]["content"])


SET_BACK = """
import time
real = time.time
time.time = lambda: real() - 86_400 * next(days)
import itertools
days = itertools.count()
import pipeline.teacher.ledger as ledger
ledger._now = time.time
"""


def test_a_clock_that_is_set_back_again_and_again_does_not_move_the_deadline(workspace):
    (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + "teacher:\n  in_flight: 1\n")
    with teaching(delay=0.4) as server:
        victim = started(workspace, server.url, "--deadline", "2s", before=SET_BACK)
        said = victim.communicate(timeout=60)[1]
    assert (victim.returncode, said.count("\n")) == (75, 1), said
    assert "deadline" in said
    assert 0 < len(server.bodies) < 15


@pytest.mark.parametrize("number", [5, pytest.param(20, marks=pytest.mark.slow)])
def test_of_many_runs_started_together_one_works_and_the_others_say_who_holds_the_ledger(workspace, number):
    others_ended = threading.Event()

    def script(body, number):
        others_ended.wait(120)
        return completion(complete(body)["choices"][0]["message"]["content"])

    with ScriptedServer(script) as server:
        runs = [started(workspace, server.url) for _ in range(number)]
        while sum(one.poll() is not None for one in runs) < number - 1:
            time.sleep(0.05)
        others_ended.set()
        ended = {one.pid: (one.communicate(timeout=120)[1], one.returncode) for one in runs}
        assert sorted(code for _, code in ended.values()) == [0] + [75] * (number - 1)
        (holder,) = (pid for pid, (_, code) in ended.items() if code == 0)
        told = {said for said, code in ended.values() if code}
        assert len(told) == 1
        assert re.fullmatch(rf"coursework: outputs/tiny is in use by process {holder} since \S+\. .+\n", told.pop())
        assert len(server.bodies) == 15


def test_a_real_endpoint_takes_the_same_road(workspace):
    run(workspace)
    embedded = {(row["question"], row["answer"]) for row in every_row(workspace)}
    shutil.rmtree(workspace / "outputs")
    with teaching("Sure, here you are:\n") as server:
        run(workspace, "--model", "gpt-x", OPENAI_BASE_URL=server.url)
    assert {(row["question"], row["answer"]) for row in every_row(workspace)} == embedded
    assert {row["model"] for row in every_row(workspace)} == {"scripted-1"}
    assert all(body["model"] == "gpt-x" for body in server.bodies)
    manifest = json.loads((outputs(workspace) / "dataset" / "manifest.json").read_bytes())
    assert manifest["models"] == ["scripted-1"]
    assert manifest["embedded_teacher"] is False


def test_what_an_endpoint_refused_once_it_is_not_asked_again_by_the_next_run(workspace):
    formats = []

    def script(body, number):
        formats.append(body["response_format"]["type"])
        if formats[-1] == "json_schema":
            return error(500, "response_format: input should be 'text' or 'json_object'")
        return completion(complete(body)["choices"][0]["message"]["content"])

    with ScriptedServer(script) as server:
        run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        assert "json_schema" in formats
        formats.clear()
        (workspace / "recipes" / "docs" / "b.md").write_text(sections(4, 5), encoding="utf-8")
        run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        assert set(formats) == {"json_object"}


def test_the_number_in_flight_changes_no_byte_of_the_dataset(workspace):
    written = []
    for in_flight in (1, 64):
        (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + f"teacher:\n  in_flight: {in_flight}\n")
        with teaching(delay=0.002) as server:
            run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        written.append((outputs(workspace) / "dataset" / "train.jsonl").read_bytes())
        shutil.rmtree(workspace / "outputs")
    assert written[0] == written[1]


def test_a_killed_run_goes_on_where_it_stopped_and_ends_with_the_same_bytes(workspace):
    with teaching() as server:
        run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
        whole = len(server.bodies)
    oracle = (outputs(workspace) / "dataset" / "train.jsonl").read_bytes()
    shutil.rmtree(workspace / "outputs")
    (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + "teacher:\n  in_flight: 2\n")
    with teaching(delay=0.1) as server:
        victim = started(workspace, server.url)
        while len(server.bodies) < whole // 2:
            time.sleep(0.01)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        run(workspace, "--model", "m", OPENAI_BASE_URL=server.url)
    # Lost are at most the two in flight and what one commit gathers in a tenth of a second.
    assert len(server.bodies) <= whole + 2 + 4
    assert (outputs(workspace) / "dataset" / "train.jsonl").read_bytes() == oracle


def test_unreadable_documents_are_named_with_their_cause_and_the_others_go_on(workspace, shared):
    for name in ("bad_zero_bytes.pdf", "bad_not_a_pdf_44b.pdf", "enc_password_test_4p.pdf", "scan_rotated_4p.pdf"):
        shutil.copy(shared / "pdf" / name, workspace / "recipes" / "docs")
    shutil.copy(shared / "pdf" / "bad_truncated_wordprocessor_60pct.pdf", workspace / "recipes" / "docs")
    done = run(workspace)
    fates = dict(
        line.removeprefix("skipped docs/").split(": ")[:2] for line in done.stdout.splitlines() if "skipped" in line
    )
    assert fates == {
        "bad_zero_bytes.pdf": "empty",
        "bad_not_a_pdf_44b.pdf": "damaged",
        "enc_password_test_4p.pdf": "encrypted",
        "scan_rotated_4p.pdf": "scanned",
        "bad_truncated_wordprocessor_60pct.pdf": "truncated",
    }
    assert rows(workspace)


def test_without_a_readable_document_the_run_ends_with_65_and_one_line(workspace):
    (workspace / "recipes" / "docs" / "a.md").write_text("")
    done = run(workspace, code=65)
    assert done.stderr.count("\n") == 1
    assert "no document is left to draft from: docs/a.md is empty" in done.stderr


def test_a_teacher_that_answers_nothing_ends_with_69(workspace):
    (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + "teacher:\n  tries: 1\n")
    done = run(workspace, "--model", "m", code=69, OPENAI_BASE_URL="http://127.0.0.1:9/v1")
    assert done.stderr.count("\n") == 1


def test_a_request_without_reply_ends_with_75_and_the_next_run_asks_only_that(workspace):
    broken = {"on": True}

    def script(body, number):
        if broken["on"] and "chemistry" in body["messages"][1]["content"]:
            return error(500, "oops")
        return completion(complete(body)["choices"][0]["message"]["content"])

    (workspace / "recipes" / "tiny.yaml").write_text(RECIPE + "teacher:\n  tries: 1\n")
    with ScriptedServer(script) as server:
        done = run(workspace, "--model", "m", code=75, OPENAI_BASE_URL=server.url)
        assert "1 of" in done.stderr
        assert rows(workspace)
        broken["on"] = False
        assert "(1 in this run)" in run(workspace, "--model", "m", OPENAI_BASE_URL=server.url).stdout


def test_the_key_is_written_nowhere(workspace):
    key = "canary-7f3a"
    with teaching() as server:
        done = run(workspace, "--model", "m", OPENAI_BASE_URL=server.url, OPENAI_API_KEY=key)
    assert server.headers[0]["authorization"] == f"Bearer {key}"
    written = [path.read_bytes() for path in workspace.rglob("*") if path.is_file()]
    assert not any(key.encode() in content for content in written)
    assert key not in done.stdout + done.stderr


def test_a_persons_edit_and_deletion_reach_the_dataset(workspace):
    run(workspace)
    sheet = outputs(workspace) / "review" / "0001.jsonl"
    lines = [json.loads(line) for line in sheet.open(encoding="utf-8")]
    trained = {row["id"] for row in rows(workspace)}
    edited, deleted = [line for line in lines if line["id"] in trained][:2]
    kept = [line | {"answer": "Said by a person."} if line is edited else line for line in lines if line is not deleted]
    sheet.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    done = run(workspace)
    after = {row["id"]: row for row in rows(workspace)}
    assert after[edited["id"]]["answer"] == "Said by a person."
    assert after[edited["id"]]["edited"] is True
    assert deleted["id"] not in after
    assert "(0 in this run)" in done.stdout


def test_init_makes_a_workspace_that_runs(tmp_path):
    coursework(tmp_path, "init", "mine")
    text = (tmp_path / "mine" / "recipes" / "communication.yaml").read_text(encoding="utf-8")
    assert "embedded" in text
    done = coursework(tmp_path / "mine", "plan", "recipes/communication.yaml")
    assert "document_questions" in done.stdout
    coursework(tmp_path, "init", "mine", code=2)


def test_a_judge_hears_what_is_in_doubt_and_its_replies_are_kept(workspace):
    # Every word of an answer is asked for, and no model is named for Dutch: what was reworded at all is in doubt.
    recipe = RECIPE.replace("meaning: {enabled: false}\n", "language: nl\n")
    recipe = recipe.replace("checks: {", "checks: {support_words: 1, ")
    (workspace / "recipes" / "docs" / "a.md").write_text(DOCUMENT, encoding="utf-8")
    (workspace / "recipes" / "tiny.yaml").write_text(recipe, encoding="utf-8")
    assert "all-MiniLM-L6-v2 knows only English; name a model for 'nl'" in run(workspace).stdout
    flagged = sum("weakly_supported" in row.get("flags", []) for row in reviewed(workspace))
    assert flagged
    (workspace / "recipes" / "tiny.yaml").write_text(recipe + "judge:\n  seeds: 4\n", encoding="utf-8")
    heard = run(workspace, "--out", "heard").stdout
    line = next(line for line in heard.splitlines() if line.startswith("judge: of "))
    assert "it caught 4 of 4 answers spoilt on purpose and passed 4 of 4 sound ones" in line
    assert not any("weakly_supported" in row.get("flags", []) for row in reviewed(workspace, "heard"))
    again = run(workspace, "--out", "heard").stdout
    assert line in again and "(0 in this run)" in again and "(unchanged)" in again


def reviewed(workspace: Path, out: str = "outputs") -> list[dict]:
    """The lines of the first review sheet."""
    sheet = workspace / out / "tiny" / "review" / "0001.jsonl"
    return [json.loads(line) for line in sheet.open(encoding="utf-8")]
