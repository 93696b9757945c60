"""The class distribution: training images per class under every profile."""

import numpy as np
from matplotlib.ticker import StrMethodFormatter

from tessera.evaluation.comparison import regimes_by_counts
from tessera.phrases import in_list, listed
from tessera.report.drawing import Drawing
from tessera.report.load import Study
from tessera.report.shown import joined
from tessera.report.style import HATCHES, INK, PALETTE, drawing, grid_of_axes, svg
from tessera.report.words import short

_LABELLED = 30


def distinct_counts(study: Study) -> dict[str, tuple[int, ...]]:
    """Training images per class, by the regimes that share them.

    Returns:
        `{"imbalanced and weighted": (4500, ...)}`, in the experiment's order.
    """
    shared = regimes_by_counts(study.cells)
    return {joined(names): counts for counts, names in shared.items()}


def class_distribution(study: Study) -> Drawing:
    """Draw a group of bars per class, a bar per distinct profile."""
    profiles = distinct_counts(study)
    names = study.record.data.class_names
    with drawing():
        picture = _bars(profiles, names)
    return Drawing(
        key="class-distribution",
        title="Training images per class",
        caption="What the optimiser saw, validation images apart. Regimes that share a "
        f"bar are trained on {_in_common(study)}.",
        alternative="Bar chart. "
        + " ".join(_sentence(name, c, names) for name, c in profiles.items()),
        svg=picture,
    )


def _in_common(study: Study) -> str:
    """What regimes of the same counts have in common."""
    regimes = study.record.experiment.regimes
    if len({regime.profile.selection for regime in regimes}) == 1:
        return "the same images"
    return "as many, which a seed or the reference selection chooses"


def _bars(profiles: dict[str, tuple[int, ...]], names: tuple[str, ...]) -> str:
    thick = 0.8 / len(profiles)
    height = 0.7 + len(names) * (0.12 + 0.17 * len(profiles))
    figure, (axes,) = grid_of_axes(1, columns=1, width=6.6, height=height)
    for i, (name, counts) in enumerate(profiles.items()):
        rows = np.arange(len(names)) + (i - (len(profiles) - 1) / 2) * thick
        bars = axes.barh(
            rows,
            counts,
            thick * 0.92,
            color=PALETTE[i % len(PALETTE)],
            hatch=HATCHES[i % len(HATCHES)],
            label=name,
        )
        if len(names) <= _LABELLED:
            axes.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=7.5, color=INK)
    axes.set_yticks(range(len(names)), [short(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlabel("training images")
    axes.margins(x=0.1)
    figure.legend(loc="outside upper left", ncols=min(len(profiles), 3))
    return svg(figure)


def _sentence(name: str, counts: tuple[int, ...], names: tuple[str, ...]) -> str:
    few, many = min(counts), max(counts)
    if few == many:
        return f"{name}: {few:,} images of every class."
    rare = [in_list(n) for n, c in zip(names, counts, strict=True) if c < many]
    return f"{name}: {few:,} to {many:,} images per class; rarer are {listed(rare)}."
