"""Everything the page shows of one model, put together before the first visitor."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tessera import files, overlay, png
from tessera.arrays import Images, Labels
from tessera.data import decode, source
from tessera.data.dataset import DataError
from tessera.export import uncertainty, words
from tessera.export.limits import limits
from tessera.record import Record
from tessera.serve import insight, schema
from tessera.serve.insight import Insight
from tessera.trained import Trained

EXAMPLES = 6
"""Pictures shown of each class."""

OVERLAY_SIDE = 256
"""Pixels a side of a drawn map."""

MAX_PIXELS = 25_000_000
"""Above this an uploaded image is refused before it is decoded."""


@dataclass(frozen=True, eq=False)
class Site:
    """A model, what is known of it, and pictures of its classes."""

    trained: Trained
    model: schema.Model
    examples: tuple[tuple[bytes, ...], ...]
    """PNG files, per class."""
    insight: Insight
    report: bytes | None
    """The study's report, HTML."""


def build(trained: Trained) -> Site:
    """Read and compute what the page shows.

    Example images come from the run's training data where that can still be read, else
    from the test images that the run explained, else there are none.
    """
    images, labels = example_images(trained)
    known = insight.prepare(trained, images)
    pictures = tuple(
        tuple(png.encoded(image) for image in images[labels == k][:EXAMPLES])
        for k in range(len(trained.class_names))
    )
    report = find_report(trained)
    facts = describe(trained, known, [len(p) for p in pictures], report is not None)
    return Site(
        trained=trained,
        model=facts,
        examples=pictures,
        insight=known,
        report=None if report is None else report.read_bytes(),
    )


def example_images(trained: Trained) -> tuple[Images, Labels]:
    """Pictures of every class, drawn by the run's seed: at most `EXAMPLES` of each."""
    try:
        dataset = source.load(trained.run.data)
        if dataset.fingerprint == trained.record.data.fingerprint:
            labels = dataset.train.labels
            order = np.random.default_rng(trained.run.seed).permutation(len(labels))
            chosen = [
                order[labels[order] == k][:EXAMPLES]
                for k in range(len(trained.class_names))
            ]
            where = np.sort(np.concatenate(chosen))
            return dataset.train.images[where], labels[where]
    except (DataError, OSError):
        pass  # the data has moved or changed; the run's own pictures remain
    if not trained.folder.heatmaps.exists():
        empty = np.empty((0, *trained.record.data.image_shape), np.uint8)
        return empty, np.empty(0, np.int32)
    stored = files.read_arrays(trained.folder.heatmaps)
    return stored["images"], stored["labels"]


def find_report(trained: Trained) -> Path | None:
    """The report of the study whose folder the run lies in."""
    for folder in trained.folder.path.resolve().parents[:3]:
        report = folder / "report.html"
        if report.is_file() and (folder / "study.json").is_file():
            return report
    return None


def describe(
    trained: Trained, known: Insight, examples: list[int], report: bool
) -> schema.Model:
    """The model's card as data."""
    record = trained.record
    matrix = np.array(record.scores.confusion_matrix, np.int64)
    accuracy = uncertainty.wilson(int(np.trace(matrix)), int(matrix.sum()))
    return schema.Model(
        title=f"{record.data.name}: {record.model}, {record.regime}",
        data=record.data.name,
        architecture=record.model,
        regime=record.regime,
        accuracy=record.scores.accuracy,
        accuracy_interval=accuracy,
        balanced_accuracy=record.scores.balanced_accuracy,
        parameters=record.parameters,
        temperature=trained.temperature,
        calibration=trained.calibration,
        image_size=trained.image_size,
        classes=[
            class_facts(record, label, shown) for label, shown in enumerate(examples)
        ],
        limits=[words.plain(limit) for limit in limits(trained, heatmap=False)],
        methods=[
            schema.Method(key=key, name=name) for key, name in known.methods().items()
        ],
        branches=known.branched is not None,
        report=report,
    )


def class_facts(record: Record, label: int, examples: int) -> schema.ClassFacts:
    """What is known of one class.

    Args:
        record: The run's.
        label: The class.
        examples: How many pictures of it are shown.
    """
    score = record.scores.per_class[label]
    matrix = np.array(record.scores.confusion_matrix, np.int64)
    right, answers = int(matrix[label, label]), int(matrix[:, label].sum())
    return schema.ClassFacts(
        name=score.name,
        trained_on=record.train_counts[label],
        recall=score.recall,
        recall_interval=uncertainty.wilson(right, score.support),
        precision=score.precision if answers else None,
        precision_interval=uncertainty.wilson(right, answers) if answers else None,
        rare=label in record.reduced_classes,
        examples=examples,
    )


def answer(
    site: Site, content: bytes, method: str | None, target: int | None
) -> schema.Answer:
    """Decode an uploaded file and say what the model sees in it.

    Args:
        site: The model.
        content: The file.
        method: A key of `insight.METHODS`; None: no heatmap.
        target: The class to explain; None: the answer.

    Raises:
        Unreadable: The file is no image that can be decoded whole.
        CoarseGrid: The model's map is too coarse for a heatmap.
    """
    trained = site.trained
    picture = decode.from_bytes(content, trained.image_size, limit=MAX_PIXELS)
    shares = trained.probabilities(picture.pixels[None])[0]
    order = np.argsort(-shares, kind="stable")
    explained = int(order[0]) if target is None else target
    names = trained.class_names
    return schema.Answer(
        answers=[
            schema.Share(name=names[k], probability=float(shares[k])) for k in order
        ],
        width=picture.size[0],
        height=picture.size[1],
        seen=png.url(png.encoded(picture.pixels)),
        heatmap=None
        if method is None
        else _heatmap(site, picture.pixels, explained, method),
        branches=_branches(site, picture.pixels, explained),
    )


def _heatmap(
    site: Site, image: NDArray[np.uint8], target: int, method: str
) -> schema.Heatmap:
    found = insight.explain(site.insight, image, target, method)
    (raw,) = found.raw
    return schema.Heatmap(
        method=found.method,
        layer=found.layer,
        target=site.trained.class_names[target],
        values=np.nan_to_num(raw).astype(float).tolist(),
        blank_because=str(found.reasons[0]),
        cautions=list(found.cautions),
        overlay=png.url(drawn(raw)),
    )


def _branches(
    site: Site, image: NDArray[np.uint8], target: int
) -> schema.Branches | None:
    if site.insight.branched is None:
        return None
    first, second, base = insight.shares(site.insight.branched, image, target)
    return schema.Branches(
        target=site.trained.class_names[target],
        names=("features averaged (CNN)", "patch tokens averaged"),
        parts=(first, second),
        base=base,
    )


def drawn(raw: NDArray[np.float32]) -> bytes:
    """A map as PNG: colours of the evidence, as opaque as it is strong."""
    values = overlay.smooth(overlay.display(raw), OVERLAY_SIDE, OVERLAY_SIDE)
    alpha = (values * 255).round().astype(np.uint8)[..., None]
    pixels = np.concatenate([overlay.colour(values), alpha], axis=2)
    return png.encoded(pixels)
