"""What a check of a run's explanations leaves: `faithfulness.json`, and how it is read.

Frozen values that turn into JSON and back; everything a table, a chart or a verdict
needs. The values per image behind them lie in `faithfulness.npz`.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from tessera.record import Environment, Record, RunFolder
from tessera.results import Value

SCHEMA_VERSION = 1

Direction = Literal["higher", "lower", "neither"]
Decision = Literal["better", "worse", "undecided"]

ARROWS: dict[Direction, str] = {
    "higher": "\N{UPWARDS ARROW}",
    "lower": "\N{DOWNWARDS ARROW}",
    "neither": "\N{MIDDLE DOT}",
}


class Interval(Value):
    """A mean over images with its 95 % bootstrap interval; None: no image has one."""

    mean: float | None
    low: float | None
    high: float | None
    images: int
    """Images that have a value."""


class Metric(Value):
    """What is measured, and how it can mislead."""

    key: str
    name: str
    direction: Direction
    """Which way is better for a map."""
    low: float
    high: float | None
    """Range of one image's value; None: unbounded."""
    parameters: dict[str, str] = Field(default_factory=dict)
    source: str
    """Author, year, where."""
    fails: str
    """When a good value means nothing."""

    @property
    def arrow(self) -> str:
        """The direction as a sign."""
        return ARROWS[self.direction]


class Against(Value):
    """A method beside one control, image by image."""

    control: str
    level: Interval
    """The control's own value."""
    difference: Interval
    """Method minus control, paired over images."""
    decision: Decision
    """Better or worse where the whole interval says so."""


class Measured(Value):
    """One metric of one method."""

    metric: str
    level: Interval
    against: tuple[Against, ...]
    by_class: dict[str, Interval]
    """By true class, or by the class looked for in mosaics and planted glyphs."""
    by_group: dict[str, Interval]
    """Of `head`, the classes left common, and `tail`, the reduced or rare ones."""
    by_group_minus_random: dict[str, Interval]
    """The same, minus the random control."""

    def beaten(self) -> tuple[str, ...]:
        """Controls that the method beats beyond doubt."""
        return tuple(a.control for a in self.against if a.decision == "better")

    def unbeaten(self) -> tuple[str, ...]:
        """Controls that it does not."""
        return tuple(a.control for a in self.against if a.decision != "better")


class Step(Value):
    """Maps after some layers were drawn anew, against the maps of the whole model."""

    layers: tuple[str, ...]
    """What was drawn anew."""
    spearman: Interval
    absolute: Interval
    """The same for the maps' absolute values."""
    ssim: Interval


class Check(Value):
    """A sanity check: not a score, but passed, failed or open."""

    key: str
    name: str
    expects: str
    steps: tuple[Step, ...]
    bar: float
    passed: bool | None
    """None: the interval holds the bar."""
    source: str
    caveat: str

    @property
    def result(self) -> str:
        """In a word: passed, failed, open, or only for comparison."""
        if self.key in ("independent", "other_seed"):
            return "for comparison"
        return {True: "passed", False: "failed", None: "open"}[self.passed]


class Curve(Value):
    """Mean over images of one map's deletion or insertion curve."""

    metric: str
    map: str
    """The method's name, or a control's."""
    shares: tuple[float, ...]
    values: tuple[float, ...]


class Blanks(Value):
    """Maps of one class that show nothing, by reason."""

    images: int
    reasons: dict[str, int]


class Method(Value):
    """Everything measured of one method."""

    name: str
    layer: str
    grid: tuple[int, int]
    measured: tuple[Measured, ...]
    checks: tuple[Check, ...]
    curves: tuple[Curve, ...]
    blanks: dict[str, Blanks]
    """By true class."""
    notes: tuple[str, ...] = ()

    def of(self, metric: str) -> Measured | None:
        """The row of a metric, where it was measured."""
        return next((m for m in self.measured if m.metric == metric), None)

    def check(self, key: str) -> Check | None:
        """A check, where it was done."""
        return next((c for c in self.checks if c.key == key), None)


class Faithfulness(Value):
    """`faithfulness.json`: how far the maps of one run can be trusted."""

    schema_version: int = SCHEMA_VERSION
    digest: str
    """Of the run whose model was explained."""
    run_finished_at: str
    """When that model was finished: a run trained again has another."""
    model: str
    regime: str
    seed: int
    """Of the run."""
    data: str
    class_names: tuple[str, ...]
    images: int
    sample_seed: int
    asked: dict[str, str]
    """What the command was asked for; the same again gives the same."""
    right: int
    """Images of the sample that the model answers rightly."""
    groups: dict[str, tuple[str, ...]]
    """Class names of `head` and `tail`; none where no class is rare."""
    metrics: tuple[Metric, ...]
    methods: tuple[Method, ...]
    seconds: float
    environment: Environment
    finished_at: str

    def metric(self, key: str) -> Metric:
        """The metric of a row."""
        return next(m for m in self.metrics if m.key == key)


def decide(difference: Interval, direction: Direction) -> Decision:
    """What a paired difference says about a method.

    Args:
        difference: Method minus control.
        direction: Of the metric.
    """
    low, high = difference.low, difference.high
    if low is None or high is None or direction == "neither":
        return "undecided"
    if direction == "lower":
        low, high = -high, -low
    if low > 0:
        return "better"
    return "worse" if high < 0 else "undecided"


def read(path: Path, record: Record) -> Faithfulness | None:
    """Read a run's `faithfulness.json`; None where there is none that fits the run.

    A file that another model left, or another version of Tessera, speaks of something
    else and counts as absent: the command writes it anew.
    """
    try:
        found = Faithfulness.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None
    same = (found.digest, found.run_finished_at) == (record.digest, record.finished_at)
    return found if same else None


def read_all(
    folders: Iterable[RunFolder], records: Iterable[Record]
) -> tuple[Faithfulness, ...]:
    """The checks that fit their runs, in the runs' order."""
    found = (read(f.faithfulness, r) for f, r in zip(folders, records, strict=True))
    return tuple(f for f in found if f is not None)
