"""How many rows each set is to bring, so that all of them make up the share of train.jsonl that the recipe wants."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.mix.settings import Mix


def rows_for(share: float, answered: int, refusals: int, refused: float | None) -> int:
    """Rows that make up this share of train.jsonl beside `answered` own ones and refusals.

    Refusals are trained to a share of their own, `refused`, as far as the `refusals` that there are go; None: there
    is no such share.
    """
    if refused is not None and share + refused < 1:
        whole = answered / (1 - share - refused)
        if round(refused * whole) <= refusals:
            return round(share * whole)
    return round(share / (1 - share) * (answered + refusals))


def wanted_of(mix: Mix, answered: int, refusals: int, refused: float | None) -> dict[str, int | None]:
    """Rows of each set: of all together by weight, none above its cap; None is as many as there are."""
    if mix.share is None:
        return {name: one.cap for name, one in mix.sets.items()}
    return _parted(mix, rows_for(mix.share, answered, refusals, refused))


def _parted(mix: Mix, rows: int) -> dict[str, int | None]:
    """What a capped set leaves is parted among the others, by their weights."""
    weights = {name: one.weight or 1.0 for name, one in mix.sets.items()}
    found: dict[str, int | None] = dict.fromkeys(mix.sets, 0)
    open_sets = dict(weights)
    while open_sets:
        total = sum(open_sets.values())
        full = {
            name: cap
            for name, weight in open_sets.items()
            if (cap := mix.sets[name].cap) is not None and cap <= rows * weight / total
        }
        if not full:
            return found | _to_the_row(open_sets, rows)
        found |= full
        rows -= sum(full.values())
        open_sets = {name: weight for name, weight in open_sets.items() if name not in full}
    return found


def _to_the_row(weights: Mapping[str, float], rows: int) -> dict[str, int]:
    """Whole rows in these proportions; what rounding down leaves goes to the largest remainders, the first first."""
    exact = {name: rows * weight / sum(weights.values()) for name, weight in weights.items()}
    found = {name: int(one) for name, one in exact.items()}
    for name in sorted(exact, key=lambda name: found[name] - exact[name])[: rows - sum(found.values())]:
        found[name] += 1
    return found
