"""What imbalance costs and what class weights win back: differences with intervals."""

from collections.abc import Sequence

from tessera.evaluation.effects import Effect, effects
from tessera.evaluation.evidence import describe
from tessera.evaluation.roles import Roles, roles
from tessera.report.drawing import Drawing
from tessera.report.facts import alone
from tessera.report.load import Study
from tessera.report.style import QUIET, drawing, grid_of_axes, interval_row, svg

_LEVELLED = (
    " Nothing was made rare here: balanced training leaves images of the common "
    "classes out, the other regimes keep all."
)
_ALONE = (
    "Differences of one seed, which gives them no interval: none of them is decided."
)
_PAIRED = (
    "Paired differences. Diamonds are means over seeds, rings are single seeds, bars "
    "the 95 % interval of the mean; a bar that reaches the edge goes on beyond it. A "
    "filled diamond is decided: its bar leaves out zero."
)


def changes(study: Study) -> Drawing | None:
    """Draw every effect: a panel each, a row per model.

    Returns:
        The drawing, or None where the study has no pair of regimes to compare.
    """
    parts = roles(study.record.experiment, study.records)
    found = effects(parts)
    if not found:
        return None
    levelled = _LEVELLED if parts.natural else ""
    with drawing():
        picture = _panels(found, _rows(parts.models, found))
    return Drawing(
        key="changes",
        title=_title(parts),
        caption=(_ALONE if alone(study.record.experiment) else _PAIRED) + levelled,
        alternative=" ".join(_sentences(effect) for effect in found),
        svg=picture,
    )


def _title(parts: Roles) -> str:
    """What the panels show: a study may lack balanced runs, or class weights."""
    cost = "what imbalance costs" if parts.balanced else ""
    gain = "what class weights win back"
    weighted = any(imbalance.weighted for imbalance in parts.imbalances)
    told = ", ".join(filter(None, (cost, gain if weighted else "")))
    return told[0].upper() + told[1:]


def _rows(models: Sequence[str], found: Sequence[Effect]) -> list[str]:
    """A row for each model of some panel: another panel may lack its runs."""
    there = {model for effect in found for model, _ in effect.rows}
    return [model for model in models if model in there]


def _panels(found: Sequence[Effect], models: Sequence[str]) -> str:
    rows = len(models)
    figure, axes = grid_of_axes(
        len(found), columns=3, width=2.9, height=1.15 + 0.36 * rows
    )
    reach = 130 * max(
        abs(value) for effect in found for _, d in effect.rows for value in d.values
    )
    reach = max(reach, 1.0)
    for panel, effect in zip(axes, found, strict=True):
        for model, change in effect.rows:
            interval_row(panel, models.index(model), change, (-reach, reach))
        panel.axvline(0, color=QUIET, linewidth=1)
        panel.set_xlim(-reach, reach)
        panel.set_yticks(range(rows), models)
        panel.set_title(f"{effect.score},\n{effect.title}")
        panel.grid(axis="x")
        panel.set_axisbelow(True)
    axes[0].set_ylim(rows - 0.4, -0.6)
    figure.supxlabel("difference, points", fontsize=9)
    return svg(figure)


def _sentences(effect: Effect) -> str:
    rows = "; ".join(f"{model}: {describe(change)}" for model, change in effect.rows)
    return f"{effect.score.capitalize()}, {effect.title}. {rows}."
