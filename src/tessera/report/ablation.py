"""A study of one model's variants -> the table of what each ingredient contributes.

python -m tessera.report.ablation docs/hybrid-plus.md results/ablation
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from tessera.evaluation.blocks import Contribution, against_first
from tessera.evaluation.differences import spread
from tessera.evaluation.evidence import plural, points
from tessera.report import marked, provenance, words
from tessera.report.load import Study, load
from tessera.report.tables import markdown

SCORE = "val_balanced_accuracy"
"""Of a history's row: choices are made on validation images, never on the test set."""


def ablation(study: Study) -> str:
    """The table of a study whose first model is compared with all its others.

    Args:
        study: Of one regime, with at least 2 models and 2 seeds.

    Raises:
        ValueError: It has too few models or seeds.
    """
    cells = study.record.cells
    scores = [_validation(study, cell.model, cell.regime) for cell in cells]
    rows = [
        [
            cell.model,
            words.percent(spread(values)),
            *(("", "") if found is None else _words(found)),
            f"{cell.parameters:,}",
            words.millions(cell.multiply_adds),
        ]
        for cell, values, found in zip(
            cells, scores, (None, *against_first(scores)), strict=True
        )
    ]
    base = f"Less {cells[0].model}, points"
    head = ["Variant", "Balanced accuracy", base, "Decided"]
    table = markdown([*head, "Parameters", "Multiply-adds"], rows)
    training, seeds = study.record.experiment.training, study.record.experiment.seeds
    note = (
        f"**{study.record.data.name}**, {plural(training.epochs, 'epoch')}: balanced "
        "accuracy on validation images, on which ingredients are chosen, in percent, "
        f"mean {words.PLUS_MINUS} standard deviation over "
        f"{plural(len(seeds), 'seed')}; differences with 95 % intervals "
        "from the scatter of all variants (docs/methods.md, *Ablation*); "
        "decided: after Holm's correction."
    )
    return f"{note}\n\n{table}\n\n{provenance.line(study.record)}\n"


def _validation(study: Study, model: str, regime: str) -> list[float]:
    """The best epoch's score, by rising seed."""
    return [float(h[SCORE].max()) for h in study.histories(model, regime)]


def _words(found: Contribution) -> tuple[str, str]:
    interval = f"{points(found.mean)} [{points(found.low)}, {points(found.high)}]"
    if not found.decided:
        return interval, "no"
    return interval, "better" if found.mean > 0 else "worse"


def main(arguments: Sequence[str]) -> None:
    """Run from the command line: a page with markers, then the study's folder."""
    if len(arguments) != 2:
        raise SystemExit("usage: python -m tessera.report.ablation PAGE.md STUDY")
    page, folder = map(Path, arguments)
    marked.replace(page, "ablation", ablation(load(folder)))


if __name__ == "__main__":
    main(sys.argv[1:])
