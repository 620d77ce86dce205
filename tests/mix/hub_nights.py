"""Several nights with a hub on this machine, played in a process of their own: the libraries read its address once.

    python -m tests.mix.hub_nights FOLDER

prints, for each night by name, what came of it as one JSON object.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tests.mix.fake_hub import NAME, FakeHub

OLD, NEW = "a" * 40, "b" * 40


def _rows(count: int) -> bytes:
    pairs = ({"question": f"What is {n}?", "answer": f"It is number {n}."} for n in range(count))
    return b"".join(json.dumps(pair).encode() + b"\n" for pair in pairs)


def main(folder: Path) -> None:
    """Play them."""
    told = {}
    with FakeHub({OLD: _rows(50)}, {"v1": OLD}) as hub:
        os.environ |= {"HF_ENDPOINT": hub.url, "HF_HUB_OFFLINE": "0", "HF_HOME": str(folder / "home")}
        night = _nights(hub, folder)
        told["first"] = night("")
        told["nothing newer"] = night("")
        told["tag"] = night("v1")
        told["commit"] = night(OLD)
        hub.commits[NEW] = _rows(80)
        told["newer"] = night("")
        told["tag again"] = night("v1")
    told["away"] = night("")
    told["tag, away"] = night("v1")
    told["commit, away"] = night(OLD)
    told["other, away"] = night("v2")
    sys.stdout.write(json.dumps(told))


def _nights(hub: FakeHub, folder: Path) -> Callable[[str], dict[str, object]]:
    from pipeline.errors import TryAgainLater
    from pipeline.mix.kept import Shelf
    from pipeline.mix.settings import ImportedSet
    from pipeline.mix.supply import open_set, supply_of

    def night(revision: str) -> dict[str, object]:
        """One set a revision, each with a name of its own."""
        hub.asked.clear()
        shelf, wanted = Shelf(folder), ImportedSet(hub=NAME, licence="MIT", revision=revision)
        try:
            opened = open_set(f"chats{revision[:3]}", wanted, folder, "s", shelf)
            supply = supply_of(opened, shelf, folder)
            rows = [ticket.question for ticket in supply.tickets(None, lambda row, more: None)]
        except TryAgainLater as fault:
            return {"fault": str(fault)}
        assert supply.kept is not None
        return {
            "revision": supply.kept.account.revision, "rows": rows, "warnings": supply.warnings,
            "fetched": hub.asked["file"] > 0, "asked": hub.asked["info"] > 0,
        }  # fmt: skip

    return night


if __name__ == "__main__":
    main(Path(sys.argv[1]))
