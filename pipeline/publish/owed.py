"""What a folder owes to others: the sets that are mixed in, their shares and their licences, as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from pipeline.publish.schema import Manifest, MixedSet

_ON_THE_HUB = {"ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl", "PDDL-1.0": "pddl", "BSD-3-Clause": "bsd-3-clause"}


def licence_head(licence: str) -> str:
    """Lines of a README's head that state a licence; a comment where it is for a person to choose."""
    if licence.startswith("LicenseRef-"):
        return yaml.safe_dump({"license": "other", "license_name": licence}, sort_keys=False)
    if licence:
        return yaml.safe_dump({"license": _ON_THE_HUB.get(licence, licence.lower())})
    return "# license: yours to choose; mind the licence of the sources and the terms of the teacher\n"


def licence_of(manifest: Manifest, rows: Mapping[str, int]) -> str:
    """Of a folder that holds so many rows of each set: where it holds none, what was drafted stands alone."""
    return manifest.licence if any(rows.values()) else manifest.licence or manifest.own_licence


def owed(manifest: Manifest, rows: Mapping[str, int], trained: int) -> list[str]:
    """Paragraphs that name each set with its rows among the `trained` ones of this folder, and what holds of the
    whole."""
    return [_mixed_in(manifest, rows, trained), _whole(manifest, rows)]


def _mixed_in(manifest: Manifest, rows: Mapping[str, int], trained: int) -> str:
    lines = [
        f"| `{name}` | {count} | {count / max(trained, 1):.1%} | {one.licence} | {_place(one)} |"
        for name, count in rows.items()
        for one in [manifest.mix[name]]
    ]
    head = "| set | rows | of `train` | licence | from |\n|---|---|---|---|---|\n"
    return (
        "Mixed in, of sets that others made (rows of kind `imported`: trained, never held out, no question of a slice"
        f" among them):\n\n{head}" + "\n".join(lines) + "\n"
    )


def _place(one: MixedSet) -> str:
    where = f"{one.parts}{f' at {one.revision}' if one.revision else ''}"
    return f"{where}, {one.url}" if one.url else where


def _whole(manifest: Manifest, rows: Mapping[str, int]) -> str:
    """What holds of the whole, or why nobody but a person can say."""
    if manifest.licence:
        return f"Licence of the whole: {manifest.licence}, for none of its parts asks for another.\n"
    own = manifest.own_licence or "not stated"
    listed = ", ".join(f"`{name}` {manifest.mix[name].licence}" for name, count in rows.items() if count) or "none"
    return (
        f"Licence of the whole: **not settled**. What was drafted: {own}; what was mixed in: {listed}. Each part keeps"
        " its own; whoever publishes the whole has to see which one they allow together.\n"
    )
