"""What an examination finds: everything that follows from the questions and both models' answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice

from pipeline.publish.schema import SLICES, TRAIN, Row
from train.dataset import DatasetFolder
from train.examination import meaning
from train.examination.asking import Heard, Questions, drawing
from train.examination.error_tags import ErrorTags
from train.examination.forgetting import forgetting
from train.examination.intervals import Paired, paired
from train.examination.measures import (
    Asked,
    errors,
    expected_measures,
    groups_of,
    judged,
    measures,
    overall,
    sampled_measures,
)
from train.examination.record import (
    HELD_OUT,
    SIDES,
    TRAINED,
    TYPOS,
    WITH_CONTEXT,
    Compared,
    Examination,
    Example,
    Forgetting,
    Sampled,
    Side,
    Wanted,
)
from train.examination.slices import MOST_SAMPLED, by_lot, lot
from train.generation import Generation
from train.student_json import StudentFile

EXAMPLES = 12
EXAMPLES_OF_A_TAG = 3
MOST_NEAR = 200
"""Answers of a slice whose meaning is measured: it takes as long as the answers themselves."""
TEACHER = (
    "The teacher is not examined: the expected answers are its own, so it would be right by definition. What its "
    "answers are like stands in the column expected."
)


def judge(data: DatasetFolder, questions: Questions, heard: Mapping[Side, Heard]) -> list[Asked]:
    """Every question with both answers looked at: right or not, what is wrong, how near in meaning."""
    manifest = data.manifest
    every_row = chain.from_iterable(data.rows.values())
    tags = ErrorTags(every_row, manifest.refusals, manifest.prompt_format, _language(data))
    every = [(name, row) for name, rows in questions.items() for row in rows]
    asked = [
        judged(name, row, {"base": base, "student": student}, manifest.refusals, tags)
        for (name, row), base, student in zip(every, heard["base"].answers, heard["student"].answers, strict=True)
    ]
    return asked if meaning.why_not(_language(data)) else _with_nearness(asked)


def _language(data: DatasetFolder) -> str:
    return str(data.manifest.recipe.get("language", ""))


def _with_nearness(asked: Sequence[Asked]) -> list[Asked]:
    """What is to be refused is either refused or not; everything else may be nearly right."""
    kept = {row.id for rows in _answered(asked).values() for row in by_lot(rows, MOST_NEAR)}
    measured = [(place, side) for place, one in enumerate(asked) if one.row.id in kept for side in SIDES]
    near = meaning.nearness([(asked[place].answers[side].text, asked[place].row.answer) for place, side in measured])
    found: dict[int, dict[Side, float]] = {}
    for (place, side), value in zip(measured, near, strict=True):
        found.setdefault(place, {})[side] = value
    return [replace(one, nearness=found.get(place, {})) for place, one in enumerate(asked)]


def _answered(asked: Sequence[Asked]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for one in asked:
        if not one.row.refusal:
            found.setdefault(one.slice, []).append(one.row)
    return found


def findings(
    described: StudentFile, data: DatasetFolder, wanted: Wanted, generation: Generation, asked: Sequence[Asked]
) -> Examination:
    """What the answers of this student and its base say; what is drawn, read or compared beyond that is not in it."""
    by_slice = _by_slice(asked, wanted)
    return Examination(
        student=described.name,
        dataset_name=described.dataset_name,
        dataset_sha256=described.dataset_sha256,
        weights_sha256=described.weights_sha256,
        wanted=wanted,
        generation=generation,
        groups={name: groups_of([one.row for one in group])[0] for name, group in by_slice.items() if group},
        slices={name: measures(group, data.manifest) for name, group in by_slice.items()},
        expected={
            name: expected_measures([one.row for one in group], data.manifest) for name, group in by_slice.items()
        },
        overall=overall(_held_out(asked), data.manifest),
        compared=list(_compared(by_slice, asked)),
        errors={name: errors(group) for name, group in by_slice.items()},
        error_examples=_error_examples(asked),
        notes=list(_notes(data, by_slice)),
        examples=_examples(asked, by_slice),
    )


def _by_slice(asked: Sequence[Asked], wanted: Wanted) -> dict[str, list[Asked]]:
    """The slices as they are told, `typos` among them, which looks at held-out questions once more."""
    names = (TRAINED, *HELD_OUT, *([WITH_CONTEXT] if wanted.with_context else []))
    found = {name: [one for one in asked if one.slice == name] for name in names}
    found[TYPOS] = [one for one in _held_out(asked) if one.row.typo_of]
    return {name: found[name] for name in (TRAINED, *HELD_OUT, TYPOS, *names[1 + len(HELD_OUT) :])}


def _held_out(asked: Iterable[Asked]) -> list[Asked]:
    return [one for one in asked if one.slice in SLICES]


def _compared(by_slice: Mapping[str, Sequence[Asked]], asked: Sequence[Asked]) -> Iterator[Compared]:
    """Pairs on the same questions: base and student, with a slip and without, with context and without."""
    for name, group in by_slice.items():
        if group:
            found = paired([one.right["base"] for one in group], [one.right["student"] for one in group])
            yield Compared(slice=name, first="base", second="student", found=found)
    held_out = {one.row.id: one.right["student"] for one in _held_out(asked)}
    partners: tuple[tuple[str, str, Callable[[Row], str]], ...] = (
        (TYPOS, "student, without the slip", lambda row: row.typo_of),
        (WITH_CONTEXT, "student, without context", lambda row: row.id),
    )
    for name, first, partner in partners:
        found = _beside_its_partner(by_slice.get(name, ()), held_out, partner)
        if found.n:
            yield Compared(slice=name, first=first, second="student", found=found)


def _beside_its_partner(group: Sequence[Asked], known: Mapping[str, bool], partner: Callable[[Row], str]) -> Paired:
    both = [(known[partner(one.row)], one.right["student"]) for one in group if partner(one.row) in known]
    return paired([one for one, _ in both], [other for _, other in both])


def _notes(data: DatasetFolder, by_slice: Mapping[str, Sequence[Asked]]) -> Iterator[str]:
    yield TEACHER
    if why := meaning.why_not(_language(data)):
        yield f"Meaning is not measured: {why}."
    for name, group in by_slice.items():
        there = len(data.rows[TRAIN if name == TRAINED else name]) if name in (TRAINED, *HELD_OUT) else 0
        if there > len(group):
            yield f"Of {name} {len(group)} of {there} questions were asked, chosen by lot."


def sampled(
    questions: Questions, heard: Mapping[Side, Heard], generation: Generation, refusals: Sequence[str]
) -> Sampled | None:
    """What came of drawing several answers to each question; None if nobody wanted it."""
    drawn = heard["student"].drawn
    if not drawn:
        return None
    chosen = {name: by_lot(rows, MOST_SAMPLED) for name, rows in questions.items() if rows}
    return Sampled(
        samples=len(next(answers[0] for answers in drawn.values() if answers)),
        generation=drawing(generation),
        slices={
            name: {side: sampled_measures(rows, heard[side].drawn[name], refusals) for side in SIDES}
            for name, rows in chosen.items()
        },
    )


def forgotten(heard: Mapping[Side, Heard]) -> Forgetting | None:
    """The general set before and after; None if nobody wanted it."""
    base, student = heard["base"].kept, heard["student"].kept
    return forgetting(base, student) if base and student else None


def _examples(asked: Sequence[Asked], by_slice: Mapping[str, Sequence[Asked]]) -> list[Example]:
    """A dozen, dealt round the slices; which rows of a slice is decided by their ids, not by how they came out."""
    names = [name for name in by_slice if name != TYPOS]
    decks = {
        name: sorted((one for one in asked if one.slice == name), key=lambda one: lot(one.row.id)) for name in names
    }
    dealt = [(turn, name) for turn in range(EXAMPLES) for name in names if turn < len(decks[name])]
    chosen = sorted(dealt[:EXAMPLES], key=lambda one: (names.index(one[1]), one[0]))
    return [example(decks[name][turn]) for turn, name in chosen]


def _error_examples(asked: Sequence[Asked]) -> dict[str, list[Example]]:
    """Some answers of the student for each tag, the commonest tag first."""
    counts = Counter(tag for one in asked for tag in one.tags["student"])
    drawn = sorted(asked, key=lambda one: lot(one.row.id))
    return {
        tag: [example(one) for one in islice((one for one in drawn if tag in one.tags["student"]), EXAMPLES_OF_A_TAG)]
        for tag, _ in counts.most_common()
    }


def example(one: Asked) -> Example:
    """A question with both answers, as it is written down."""
    base, student = one.answers["base"], one.answers["student"]
    return Example(
        slice=one.slice,
        id=one.row.id,
        question=one.row.question,
        expected=one.row.answer,
        base=base.text,
        base_stopped_by=base.stopped_by,
        base_right=one.right["base"],
        base_tags=one.tags["base"],
        student=student.text,
        student_stopped_by=student.stopped_by,
        student_right=one.right["student"],
        student_tags=one.tags["student"],
        context=one.row.context,
        typo_of=one.row.typo_of,
    )
