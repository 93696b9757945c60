"""Training and validation curves: one panel per cell, a line per seed, their mean."""

from collections.abc import Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from tessera.evaluation.comparison import mean_curve
from tessera.experiment import Experiment
from tessera.history import Columns
from tessera.phrases import listed
from tessera.record import Record
from tessera.remedies import CrossEntropy
from tessera.report import shown
from tessera.report.drawing import Drawing
from tessera.report.facts import alone
from tessera.report.load import Study
from tessera.report.style import (
    PALETTE,
    PAPER,
    drawing,
    grid_of_axes,
    legend_above,
    svg,
)

Quantity = Literal["accuracy", "loss"]

_LINES = (("training", "", PALETTE[1], "--"), ("validation", "val_", PALETTE[0], "-"))


def curves(study: Study, quantity: Quantity) -> Drawing:
    """Draw a quantity of `history.csv` over the epochs, for every cell."""
    with drawing():
        picture = _panels(study, quantity)
    return Drawing(
        key=f"curves-{quantity}",
        title=f"Training and validation {quantity}",
        caption=f"{_lines(study)}; {_dots(study)}. Training values are measured while "
        f"the weights change{_harder(study.record.experiment)}, so they can lie on the "
        f"worse side of validation.{_what(study, quantity)}{shown.note(study.record)}",
        alternative=f"Line charts of {quantity} against epoch. "
        + " ".join(
            _sentence(study, *cell, quantity) for cell in shown.cells(study.record)
        ),
        svg=picture,
    )


def _lines(study: Study) -> str:
    if alone(study.record.experiment):
        return "Lines are of one seed"
    return "Thin lines are seeds, thick lines their mean"


def _harder(experiment: Experiment) -> str:
    """What makes training images harder than validation images, after a comma."""
    trained = [model.trained(experiment.training) for model in experiment.models]
    remedies = [regime.remedy for regime in experiment.regimes]
    augmented = any(training.augments for training in trained) or any(
        remedy.mixing or remedy.variation for remedy in remedies
    )
    # Blocks of attention drop some weights, whatever the settings.
    dropped = any(
        getattr(model, "dropout", 1.0) or getattr(model, "depth", 0)
        for model in experiment.models
    )
    parts = ["on augmented images"] * augmented + ["with dropout"] * dropped
    return f", {listed(parts)}" if parts else ""


def _dots(study: Study) -> str:
    if folds := study.record.experiment.pooled:
        return (
            f"a seed's line is the mean of {folds} folds, as far as all were trained, "
            "and its dot the median of the epochs whose weights were kept"
        )
    return "dots mark the epochs whose weights were kept"


def _what(study: Study, quantity: Quantity) -> str:
    """What a reader may take these curves for, and they are not; a space before it."""
    if quantity == "loss":
        return _training_loss(study.record.experiment)
    fewest, most = (f(study.record.data.test_counts) for f in (min, max))
    follow = " The validation images follow the training images' distribution"
    if fewest == most:
        return (
            f"{follow}: under imbalance this is not the accuracy on balanced test "
            "images."
        )
    return (
        f"{follow}, the test images their own ({fewest:,} to {most:,} per class): "
        "where a regime's differs from that, this is not the accuracy on the test "
        "images."
    )


def _training_loss(experiment: Experiment) -> str:
    """How the loss that is trained on differs from that of validation."""
    remedies = [regime.remedy for regime in experiment.regimes]
    weighted = any(remedy.weights for remedy in remedies)
    others = any(remedy.loss != CrossEntropy() for remedy in remedies)
    return (
        " With class weights the training loss is the weighted one." * weighted
        + " Where a regime has another loss, training shows that one." * others
    )


def _panels(study: Study, quantity: Quantity) -> str:
    cells = shown.cells(study.record)
    columns = len({regime for _, regime in cells})
    figure, axes = grid_of_axes(
        len(cells), columns=min(columns, 4), width=2.9, height=2.0
    )
    for panel, (model, regime) in zip(axes, cells, strict=True):
        runs = study.cells[model, regime]
        _panel(panel, study.histories(model, regime), runs, quantity)
        panel.set_title(f"{model}, {regime}")
    figure.supxlabel("epoch", fontsize=9)
    figure.supylabel(_axis(quantity), fontsize=9)
    legend_above(figure, axes)
    return svg(figure)


def _axis(quantity: Quantity) -> str:
    return "accuracy, %" if quantity == "accuracy" else "cross-entropy, nats"


def _panel(
    axes: Axes, histories: Sequence[Columns], runs: Sequence[Record], quantity: Quantity
) -> None:
    unit = 100 if quantity == "accuracy" else 1
    for name, prefix, colour, dash in _LINES:
        lines = [unit * h[prefix + quantity] for h in histories]
        for line, run in zip(lines, runs, strict=True):
            epochs = range(1, len(line) + 1)
            axes.plot(epochs, line, dash, color=colour, linewidth=0.7, alpha=0.5)
            if prefix and 1 <= run.best_epoch <= len(line):
                best = line[run.best_epoch - 1]
                axes.plot(run.best_epoch, best, "o", color=colour, mec=PAPER, ms=4.5)
        mean = mean_curve(lines)
        axes.plot(
            range(1, len(mean) + 1), mean, dash, color=colour, linewidth=1.8, label=name
        )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
    axes.grid(axis="y")


def _sentence(study: Study, model: str, regime: str, quantity: Quantity) -> str:
    last = mean_curve([h[f"val_{quantity}"] for h in study.histories(model, regime)])[
        -1
    ]
    value = f"{100 * last:.1f} %" if quantity == "accuracy" else f"{last:.2f}"
    return f"{model}, {regime}: validation ends at {value}."
