"""What a study's statistics are: the frozen values that `study.json` holds of them.

Nothing is computed here; `tessera.evaluation` fills these, reports and tables read
them. Scores are shares, 0..1, and differences are in the same unit.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Decision = Literal["above", "below", "undecided"]

FEW = 5
"""Test images below which a class drawn from itself hardly varies, or never does: no
interval rests on it."""


class Value(BaseModel):
    """A frozen value that turns into JSON and back, and refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Spread(Value):
    """A score over seeds."""

    mean: float
    deviation: float | None
    """Sample standard deviation (n - 1); None for a single seed."""
    values: tuple[float, ...]
    """In the order of the seeds."""


class Interval(Value):
    """A 95 % interval of one run's score, from resampled test images."""

    low: float | None
    """None where every replicate was invalid, or classes have too few test images."""
    high: float | None
    invalid: int = 0
    """Replicates whose score was undefined, left out of the percentiles."""


class Ensemble(Value):
    """The runs of a cell asked together, by the mean of their probabilities."""

    scores: dict[str, float]
    """On the test set, by the names of `CellSummary.scores`, and of its probabilities
    nll, brier and ece."""
    gains: dict[str, Interval]
    """95 % intervals, over resampled test images, of a score less the mean of the
    members'."""


class Groups(Value):
    """Classes by their number of training images, most first."""

    scheme: Literal["published", "tertiles", "levels"]
    """`published`: more than 100, 20 to 100, fewer than 20 (Liu et al. 2019)."""
    above: int
    """The head's classes have more training images than this."""
    below: int
    """The tail's classes have fewer than this."""
    head: tuple[int, ...]
    middle: tuple[int, ...]
    tail: tuple[int, ...]


class Change(Value):
    """A remedy's score minus another recipe's, seed by seed."""

    mean: float
    deviation: float | None
    low: float | None
    """Lower end of the 95 % t-interval, not widened for several comparisons."""
    high: float | None
    values: tuple[float, ...]
    """One per shared seed."""
    p: float | None
    """Two-sided, of the paired t-test; None where there is no interval."""
    p_signs: float
    """Two-sided, of the sign-flip test; never below 2^-(S-1)."""
    p_adjusted: float | None
    """`p` after Holm's correction over the family of comparisons."""
    decision: Decision
    """By `p_adjusted` at 5 %."""
    seeds_to_decide: int | None
    """Seeds that would probably decide it; None if decided, unknown or > 1000."""


class GapClosed(Value):
    """(remedy - plain) / (balanced - plain): 0 is plain training, 1 balanced data."""

    gap: float
    """The gap itself, balanced - plain, mean over seeds."""
    value: float | None
    """None where the gap is not decided above zero: there is nothing to close."""
    low: float | None
    """Fieller's 95 % interval."""
    high: float | None


class RankedRemedy(Value):
    """One remedy beside plain training on the same images with the same seeds."""

    regime: str
    seeds: tuple[int, ...]
    """Shared with plain training."""
    macro_f1: Spread
    change: Change
    """Of macro-F1."""
    rare: Change
    """Of the rare classes' mean recall."""
    common: Change
    """Of the common classes' mean recall: what the gain costs."""
    gap_f1: GapClosed | None
    """Of macro-F1; None without a balanced regime."""
    gap_rare: GapClosed | None
    """Of the rare classes' mean recall."""
    behind_pick: Change | None
    """The recommended remedy's macro-F1 minus this one's; None for itself, and where
    none is recommended."""
    parameters: int
    multiply_adds: int
    train_seconds: Spread
    cpu_seconds: Spread | None = None
    """Processor time; None where a record has none, as in older files."""
    same_answers: bool = False
    """Whether it changes no answer, as temperature scaling alone: its change is 0
    whatever the seeds, so it is in no family of tests and stands last."""


class Ranking(Value):
    """A model's remedies on one profile whose classes differ, best mean of F1 first."""

    model: str
    plain: str
    """The regime without a remedy."""
    balanced: str | None
    rare_classes: tuple[int, ...]
    """The classes that a remedy is for."""
    common_classes: tuple[int, ...]
    """The classes that it may cost."""
    sides: tuple[str, str]
    """What the two are called: `reduced` or `rare` and `other`; `tail` and `head`; or,
    where no class counts as rare, `rarest` and `most common`."""
    plain_f1: Spread
    balanced_f1: Spread | None
    plain_seconds: Spread
    plain_cpu_seconds: Spread | None = None
    remedies: tuple[RankedRemedy, ...]
    pick: str | None
    """The recommended remedy; None where none beats plain training beyond doubt."""
    recommendation: tuple[str, ...]
    """In sentences."""
    levelled: bool = False
    """Whether the balanced regime levels unequal data by leaving images out."""

    @property
    def reference(self) -> str:
        """What the gap that a remedy may close reaches up to."""
        return "levelled data" if self.levelled else "balanced data"

    @property
    def tested(self) -> tuple[RankedRemedy, ...]:
        """The remedies that can change an answer: the family that is corrected."""
        return tuple(row for row in self.remedies if not row.same_answers)


class Baseline(Value):
    """A classifier that looks at no image."""

    name: str
    regimes: tuple[str, ...]
    """Those whose training counts it knows."""
    scores: dict[str, float]


class Verdict(Value):
    """What this study says about one of the reference study's claims."""

    key: str
    claim: str
    """The reference study's sentence."""
    hypothesis: str
    """The same, restated so that numbers can decide it."""
    evidence: tuple[str, ...]
    """The numbers that bear on it, one sentence each."""
    verdict: Literal["supported", "not supported", "not decided", "not tested"]
    because: str
