"""Pictures of a training, drawn with matplotlib: a loss curve, and what more data brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from train.files import renamed_into_place

WIDE = (7.2, 4.0)
BLUE, ORANGE, GREY = "#2f6db3", "#c8641c", "#666666"


def draw_loss(path: Path, title: str, steps: Sequence[int], losses: Sequence[float], rates: Sequence[float]) -> None:
    """The loss over the steps on a logarithmic scale, the learning rate beside it."""
    figure, axes = _figure(title)
    axes.plot(steps, losses, color=BLUE, linewidth=1.8)
    axes.set_yscale("log")
    axes.set_xlabel("optimiser step")
    axes.set_ylabel("loss on the answers", color=BLUE)
    beside = axes.twinx()
    beside.plot(steps, rates, color=ORANGE, linewidth=1.0, linestyle="--")
    beside.set_ylabel("learning rate", color=ORANGE)
    beside.set_ylim(bottom=0)
    _save(figure, path)


def draw_gain(
    path: Path, title: str, measured: Mapping[str, Sequence[tuple[int, float, float, float]]], ylabel: str
) -> None:
    """Each line a measure over the number of rows, with its mean, lowest and highest seed."""
    figure, axes = _figure(title)
    for (name, points), colour in zip(measured.items(), (BLUE, ORANGE, GREY, "#3a8f4a", "#8a4fae"), strict=False):
        rows = [point[0] for point in points]
        means = [point[1] for point in points]
        axes.fill_between(rows, [one[2] for one in points], [one[3] for one in points], color=colour, alpha=0.15)
        axes.plot(rows, means, color=colour, linewidth=1.8, marker="o", label=name)
    ticks = sorted({point[0] for points in measured.values() for point in points})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("rows trained on")
    axes.set_ylabel(ylabel)
    axes.legend(frameon=False, loc="best")
    _save(figure, path)


def _figure(title: str) -> tuple[Any, Any]:
    """Without pyplot: no window system is looked for, and nothing is kept between two pictures."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=WIDE, dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=10)
    axes.grid(color="#dddddd", linewidth=0.6)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    with renamed_into_place(path) as aside:
        # Without its version and the hour, the same training gives the same bytes.
        figure.savefig(aside, format="png", metadata={"Software": None})
