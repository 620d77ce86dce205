"""Which fault a request meets: a draw that depends on its bytes, never on its order of arrival."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from hashlib import blake2b
from itertools import accumulate

SOUND = "sound"
"""What is drawn where no fault is."""


def identity(body: bytes) -> bytes:
    """Names a body by its bytes."""
    return blake2b(body, digest_size=16).digest()


def draw(seed: int, body: bytes, meeting: int, purpose: str) -> float:
    """A number in [0, 1) that is this body's (given its identity) at this meeting, for this purpose and no other."""
    said = b"%d\x1f%d\x1f%b\x1f%b" % (seed, meeting, purpose.encode(), body)
    return int.from_bytes(blake2b(said, digest_size=8).digest()) / 2**64


class Lots:
    """The faults that can be drawn, each with its share; the rest is SOUND."""

    def __init__(self, shares: Mapping[str, float]) -> None:
        drawn = {name: share for name, share in shares.items() if share > 0}
        self._names = [*drawn, SOUND]
        self._bounds = list(accumulate(drawn.values()))

    def __bool__(self) -> bool:
        return bool(self._bounds)

    def at(self, number: float) -> str:
        """The lot at a number in [0, 1)."""
        return self._names[bisect_right(self._bounds, number)]
