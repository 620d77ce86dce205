"""The slices and measures of an examination in words, and its numbers as a reader wants them: for every page."""

from __future__ import annotations

from train.examination.intervals import Measure, Paired

SLICES_IN_WORDS = {
    "trained": "the rows of train.jsonl, asked again",
    "rephrased": "trained facts in wordings that were held out",
    "unseen": "facts whose passage was held out; the student can only guess or refuse",
    "off_topic": "fields of knowledge that were held out; to be refused",
    "near_topic": "sounds like the subject and is not answered by it; to be refused",
    "typos": "those held-out questions that have a typing slip, once more",
    "with_context": "held-out questions beside the words that answer them; those to be refused beside other words",
}
MEASURES_IN_WORDS = {
    "right": "exact, or refused where that is right, or a worked answer that comes to its result",
    "exact": "the expected words in the expected order",
    "checked": "of the worked answers those that come to their result",
    "f1": "overlap of words with the expected answer, 0 to 1",
    "rouge_l": "overlap of words in their order with the expected answer, 0 to 1",
    "meaning": "cosine of sentence embeddings with the expected answer, refusals left out",
    "refusal_recall": "questions to be refused that were refused",
    "false_refusal": "over-refusal: questions with an answer that were refused, those of unseen among them",
    "partial_refusal": "answers that hold the refusal sentence and other text",
    "stopped": "answers that ended by themselves",
    "constraints": "answers in a persona's voice that keep to its words, hashtags and emoji",
    "repetition": "seq-rep-4: share of four-word runs that an answer had said before, 0 to 1",
    "longest_repeat": "longest run of words that an answer says twice, as a share of its words",
    "distinct_1": "different words among all words of all answers",
    "distinct_2": "different pairs of words among all pairs of all answers",
    "words": "words of an answer",
    "refusal_precision": "refusals that were right",
    "pass_1": "one try of a drawn answer is right",
    "pass_5": "one of five tries is right",
    "checked_pass_1": "one try at a worked answer comes to its result",
    "checked_pass_5": "one of five tries at a worked answer comes to its result",
    "bits_per_byte": "surprise at plain English sentences; less is better",
    "completed": "general sentences whose next word is put before three wrong ones",
}
SHARES = frozenset(
    """right exact checked refusal_recall false_refusal partial_refusal stopped constraints refusal_precision pass_1
    pass_5 checked_pass_1 checked_pass_5 completed""".split()
)


def name_of(measure: str) -> str:
    """A measure's or slice's name without its underscores."""
    return measure.replace("_", " ")


def shown(measure: str, found: Measure | None) -> str:
    """A number with its interval."""
    if found is None or found.value is None:
        return "-"
    if measure in SHARES:
        value, low, high = (
            f"{100 * number:.1f}" if number is not None else "" for number in (found.value, found.low, found.high)
        )
        return f"{value} %" + (f" ({low} to {high})" if low else "")
    places = 1 if measure == "words" else 2
    if found.low is None or found.high is None:
        return f"{found.value:.{places}f}"
    return f"{found.value:.{places}f} ({found.low:.{places}f} to {found.high:.{places}f})"


def percent(found: Measure | None) -> str:
    """A share without its interval."""
    return "-" if found is None or found.value is None else f"{100 * found.value:.1f} %"


def chance(found: Paired) -> str:
    """What McNemar's test says, for a reader who has not heard of it."""
    if found.p < 0.001:
        return "p < 0.001"
    return f"p = {found.p:.3f}" if found.p < 0.995 else "p = 1"
