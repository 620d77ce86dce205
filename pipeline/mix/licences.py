"""Licences by their SPDX names, and what follows from them for a dataset that several go into."""

from __future__ import annotations

import re
from collections.abc import Iterable

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

UNKNOWN = "unknown"
"""What a recipe says where nobody knows: it is trained on, and no licence follows."""
_ALSO_CALLED = {
    "apache-2": "Apache-2.0",
    "cc0": "CC0-1.0",
    "cc-zero": "CC0-1.0",
    "odbl": "ODbL-1.0",
    "odc-by": "ODC-By-1.0",
    "pddl": "PDDL-1.0",
    "public-domain": "LicenseRef-public-domain",
    "openrail": "LicenseRef-OpenRAIL",
}
"""Names that the hub and people use, in small letters with hyphens."""
_NON_COMMERCIAL = re.compile(
    r"(?:^|[-+.\s(])(?:nc|ncgl|non-?commercial|research-only|academic)(?:$|[-+.\s)])", re.IGNORECASE
)
_ASKS_NOTHING = frozenset({"CC0-1.0", "PDDL-1.0", "Unlicense", "0BSD", "MIT-0", "LicenseRef-public-domain"})
"""Licences that ask nothing of what is made with the material, not even a name."""


def spdx(licence: str) -> str:
    """The licence as SPDX writes it (https://spdx.org/licenses), or `unknown`. Raises ValueError if it is neither.

    `cc-by-nc-4.0`, `CC BY-NC 4.0` and `apache 2.0` are understood; a licence that has no such name is written
    `LicenseRef-NAME`, and several may stand in an expression (`MIT OR Apache-2.0`).
    """
    said = licence.strip()
    if said.lower() == UNKNOWN:
        return UNKNOWN
    hyphened = (
        re.sub(r"[\s_]+", "-", said.lower()).removeprefix("the-").removesuffix("-licence").removesuffix("-license")
    )
    for name in (said, _ALSO_CALLED.get(hyphened, hyphened)):
        try:
            return str(canonicalize_license_expression(name))
        except InvalidLicenseExpression:
            continue
    raise ValueError(
        "expected an SPDX id such as CC-BY-4.0 or Apache-2.0 (https://spdx.org/licenses), LicenseRef-NAME for a licence"
        " that has none, or unknown"
    )


def non_commercial(licence: str) -> bool:
    """Whether it lets nobody earn by what it covers: CC-BY-NC and its kin. Of a choice (`OR`) the freest counts."""
    return all(_NON_COMMERCIAL.search(part) is not None for part in re.split(r"\s+OR\s+", licence))


def following(licences: Iterable[str]) -> str:
    """The licence that a whole made of parts under these has, where it is plain: the one that all ask for.

    Parts that ask nothing are left out of account, so what is added to the public domain stays its author's to
    license. Empty where parts disagree or one is unknown, for then somebody has to decide.
    """
    asked = {licence for licence in licences if licence not in _ASKS_NOTHING} or set(licences)
    return next(iter(asked)) if len(asked) == 1 and UNKNOWN not in asked else ""
