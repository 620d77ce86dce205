"""The plots of the report, as SVG that takes its colours from the page, so that it is light or dark as the page is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import quoteattr

from pygal import Bar, HorizontalBar
from pygal.style import Style

_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground="var(--ink)",
    foreground_strong="var(--ink)",
    foreground_subtle="var(--line)",
    colors=("var(--bar)",),
    opacity="1",
    opacity_hover="0.8",
    transition="0s",
    font_family="inherit",
    label_font_size=13,
    major_label_font_size=13,
    no_data_font_size=16,
)
_PLAIN = {
    "style": _STYLE,
    "js": (),  # else it asks a server of its makers for a script
    "show_legend": False,
    "disable_xml_declaration": True,
    "print_values": False,
    "explicit_size": False,
    "margin": 4,
    "classes": ("plot",),
    "truncate_label": 48,
    "no_data_text": "nothing yet",
}
_SCRIPT = re.compile(r"<script.*?</script>", re.DOTALL)
_MOST_COLUMNS = 24
_WIDTH = 440
"""Of the drawing. It is scaled to the column it stands in, about a third of a wide page, all of a phone."""


def bars(counts: Mapping[str, int], label: str) -> str:
    """One bar a name, from the top down as given; the number stands with the name, where no bar hides it."""
    names = list(counts)[::-1]  # pygal draws from the bottom up
    chart = HorizontalBar(
        width=_WIDTH, height=20 + 24 * len(names), show_x_labels=False, show_x_guides=False, show_y_guides=False,
        spacing=4, **_PLAIN,
    )  # fmt: skip
    chart.x_labels = [f"{name.replace('_', ' ')} · {counts[name]:,}" for name in names]
    chart.add("", [counts[name] for name in names])
    return _svg(chart, label)


def histogram(counts: Mapping[int, int], label: str) -> str:
    """How often each number was met, in columns of equal width, at most 24."""
    width = 1 + (max(counts, default=0) - min(counts, default=0)) // _MOST_COLUMNS
    first = min(counts, default=0) // width
    columns = [0] * (max(counts, default=0) // width - first + 1)
    for number, count in counts.items():
        columns[number // width - first] += count
    chart = Bar(width=_WIDTH, height=200, y_labels_major_count=3, show_minor_y_labels=False, spacing=2, **_PLAIN)
    starts = range(first * width, (first + len(columns)) * width, width)
    chart.x_labels = [str(start) if width == 1 else f"{start}–{start + width - 1}" for start in starts]
    chart.x_labels_major_count, chart.show_minor_x_labels = 6, False
    chart.add("", columns if counts else [])
    return _svg(chart, label)


def _svg(chart: Any, label: str) -> str:
    """Named for those who cannot see it, and without the script that would make it move."""
    drawn = _SCRIPT.sub("", chart.render(is_unicode=True))
    return drawn.replace("<svg ", f'<svg role="img" aria-label={quoteattr(label)} ', 1)
