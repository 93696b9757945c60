"""A study's folder -> one self-contained HTML file and its figures as SVG."""

import html
import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from tessera import files
from tessera.evaluation.comparison import reduced_classes
from tessera.evaluation.roles import rare_word
from tessera.phrases import listed
from tessera.report import (
    by_class,
    ensembles,
    facts,
    faithfulness,
    provenance,
    recipes,
    shown,
    statistics,
    used,
    words,
)
from tessera.report.answer import answer
from tessera.report.distribution import distinct_counts
from tessera.report.drawing import Drawing
from tessera.report.figures import Figures, figures
from tessera.report.load import Study, load
from tessera.report.style import inline, standalone
from tessera.report.templates import Filters, render, source

_TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Unicode's marks that turn the direction of the text after them, whose ever it is."""
_ISOLATE, _END = "\u2068", "\u2069"


def write_report(study_folder: Path, *, images: bool = True) -> Path:
    """Write `report.html` and `figures/*.svg` into a study's folder.

    Args:
        study_folder: Holds `study.json` and the runs that it names.
        images: Whether to show pictures of the dataset (Grad-CAM galleries, mistakes);
            without them the report can be passed on where the images cannot.

    Returns:
        The report's path.

    Raises:
        StudyError: The folder holds no finished study, or one that cannot be read.
    """
    study = load(study_folder)
    drawn = figures(study, images=images)
    for drawing in drawn.all():
        path = study.folder.figures / f"{drawing.key}.svg"
        files.write_text(path, standalone(drawing.svg))
    files.write_text(study.folder.report, page(study, drawn))
    return study.folder.report


def page(study: Study, drawn: Figures) -> str:
    """The report as HTML text."""
    text = render("page.html", filters=_filters(), **_values(study, drawn))
    return isolated(_TURNS.sub("", text), study.record.data.class_names)


@cache
def _filters() -> Filters:
    return {
        **statistics.filters(),
        "percent": lambda spread: words.percent(spread).replace(" ", words.NO_BREAK),
        "seconds": words.seconds,
        "millions": words.millions,
        "inline": _inline,
        "tidy": words.tidy,
    }


def isolated(text: str, names: Sequence[str]) -> str:
    """Keep names written from right to left from turning what stands after them.

    Without that, `said NAME, 3 %` is shown as `said 3 ,NAME %` (Unicode's annex 9).
    A file's path stays as it is, so that it can be copied.
    """
    turning = [n for n in names if any(map(_leftward, n))]
    if not turning:
        return text
    ways = [w for n in turning for w in {str(escape(n)), html.escape(n, quote=False)}]
    longest_first = "|".join(map(re.escape, sorted(ways, key=len, reverse=True)))
    return re.sub(rf"(?>{longest_first})(?!/)", rf"{_ISOLATE}\g<0>{_END}", text)


def _leftward(letter: str) -> bool:
    return unicodedata.bidirectional(letter) in ("R", "AL")


def _values(study: Study, drawn: Figures) -> dict[str, Any]:
    record = study.record
    columns = words.columns(record)
    return {
        "study": record,
        "answer": answer(study),
        "used": used.sentence(study),
        "columns": columns,
        "best": {score: words.best(record.cells, score) for score, _ in columns},
        "class_tables": by_class.tables(study),
        "regimes": shown.finished(record),
        "figures": drawn,
        "counts": distinct_counts(study),
        "reduced": [record.data.class_names[i] for i in reduced_classes(study.records)],
        "rare": rare_word(record.experiment),
        "sides": words.sides(record.rankings),
        "runs": study.records,
        "folders": study.folders,
        "provenance": provenance.rows(record),
        "machines": provenance.machines(record),
        "same_training": provenance.same_training(record.experiment),
        "absent": absent(study),
        "over_seeds": words.over_seeds(record),
        "kept": kept(study),
        "folds": record.experiment.pooled,
        "faithfulness": faithfulness.section(
            drawn.faithfulness,
            rare=rare_word(record.experiment),
            folds=record.experiment.pooled,
        ),
        "style": Markup(source("style.css")),
        **facts.values(study),
        **ensembles.values(study),
        **statistics.values(study),
        **recipes.values(study),
    }


def absent(study: Study) -> list[str]:
    """Runs that the experiment asks for and the folder does not hold."""
    there = study.folders
    return [
        f"{run.model.label}, {run.regime.name}, seed {run.seed}"
        for run in study.record.experiment.runs()
        if (run.model.label, run.regime.name, run.seed) not in there
    ]


def kept(study: Study) -> str:
    """What the folder of every run holds: a collected study has no models."""
    runs = study.folders.values()
    whole = {
        "the settings": [run.experiment for run in runs],
        "the history": [run.history for run in runs],
        "the predictions": [run.predictions for run in runs],
        "the model": [run.model for run in runs],
    }
    there = [name for name, paths in whole.items() if all(p.exists() for p in paths)]
    return listed(["the record", *there])


def _inline(drawing: Drawing) -> Markup:
    pieces = drawing.parts or (drawing.svg,)
    words = [
        f"Part {i} of {len(pieces)}; together: " * (len(pieces) > 1)
        + drawing.alternative
        for i in range(1, len(pieces) + 1)
    ]
    return Markup("\n").join(
        Markup(inline(text, title=title, key=f"{drawing.key}-{i}"))
        for i, (text, title) in enumerate(zip(pieces, words, strict=True))
    )
