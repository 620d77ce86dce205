"""How well a program tells right sums from wrong ones: in answers as people wrote them, and with one number changed.

    python -m benchmarks.computed

Needs the answers of GSM8K's test set beside the repository, and says so where they are not.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from pathlib import Path

from pipeline.arithmetic import NotUnderstood, plain, value
from pipeline.curate.computed import sums, written_sums
from pipeline.records import Draft

ANSWERS = Path(__file__).parent.parent.parent / "shared" / "data" / "gsm8k_test.jsonl"
CHANGED_PER_ANSWER = 3


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not ANSWERS.exists():
        sys.exit("shared/data/gsm8k_test.jsonl is not beside the repository")
    rows = [json.loads(line) for line in ANSWERS.read_text(encoding="utf-8").split("\n") if line]
    answers = [re.sub(r"<<.*?>>", "", row["answer"]).partition("####")[0] for row in rows]
    found = [one for answer in answers for one in written_sums(answer)]
    wrong = [(written, said) for written, said in found if rejected(f"{written} = {said}")]
    print(f"{len(found)} sums written out in {len(answers)} answers; called wrong: {len(wrong)}")
    for written, said in wrong:
        print(f"  {written.strip()} = {said}: it is {told(written)}")
    sound = [answer for answer in answers if not rejected(answer) and any(True for _ in written_sums(answer))]
    drawn = random.Random(0)
    changed = [
        spoilt for answer in sound for spoilt in (spoil(answer, drawn) for _ in range(CHANGED_PER_ANSWER)) if spoilt
    ]
    caught = sum(map(rejected, changed))
    print(f"one number of a sum changed, {len(changed)} answers: {caught / len(changed):.1%} caught")


def rejected(answer: str) -> bool:
    return sums(Draft(kind="math", question="?", answer=answer, request="r")).verdict == "rejected"


def told(written: str) -> str:
    try:
        return plain(value(written, {}))
    except NotUnderstood as fault:
        return str(fault)


def spoil(answer: str, drawn: random.Random) -> str | None:
    """The answer with one number in one of its sums changed by one to nine; None where nothing would be wrong."""
    written, said = drawn.choice(list(written_sums(answer)))
    whole = f"{written} = {said}"
    start = answer.find(written)
    numbers = list(re.finditer(r"\d+", answer[start : start + len(whole) + 4]))
    if start < 0 or not numbers:
        return None
    one = drawn.choice(numbers)
    other = str(int(one.group()) + drawn.randint(1, 9))
    spoilt = answer[: start + one.start()] + other + answer[start + one.end() :]
    return spoilt if list(written_sums(spoilt)) != list(written_sums(answer)) else None


if __name__ == "__main__":
    main()
