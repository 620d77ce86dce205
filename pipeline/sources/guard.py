"""What must not reach the teacher as it stands: secrets, personal data, and the tokens that open a turn.

A secret is known by the form its issuer gave it, or by the name it is assigned to; an account or card number
only counts if its check digits are right. What has no form of its own (a name, a street) is not found.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from pipeline.sources.blocks import PAIRED, Block, PersonalData, Reading, Unit
from pipeline.sources.sentences import split_sentences

_ROLE_TOKEN = re.compile(
    r"(<)(?=[|｜][^|｜<>]{1,40}[|｜]>|</?SYS>>|/?s>|/?(?:start|end)_of_turn>|/?(?:bos|eos|pad|unk)>"
    r"|/?(?:system|user|assistant|tool_call|tool_response)>)"
    r"|(\[)(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS|TOOL_CONTENT)\])",
    re.I,
)
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_KEY_ENDS = re.compile(r"-----END [A-Z ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_ASSIGNED = (
    r"(?:pass(?:word|wd|phrase|wort)|kennwort|contraseña|mot de passe|密码|كلمة المرور|pwd|secret|token|api[_ -]?key"
    r"|access[_ -]?key|secret[_ -]?key|client[_ -]?secret|auth[_ -]?token)"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """Where in a text something private stands, and what it is."""

    start: int
    end: int
    what: str
    secret: bool


def _card(found: str) -> bool:
    """The lengths and first digits that cards have, and Luhn's check digit (ISO/IEC 7812)."""
    digits = [int(mark) for mark in found if mark.isdigit()]
    shown = "".join(map(str, digits))
    if not re.fullmatch(r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|(?:6011|65|64|35)\d{12,14}", shown):
        return False
    doubled = [
        digit if place % 2 else (2 * digit - 9 if digit > 4 else 2 * digit)
        for place, digit in enumerate(digits[::-1], 1)
    ]
    return sum(doubled) % 10 == 0


def _iban(found: str) -> bool:
    """Check digits by ISO 7064, mod 97-10."""
    plain = found.replace(" ", "")
    return 15 <= len(plain) <= 34 and int("".join(str(int(mark, 36)) for mark in plain[4:] + plain[:4])) % 97 == 1


def _phone(found: str) -> bool:
    return 7 <= sum(map(str.isdigit, found)) <= 15


def _mixed(found: str) -> bool:
    """No plain word: a value of letters alone after "token:" is more likely the next word of a sentence."""
    return any(map(str.isdigit, found)) and any(map(str.isalpha, found))


_LONG = re.compile(r"[\w./~+-]{15}")
_DIGITS = re.compile(r"\d(?:[ ()./-]{0,2}\d){6}")
_ASSIGNS = re.compile("[:=：]")
_AT = re.compile("@")
_BANKED = re.compile(r"[A-Z]{2}\d{2}")
_SIGNS = (_LONG, _DIGITS, _ASSIGNS, _AT, _BANKED)
"""Without its sign a text holds no hit of a pattern. Most prose has none, and costs no more than to see that."""


class _Pattern(NamedTuple):
    """How one kind of private text is known."""

    what: str
    regex: re.Pattern[str]
    test: Callable[[str], bool] | None
    sign: re.Pattern[str]
    secret: bool


_SECRETS = tuple(
    _Pattern(what, re.compile(pattern), test, sign, secret=True)
    for what, pattern, test, sign in (
        ("AWS key", r"\b((?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{16})\b", None, _LONG),
        ("GitHub token", r"\b(gh[oprsu]_[A-Za-z0-9]{30,255}|github_pat_\w{22,255})\b", None, _LONG),
        ("GitLab token", r"\b(glpat-[\w-]{20,64})", None, _LONG),
        ("Slack token", r"\b(xox[abeoprs]-[\w-]{10,250})|(hooks\.slack\.com/services/[\w/]{20,100})", None, _LONG),
        ("Google key", r"\b(AIza[\w-]{35}|GOCSPX-[\w-]{20,40}|ya29\.[\w-]{20,500})", None, _LONG),
        ("API key", r"\b(sk-(?:proj-|ant-|or-|svcacct-)?[\w-]{20,250}|[sr]k_(?:live|test)_\w{16,250})", _mixed, _LONG),
        (
            "access token",
            r"\b(hf_[A-Za-z0-9]{30,64}|npm_[A-Za-z0-9]{36}|pypi-AgE[\w-]{50,500}|dop_v1_[0-9a-f]{64})\b",
            None,
            _LONG,
        ),
        ("JSON web token", r"\b(eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,2000})", None, _LONG),
        ("password in an address", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,100}:([^\s/@]{1,200})@", None, _ASSIGNS),
        (
            "bearer token",
            r"(?i:\bauthorization:\s{0,3}(?:bearer|basic)|\bbearer)\s{1,3}([\w.~+/-]{16,2000}={0,2})",
            _mixed,
            _LONG,
        ),
        (
            "password",
            rf"(?i:{_ASSIGNED})[\"']?\s{{0,3}}[:=：]\s{{0,3}}[\"'“„]?([^\s\"'“”„,;]{{6,200}})",
            _mixed,
            _ASSIGNS,
        ),
    )
)
_PERSONAL = tuple(
    _Pattern(what, re.compile(pattern), test, sign, secret=False)
    for what, pattern, test, sign in (
        ("e-mail address", r"(?<![\w.+-])([\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24})\b", None, _AT),
        ("bank account", r"\b([A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?)\b", _iban, _BANKED),
        (
            "card number",
            r"(?<![\d.,-])((?:\d{4}[ -]){3}\d{1,7}|\d{4}[ -]\d{6}[ -]\d{5}|\d{13,19})(?![\d-])",
            _card,
            _DIGITS,
        ),
        ("social security number", r"(?<![\d-])((?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4})(?![\d-])", None, _DIGITS),
        ("phone number", r"(?<![\w+])(\+[1-9](?:[ ()./-]{0,2}\d){6,14})(?!\d)", _phone, _DIGITS),
        (
            "phone number",
            r"(?<![\d.-])((?:\([2-9]\d{2}\) ?|[2-9]\d{2}[-.])[2-9]\d{2}[-.]\d{4})(?![\d-])",
            None,
            _DIGITS,
        ),
        (
            "phone number",
            r"(?i:\b(?:tel(?:efone?|éfono|efon)?|phone|fax|mobile?|handy|móvil)|电话|هاتف)[.:：]{0,2}\s{0,3}"
            r"(\(?\d(?:[ ()./-]{0,2}\d){5,13})(?!\d)",
            _phone,
            _DIGITS,
        ),
    )
)


def hits(text: str) -> list[Hit]:
    """What is private in a text, from left to right; of two that overlap the one that begins first."""
    signs = {sign for sign in _SIGNS if sign.search(text)}
    found = [hit for pattern in (*_SECRETS, *_PERSONAL) if pattern.sign in signs for hit in _matches(text, pattern)]
    kept: list[Hit] = []
    for hit in sorted(found, key=lambda hit: (hit.start, not hit.secret, -hit.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


def _matches(text: str, pattern: _Pattern) -> Iterator[Hit]:
    for match in pattern.regex.finditer(text):
        group = match.lastindex or 0
        if pattern.test is None or pattern.test(match.group(group)):
            yield Hit(match.start(group), match.end(group), pattern.what, pattern.secret)


def guarded(reading: Reading, policy: PersonalData) -> Reading:
    """The reading with secrets masked, personal data as `policy` says, and role tokens taken apart.

    What was found is told in one line each, with its pages and never with its value.
    """
    guard = _Guard(policy, reading.unit)
    pages: list[tuple[int, list[Block]]] = []
    for number, blocks in reading.pages:
        kept = [shown for block in blocks if (shown := guard.take(block, number))]
        if len(kept) == len(blocks) or reading.unit not in PAIRED:  # half a pair is none
            pages.append((number, kept))
    return replace(reading, pages=pages, warnings=[*reading.warnings, *guard.told()])


class _Guard:
    """Takes block after block and remembers where it found what."""

    def __init__(self, policy: PersonalData, unit: Unit) -> None:
        self._policy = policy
        self._unit = unit
        self._in_key = False
        self._found: dict[tuple[bool, str], list[int]] = defaultdict(list)
        self._roles: list[int] = []

    def take(self, block: Block, page: int) -> Block | None:
        """The block as it may be shown, or None if nothing of it is left."""
        text, count = _ROLE_TOKEN.subn(lambda match: f"{match.group()} ", block.text)
        if count:
            self._roles.append(page)
        text = self._without_keys(text, page)
        found = hits(text)
        for hit in found:
            self._found[hit.secret, hit.what].append(page)
        # What was masked may have kept its neighbour from being seen, hence again until nothing is found.
        while private := [hit for hit in found if hit.secret or self._policy == "mask"]:
            text = _masked(text, private)
            found = hits(text)
        while found and self._policy == "drop":
            text = _without_sentences(text, found) if block.kind in {"prose", "item"} else ""
            found = hits(text)
        return replace(block, text=text) if text.strip() else None

    def _without_keys(self, text: str, page: int) -> str:
        """The text less private keys, which run over many blocks where their lines were not joined."""
        shown = ""
        while text:
            if self._in_key:
                end = _KEY_ENDS.search(text)
                self._in_key, text = end is None, text[end.end() :] if end else ""
            else:
                begin = _KEY_BEGINS.search(text)
                if begin is None:
                    return shown + text
                self._found[True, "private key"].append(page)
                shown += f"{text[: begin.start()]}[masked private key]"
                self._in_key, text = True, text[begin.end() :]
        return shown

    def told(self) -> list[str]:
        """One line for secrets, one for personal data, one for role tokens, as far as there are any."""
        done = {"report": "left as it is", "mask": "masked", "drop": "left out with its sentence"}[self._policy]
        lines = [
            f"{title}: "
            + "; ".join(self._counted(what, pages) for (kind, what), pages in self._found.items() if kind is secret)
            for secret, title in ((True, "secrets masked"), (False, f"personal data {done}"))
            if any(kind is secret for kind, _ in self._found)
        ]
        if self._roles:
            lines.append(f"tokens that open a turn were taken apart on {_pages(self._roles, self._unit)}")
        return lines

    def _counted(self, what: str, pages: list[int]) -> str:
        plural = "" if len(pages) == 1 else "es" if what.endswith("s") else "s"
        return f"{len(pages)} {what}{plural} on {_pages(pages, self._unit)}"


def _masked(text: str, private: list[Hit]) -> str:
    for hit in reversed(private):
        text = f"{text[: hit.start]}[masked {hit.what}]{text[hit.end :]}"
    return text


def _without_sentences(text: str, private: list[Hit]) -> str:
    return " ".join(
        text[start:end]
        for start, end in split_sentences(text)
        if not any(start < hit.end and hit.start < end for hit in private)
    )


def _pages(numbers: list[int], unit: Unit) -> str:
    unique = sorted(set(numbers))
    listed = ", ".join(map(str, unique[:10]))
    return f"{unit} {listed}" + (f" and {len(unique) - 10} more" if len(unique) > 10 else "")
