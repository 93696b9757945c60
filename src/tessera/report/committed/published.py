"""A long-tailed study beside a published ranking of the same remedies, in Markdown.

The published errors are those of Zhang et al. 2021 ("Bag of Tricks for Long-Tailed
Visual Recognition with Deep Convolutional Neural Networks", AAAI), as their repository
lists them: CIFAR-10, imbalance factor 100, ResNet-32, 200 epochs. One protocol, so that
the order means something; the numbers themselves are of another network, of images that
were not re-encoded, and of a training many times as long.
"""

from scipy import stats

from tessera.catalogue import label
from tessera.experiment import Exponential
from tessera.phrases import plural
from tessera.record import CellSummary, StudyRecord
from tessera.report.tables import markdown

FACTOR = 100.0

ERRORS = {
    "plain": 29.64,
    "class-weights": 31.70,
    "effective-number": 29.52,
    "focal": 28.44,
    "class-balanced-focal": 24.80,
    "ldam": 26.34,
    "ldam-drw": 22.27,
    "balanced-softmax": 22.46,
    "label-aware-smoothing": 27.49,
    "deferred-weights": 25.36,
    "deferred-sampling": 24.93,
    "balanced-sampling": 27.55,
    "square-root-sampling": 28.58,
    "progressive-sampling": 28.02,
    "mixup": 25.94,
    "remix": 26.57,
    "crt": 25.01,
    "lws": 27.37,
    "tau-normalisation": 27.30,
}
"""Published top-1 errors on the balanced test set, in percent."""


def beside_published(record: StudyRecord) -> str:
    """A table of ranks and their correlation; empty without a comparable profile."""
    cells = comparable(record)
    if len(cells) < 3:
        return ""
    names = list(cells)
    ours = [100 * (1 - cells[name].scores["accuracy"].mean) for name in names]
    theirs = [ERRORS[name] for name in names]
    rho, p = stats.spearmanr(ours, theirs)
    ranks = [stats.rankdata(errors, "min") for errors in (theirs, ours)]
    order = sorted(range(len(names)), key=lambda i: theirs[i])
    rows = [
        [
            names[i],
            f"{theirs[i]:.2f}",
            str(ranks[0][i]),
            f"{ours[i]:.1f}",
            str(ranks[1][i]),
        ]
        for i in order
    ]
    head = ["Remedy", "Published error, %", "Rank", "Error here, %", "Rank here"]
    seeds = plural(len(record.experiment.seeds), "seed")
    return (
        "**The published ranking.** Zhang et al. 2021 (AAAI) trained these remedies in "
        "one protocol: CIFAR-10 at imbalance factor 100, ResNet-32, 200 epochs. Here: "
        f"{record.experiment.training.epochs} epochs of a small model, {seeds}, "
        f"{record.data.name}. Spearman's rank correlation of the two columns of errors "
        f"is {rho:+.2f}, over {len(names)} rows{_sureness(p)}.\n\n"
        f"{markdown(head, rows)}\n"
    )


def comparable(record: StudyRecord) -> dict[str, CellSummary]:
    """The cells of the first model whose profile and remedy were published, by name."""
    if len(record.data.class_names) != 10 or "CIFAR-10" not in record.data.name:
        return {}
    first = record.cells[0].model
    cells = {c.regime: c for c in record.cells if c.model == first}
    found = {}
    for regime in record.experiment.regimes:
        profile, name = regime.profile, label(regime.remedy)
        same = isinstance(profile, Exponential) and profile.factor == FACTOR
        if same and name in ERRORS and regime.name in cells:
            found[name] = cells[regime.name]
    return found


def _sureness(p: float) -> str:
    """Whether the order could be chance, by Spearman's test."""
    verdict = "more than chance" if p < 0.05 else "which chance could give as well"
    return f" (p = {p:.2f}: {verdict})"
