"""Questions to targets: attempt by attempt what is lacking, never more than was allowed, and the rest is told."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.draft.targets import Accepted, Aim
from pipeline.errors import TryAgainLater
from pipeline.recipe import load_recipe
from pipeline.records import Record
from pipeline.run import Options, run
from pipeline.runlog import Log
from tests.teacher.scripted import ScriptedServer, completion, error

PARTS = ("a brass lid", "a green door", "two oak wheels")
DOCUMENT = "\n\n".join(
    f"# The {name}\n\n" + " ".join(f"The {name} has {part} because the keeper asked for it." for part in PARTS)
    for name in ("lantern", "ferry")
)


def record(nature: str, difficulty: str, number: int) -> Record:
    return Record(
        id=str(number), kind="document", question="q?", answer="a", quote="q", source="d", page=1, span=(0, 1),
        passage="p", field=nature, difficulty=difficulty, fact="f", model="m", prompt="p", request="r",
    )  # fmt: skip


sorts = st.sampled_from(["easy", "medium", "hard", ""])


@given(st.lists(sorts, max_size=12), st.dictionaries(st.sampled_from(["any", "easy", "hard"]), st.integers(1, 6)))
def test_what_is_lacking_and_what_is_there_make_up_the_target(have, wanted):
    records = [record("why", difficulty, number) for number, difficulty in enumerate(have)]
    lacking = Accepted(records).lacking("p", {"why": wanted})
    assert all(aim.nature == "why" and 0 < number <= wanted[aim.difficulty] for aim, number in lacking.items())
    for difficulty in set(wanted) - {"any"}:
        assert lacking.get(Aim("why", difficulty), 0) == max(0, wanted[difficulty] - have.count(difficulty))
    counted = sum(min(have.count(name), number) for name, number in wanted.items() if name != "any")
    if "any" in wanted:
        assert lacking.get(Aim("why", "any"), 0) == max(0, wanted["any"] - (len(have) - counted))


class Teacher:
    """Says so many questions about each sentence of the passage, in the order asked, and remembers what was wanted."""

    def __init__(self, gives: dict[int, int], unreadable: str = "") -> None:
        self.gives = gives
        """Attempt to facts a passage."""
        self.wanted: list[tuple[str, int, str]] = []
        """Passage's subject, attempt, what was wanted."""
        self.unreadable = unreadable

    def __call__(self, body: dict, number: int):
        user = body["messages"][-1]["content"]
        passage = re.search(r"<passage>\n(.*?)\n</passage>", user, re.DOTALL)[1]
        wanted = re.search(r"<wanted>\n(.*?)\n</wanted>", user, re.DOTALL)
        if wanted is None:
            return completion('{"facts": [{"quote": "x", "answer": "x", "questions": ["x"]}]}')
        subject = re.search(r"The (\w+)", passage)[1]
        attempt = 1 + sum(one[0] == subject for one in self.wanted)
        self.wanted.append((subject, attempt, wanted[1]))
        if subject == self.unreadable:
            return error(400, "This passage is not for me.", "content_policy")
        asked = user.partition("<asked>")[2]
        free = [part for part in ("brass lid", "green door", "oak wheels") if part not in asked]
        facts = [
            {
                "nature": "why", "difficulty": "easy",
                "quote": next(one for one in re.split(r"(?<=\.) ", passage) if part in one),
                "answer": f"The {subject} has its {part} because the keeper asked for it.",
                "questions": [f"Why does the {subject} have its {part}?", f"What gave the {subject} its {part}?"],
            }
            for part in free[: self.gives.get(attempt, 0)]
        ]  # fmt: skip
        return completion(json.dumps({"facts": facts}))


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Runs a recipe for `why: 6` in three attempts against a teacher; gives the lines it said."""
    (tmp_path / "a.md").write_text(DOCUMENT, encoding="utf-8")

    def ask(teacher: Teacher, per_passage=6, attempts=3, **more) -> list[str]:
        recipe = {
            "name": "r", "meaning": {"enabled": False}, "split": {"unseen": 0.0, "rephrased": 0.0},
            "teacher": {"model": "m", "usd_per_million": [1, 1], "tries": 1},
            "documents": {"files": ["a.md"], "facts_per_passage": 1, "wordings": 1},
            "drafters": {"questions": {"per_passage": {"why": per_passage}, "wordings": 2, "attempts": attempts}},
        } | more  # fmt: skip
        (tmp_path / "r.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
        said: list[str] = []
        with ScriptedServer(teacher) as server:
            monkeypatch.setenv("OPENAI_BASE_URL", server.url)
            run(load_recipe(tmp_path / "r.yaml"), Options(out=tmp_path), said.append, Log())
        return said

    return ask


def lines(said: list[str]) -> list[str]:
    return [line for line in said if line.startswith("questions:")]


def test_every_attempt_asks_for_what_the_checks_left_lacking_and_none_after_the_target_is_met(asked):
    teacher = Teacher({1: 2, 2: 1})
    said = asked(teacher)
    assert sorted(teacher.wanted) == [
        ("ferry", 1, "3 x why, any"), ("ferry", 2, "1 x why, any"),
        ("lantern", 1, "3 x why, any"), ("lantern", 2, "1 x why, any"),
    ]  # fmt: skip
    assert lines(said) == ["questions: 12 of 12 wanted are there"]


def test_a_teacher_that_has_no_more_is_not_asked_again_and_what_is_lacking_is_told(asked, tmp_path):
    teacher = Teacher({1: 1})
    said = asked(teacher)
    assert Counter(attempt for _, attempt, _ in teacher.wanted) == {1: 2, 2: 2}
    assert lines(said) == [
        "questions: 4 of 12 wanted are there; lacking 8 why",
        "questions: why in 2 passages, the teacher finds no more: page 1 (The lantern), page 1 (The ferry)",
    ]
    card = (tmp_path / "r" / "dataset" / "README.md").read_text(encoding="utf-8")
    assert all(line in card for line in lines(said))


def test_the_attempts_are_bounded(asked):
    teacher = Teacher({1: 1, 2: 1, 3: 1})
    assert lines(asked(teacher, attempts=2))[-1].startswith("questions: why in 2 passages, after 2 attempts: ")
    assert max(attempt for _, attempt, _ in teacher.wanted) == 2


def test_the_budget_bounds_the_attempts_too_and_a_later_run_goes_on_from_there(asked):
    teacher = Teacher({1: 2, 2: 1})
    with pytest.raises(TryAgainLater, match="requests a run is used up"):
        asked(teacher, budget={"run": {"requests": 5}})
    assert len(teacher.wanted) == 3
    assert lines(asked(teacher)) == ["questions: 12 of 12 wanted are there"]
    assert len(teacher.wanted) == 4


def test_a_passage_whose_attempt_has_no_reply_waits_and_the_others_go_on(asked):
    teacher = Teacher({1: 2, 2: 1}, unreadable="ferry")
    with pytest.raises(TryAgainLater):
        asked(teacher)
    assert [one for one in teacher.wanted if one[0] == "ferry"] == [("ferry", 1, "3 x why, any")]
    assert ("lantern", 2, "1 x why, any") in teacher.wanted


def test_what_an_attempt_brought_stands_whatever_a_person_drops_and_what_they_drop_is_asked_for_once_more(
    asked, tmp_path
):
    teacher = Teacher({1: 2, 2: 1})
    asked(teacher)
    sheet = next((tmp_path / "r" / "review").glob("*.jsonl"))
    kept = [
        line for line in sheet.read_text(encoding="utf-8").splitlines() if "lantern" not in line or "lid" not in line
    ]
    sheet.write_text("\n".join(kept) + "\n", encoding="utf-8")
    before = len(teacher.wanted)
    teacher.gives[3] = 1
    said = asked(teacher)
    assert not [line for line in said if "changed since they were paid" in line]
    assert teacher.wanted[before:] == [("lantern", 3, "1 x why, any")]


def test_a_nature_nobody_knows_and_a_fact_without_questions_are_rejections(asked, tmp_path):
    class Odd(Teacher):
        def __call__(self, body, number):
            answer = super().__call__(body, number)
            said = json.loads(answer.body)
            text = said["choices"][0]["message"]["content"]
            said["choices"][0]["message"]["content"] = text.replace('"why", "difficulty"', '"whence", "difficulty"', 1)
            return type(answer)(answer.status, json.dumps(said).encode(), answer.headers)

    asked(Odd({1: 2, 2: 2, 3: 2}))
    causes = Counter(json.loads(line)["cause"] for line in (tmp_path / "r" / "rejected.jsonl").open(encoding="utf-8"))
    assert causes["unknown_nature"]
