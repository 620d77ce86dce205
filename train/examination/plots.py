"""The plots of examination.html, as SVG in the colours of the page, light or dark as that is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from pygal import HorizontalBar
from pygal.style import Style

from train.examination.intervals import Measure

Series = Mapping[str, str]
"""Name to colour."""
_WIDTH = 460
_BAR = 15
_SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)


def shares(by_name: Mapping[str, Sequence[Measure]], series: Series, label: str) -> str:
    """Shares in percent with their intervals: one group a name, in it one bar a series."""
    chart = _chart(len(by_name), series)
    chart.range = (0, 100)
    chart.y_labels = (0, 25, 50, 75, 100)
    chart.x_labels = list(by_name)[::-1]  # pygal draws from the bottom up
    for place, name in enumerate(series):
        chart.add(name, [_with_interval(found[place]) for found in list(by_name.values())[::-1]])
    return _svg(chart, label)


def counts(by_name: Mapping[str, Sequence[int]], series: Series, label: str) -> str:
    """Numbers of things: one group a name, in it one bar a series; the last series' number stands with the name."""
    chart = _chart(len(by_name), series)
    chart.config.show_x_labels = False
    names = list(by_name)[::-1]
    chart.x_labels = [f"{name} · {by_name[name][-1]:,}" for name in names]
    for place, name in enumerate(series):
        chart.add(name, [by_name[of][place] for of in names])
    return _svg(chart, label)


def _chart(groups: int, series: Series) -> Any:
    return HorizontalBar(
        width=_WIDTH,
        height=30 + groups * (10 + _BAR * len(series)),
        style=Style(
            background="transparent",
            plot_background="transparent",
            foreground="var(--ink)",
            foreground_strong="var(--ink)",
            foreground_subtle="var(--line)",
            colors=tuple(series.values()),
            ci_colors=("var(--ink)",) * len(series),
            opacity="1",
            opacity_hover="0.8",
            transition="0s",
            font_family="inherit",
            label_font_size=13,
            major_label_font_size=13,
        ),
        js=(),  # else it asks a server of its makers for a script
        show_legend=False,  # one legend stands above all plots
        disable_xml_declaration=True,
        print_values=False,
        explicit_size=False,
        margin=4,
        margin_right=16,
        classes=("plot",),
        truncate_label=48,
        show_x_guides=False,
        show_y_guides=False,
        spacing=4,
    )


def _with_interval(found: Measure) -> dict[str, Any] | None:
    if found.value is None:
        return None
    if found.low is None or found.high is None:
        return {"value": 100 * found.value}
    return {"value": 100 * found.value, "ci": {"low": 100 * found.low, "high": 100 * found.high}}


def _svg(chart: Any, label: str) -> str:
    """Named for those who cannot see it, and without the script that would make it move."""
    drawn = _SCRIPT.sub("", chart.render(is_unicode=True))
    return drawn.replace("<svg ", f'<svg role="img" aria-label={quoteattr(label)} ', 1)
