"""Which language a text is in, as far as its letters tell, and how many words it has in any script."""

from __future__ import annotations

import math
import re
import tempfile
from functools import cache, lru_cache
from typing import Any, NamedTuple

from pipeline.errors import CannotWrite


class Told(NamedTuple):
    """What a text looks like beside the language it should be in."""

    language: str
    """ISO 639-1 of the likeliest one."""
    odds: float
    """How many times as likely that one is as the language asked about; 1 if it is that one."""


@cache
def _detector() -> Any:
    """py3langid, a naive Bayes over byte n-grams: 4 MB, and of the light ones the surest on a single line.

    Raises CannotWrite.
    """
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    try:
        return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    except OSError as fault:  # it is unpacked in the folder for temporary files
        raise CannotWrite(
            f"{tempfile.gettempdir()}: {fault.strerror}: no room to unpack the language model.",
            remedy="Free ten megabytes there, or set TMPDIR.",
        ) from fault


@cache
def known_languages() -> frozenset[str]:
    """The languages that can be told, as ISO 639-1 codes."""
    return frozenset(_detector().labels)


@lru_cache(maxsize=4096)  # one answer stands under many wordings of its question
def _likely(text: str) -> dict[str, float]:
    return dict(_detector().rank(text))


_UNTELLING = re.compile(r"https?://\S+|[#＃@]\w+|[\d\W_]+")
# Nobody would call a line of the one a fault in a dataset of the other, nor could the letters tell.
_KIN = [set(kin.split()) for kin in ("ar ary arz", "zh yue wuu", "no nb nn", "sr hr bs", "id ms", "es ext", "uz uzs")]
_NO_LANGUAGE = "zxx"
_TOLD_BY = 1000
"""Characters of a text that its language is told by: more make nothing surer, and take their time."""
_PLAIN_WORDS = 3
"""Words without a capital, after the first: fewer may all belong to a name, such as Rio de Janeiro."""


def _kin(language: str) -> set[str]:
    return next((kin for kin in _KIN if language in kin), {language})


def can_tell(language: str) -> bool:
    """Whether texts can be told to be in this language or not."""
    return bool(_kin(language) & known_languages())


def told(text: str, language: str) -> Told | None:
    """The likeliest language of a text beside the one it should be in; None if nothing can be said.

    Nothing can be said of a few words, nor of names, which are foreign in every language, nor of a language that the
    detector does not know.
    """
    if _plainly(text, language):
        return Told(language, 1.0)
    plain = [word for word in _UNTELLING.sub(" ", text).split()[1:] if not word[0].isupper()]
    if len(plain) < _PLAIN_WORDS and not unspaced_words(text):
        return None
    if not can_tell(language):
        return None
    kin = _kin(language)
    likely = _likely(" ".join(text[:_TOLD_BY].split()))
    best = max((name for name in likely if name != _NO_LANGUAGE), key=lambda name: likely[name])
    if best in kin:
        return Told(language, 1.0)
    return Told(best, likely[best] / max(sum(likely.get(name, 0.0) for name in kin), 1e-9))


# Words that no other language with the same letters has, or not often.
_OWN_WORDS = {
    "en": frozenset(
        """the and with that which what how why does would should because this they you from their to of when where who
        have there then than before could not your""".split()
    )
}
_OWN_LEAST = 3
_OWN_SHARE = 0.15


def _plainly(text: str, language: str) -> bool:
    """Whether so many words are the language's own that nobody need ask the detector, which takes a hundred times as
    long. Most texts of an English dataset are so; of other languages nothing is said here."""
    own = _OWN_WORDS.get(language)
    if own is None or not text.isascii():
        return False
    words = text.lower().split()
    found = sum(map(own.__contains__, words))
    return found >= _OWN_LEAST and found >= _OWN_SHARE * len(words)


# Scripts that are written without blanks, and how many characters make up a word on average.
_UNSPACED = (
    (re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af]"), 1.5),  # Chinese characters
    (re.compile("[\u3041-\u30ff\uff66-\uff9f]"), 2.5),  # Japanese syllables
    (re.compile("[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff]"), 4.0),  # Thai, Lao, Burmese, Khmer
)
_ANY_UNSPACED = re.compile(
    "[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3041-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U000323af]"
)


def unspaced_words(text: str) -> int:
    """About how many words the part of a text holds that is written without blanks between them."""
    if text.isascii() or not _ANY_UNSPACED.search(text):
        return 0
    return math.ceil(sum(len(script.findall(text)) / per_word for script, per_word in _UNSPACED))


def spaced(text: str) -> str:
    """The text with blanks in place of all that is written without them."""
    return text if text.isascii() else _ANY_UNSPACED.sub(" ", text)
