"""Words, hashtags and emoji are counted as a reader counts them, and faults are told with their measure."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.constraints import Bounds, Constraints, broken_constraints, count_words, emoji, hashtags, words

TWEET = Constraints(words=Bounds(min=3, max=5), hashtags=Bounds(max=1), emoji=Bounds(min=1, max=2))

ONE_EMOJI = [
    "🚀",
    "👍🏽",  # skin tone
    "☝🏿",  # a text sign with a skin tone
    "❤️",
    "☺️",
    "👨‍👩‍👧‍👦",  # family
    "👩🏽‍🚀",  # tinted and joined
    "🏳️‍🌈",
    "🏳‍🌈",  # the same without its variation selector
    "👁️‍🗨️",
    "🧑🏻‍❤️‍💋‍🧑🏿",
    "🇨🇭",
    "🏴󠁧󠁢󠁳󠁣󠁴󠁿",  # Scotland
    "3️⃣",
    "#️⃣",
    "⌚",
    "🕷",  # text by default, shown as a picture everywhere
    "🫠",
]
NO_EMOJI = ["", "a", "7", "#", "©", "™", "→", "❤", "★", "½", "漢", "⌚\ufe0e", "\ufe0f", "\u200d", "🇨", ":-)"]


@pytest.mark.parametrize("sign", ONE_EMOJI)
def test_an_emoji_counts_once_however_many_characters_it_takes(sign: str) -> None:
    assert emoji(sign) == [sign]
    assert words(sign) == []
    assert hashtags(sign) == []


@pytest.mark.parametrize("text", NO_EMOJI)
def test_signs_that_print_as_text_are_no_emoji(text: str) -> None:
    assert emoji(text) == []


@given(st.lists(st.sampled_from(ONE_EMOJI), max_size=8), st.sampled_from([" ", " and ", ", "]))
def test_emoji_in_a_sentence_are_found_one_by_one(signs: list[str], between: str) -> None:
    assert emoji(between.join(signs)) == signs


@given(st.lists(st.sampled_from(["🚀", "👍🏽", "🇨🇭", "🇫🇷", "😂", "👩🏽‍🚀"]), max_size=8))
def test_emoji_without_a_blank_between_them_stay_apart(signs: list[str]) -> None:
    assert emoji("".join(signs)) == signs


def test_the_emoji_table_agrees_with_unicode() -> None:
    regex = pytest.importorskip("regex", reason="compares with the Unicode tables of the regex package")
    shown = regex.compile(r"\p{Emoji_Presentation}")
    lone = {chr(code) for code in range(0x1F1E6, 0x1F200)}  # a flag needs two of these
    characters = [chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000]
    missed = [c for c in characters if shown.fullmatch(c) and c not in lone and emoji(c) != [c]]
    assert missed == []
    dressed = regex.compile(r"(?=\p{Emoji})[^0-9#*]")
    assert [
        c for c in characters if dressed.fullmatch(c) and c not in lone and emoji(c + "\ufe0f") != [c + "\ufe0f"]
    ] == []
    pictograph = regex.compile(r"\p{Extended_Pictographic}|\p{Emoji}")
    assert [c for c in characters if emoji(c) and not pictograph.fullmatch(c)] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("Don't panic", 2),
        ("A first-principles answer costs 3.5 million", 6),
        ("Yes — and no", 3),
        ("yes—no", 2),
        ("well...no", 2),
        ("from 1990–2000", 2),
        ("Go to #Mars 🚀 now!", 4),
        ("- * . ?!", 0),
        ("é e\u0301 हिन्दी", 3),
        ("see https://example.org/a-b?c=d", 2),
        ("  two\u00a0words\n", 2),
    ],
)
def test_words_are_counted_as_a_reader_counts_them(text: str, count: int) -> None:
    assert len(words(text)) == count


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("#Mars, #moon. (#Sun)", ["Mars", "moon", "Sun"]),
        ("We are #1 in C# and F#", []),
        ("#2fast #R2D2", ["2fast", "R2D2"]),
        ("https://example.org/page#part and https://example.org/#part", []),
        ("&#x27; is an apostrophe", []),
        ("🚀#Mars", ["Mars"]),
        ("#a#b", ["a"]),
        ("##heading", ["heading"]),
        ("#_ # #!", []),
        ("＃東京 #cafe\u0301", ["東京", "café"]),
        ("#️⃣Mars", []),
    ],
)
def test_a_hashtag_starts_a_word_and_holds_a_letter(text: str, found: list[str]) -> None:
    assert hashtags(text) == found


@given(st.integers(0, 9), st.integers(0, 4), st.integers(0, 4), st.randoms(use_true_random=False))
def test_each_measure_counts_its_own_whatever_the_order(plain: int, tags: int, signs: int, dice) -> None:
    pieces = ["word"] * plain + ["#tag"] * tags + ["👩🏽‍🚀"] * signs
    dice.shuffle(pieces)
    text = " ".join(pieces)
    assert (len(words(text)), len(hashtags(text)), len(emoji(text))) == (plain + tags, tags, signs)
    within = 3 <= plain + tags <= 5 and tags <= 1 and 1 <= signs <= 2
    assert (broken_constraints(text, TWEET) == []) == within


@given(st.text())
def test_any_text_can_be_measured(text: str) -> None:
    exact = Constraints(
        words=Bounds(min=count_words(text), max=count_words(text) + len(hashtags(text)) + 1),
        hashtags=Bounds(min=len(hashtags(text)), max=len(hashtags(text))),
        emoji=Bounds(min=len(emoji(text)), max=len(emoji(text))),
    )
    assert broken_constraints(text, exact) == []


def test_faults_are_told_with_their_measure() -> None:
    assert broken_constraints("one two three four five six #a #b", TWEET) == [
        "8 words, at most 5",
        "2 hashtags, at most 1",
        "0 emoji, at least 1",
    ]
    assert broken_constraints("one 🚀", TWEET) == ["1 word, at least 3"]
    assert broken_constraints("one two three 🚀🚀🚀", TWEET) == ["3 emoji, at most 2"]
    assert broken_constraints("one two #three 🚀", TWEET) == []


def test_bounds_that_nothing_can_meet_are_refused() -> None:
    with pytest.raises(ValidationError, match="min is 9 and max is 3"):
        Bounds(min=9, max=3)
    with pytest.raises(ValidationError, match="leave no room"):
        Constraints(words=Bounds(min=1, max=2), hashtags=Bounds(min=2, max=2))
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Bounds(min=-1, max=3)
