"""The experiment: one frozen, validated value that says everything a study does.

An `Experiment` is what a TOML file holds: data, models, regimes, seeds, training.
`Experiment.runs()` expands it to `Run` values, one training each. Both are pure
data; nothing here reads a file or imports a framework. Defaults are those of the
reference study.
"""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from tessera.catalogue import catalogue, named
from tessera.columns import Columns
from tessera.frozen import Setting
from tessera.grouping import Grouping
from tessera.remedies import InverseFrequency, Remedy

LARGEST_SIDE = 512
"""Pixels; what pads or covers an image is no wider than the largest image."""
LARGEST_BATCH = 2**20
MOST_EPOCHS = 10**6
"""Beyond these a number is a slip of the hand, and overflows deep inside a training."""
MOST_FOLDS = 20
LARGEST_SEED = 2**32 - 1
"""The most that the frameworks' generators take."""

# Data ------------------------------------------------------------------------


VALIDATION = 0.1
"""The reference study's share of the training images for validation."""


class _Data(Setting):
    image_size: int = Field(32, ge=8, le=LARGEST_SIDE)
    """Height and width, in pixels, that every image is brought to."""
    validation: float = Field(VALIDATION, gt=0.0, lt=0.5)
    """Share of the training images kept for validation, cut after the imbalance."""


class Digits(_Data):
    """Scikit-learn's 1,797 handwritten digits: embedded, needs no network."""

    kind: Literal["digits"] = "digits"


class Cifar10(_Data):
    """CIFAR-10 (Krizhevsky 2009): downloaded and checked, or a local archive."""

    kind: Literal["cifar10"] = "cifar10"
    path: str | None = None
    """A local `cifar-10-python.tar.gz` or `cifar-10-batches-py`; none: download."""


class Folder(_Data):
    """Images in `train/ test/ [val/]` with folders of classes, in these, or listed."""

    kind: Literal["folder"] = "folder"
    path: str
    """Of the folder; or of a CSV file that lists images, see `columns`."""
    name: str | None = None
    """What results call the data; none: the folder's own name."""
    test: float = Field(0.2, gt=0.0, lt=0.5)
    """Share of the images kept for testing when the folder has no `test/`."""
    folds: int | None = Field(None, ge=2, le=MOST_FOLDS)
    """Cross-validation: so many parts, each of which is the test set once."""
    fold: int | None = Field(None, ge=1, le=MOST_FOLDS)
    """Which part is the test set, from 1; none: a study takes each in turn."""
    groups: Grouping | None = None
    """What is never parted between training, validating and testing: the images of one
    `folder` within a class; or those in whose path a regular expression's first group
    matches the same, as `"(patient[0-9]+)"`. None: what a list's column says."""
    columns: Columns = Columns()
    """Of a list: what its columns are called."""

    @model_validator(mode="after")
    def _fold_is_one_of_them(self) -> Self:
        if self.fold is not None and self.fold > (self.folds or 0):
            raise ValueError(
                f"fold: expected one of the {self.folds or 'parts that `folds` counts'}"
                f", from 1. Received: {self.fold}"
            )
        return self


Data = Annotated[Digits | Cifar10 | Folder, Field(discriminator="kind")]


# Imbalance -------------------------------------------------------------------


class _Profile(Setting):
    selection: Literal["seeded", "reference"] = "seeded"
    """`seeded`: another subset for every seed. `reference`: the images that the
    long-tail literature's widely used protocol keeps (NumPy's legacy seed 0)."""


class Natural(_Profile):
    """Every training image, as the dataset comes."""

    kind: Literal["natural"] = "natural"


class Balanced(_Profile):
    """Every class cut to the size of the smallest."""

    kind: Literal["balanced"] = "balanced"


STUDY_CLASSES = (3, 4, 5)
"""What the reference study makes rare: of CIFAR-10, cat, deer and dog."""


class Reduced(_Profile):
    """Some classes cut to a fraction, others whole: the reference study's profile."""

    kind: Literal["reduced"] = "reduced"
    classes: tuple[int | str, ...] = STUDY_CLASSES
    """Class indices or names."""
    fraction: float = Field(0.2, gt=0.0, le=1.0)


class Fractions(_Profile):
    """Any fraction for any class, by name or index; classes not named stay whole."""

    kind: Literal["fractions"] = "fractions"
    fractions: dict[str, Annotated[float, Field(gt=0.0, le=1.0)]]

    def __hash__(self) -> int:
        return hash((self.selection, frozenset(self.fractions.items())))


class Exponential(_Profile):
    """Counts that fall geometrically from the first class to the last.

    Cui et al. 2019, arXiv:1901.05555; counts as in Cao et al. 2019, arXiv:1906.07413.
    """

    kind: Literal["exponential"] = "exponential"
    factor: float = Field(100.0, ge=1.0)
    """Imbalance factor: largest class / smallest class."""


class Step(_Profile):
    """The first half of the classes whole, the second half cut by the factor.

    Buda et al. 2018, arXiv:1710.05381; counts as in Cao et al. 2019.
    """

    kind: Literal["step"] = "step"
    factor: float = Field(100.0, ge=1.0)


Profile = Annotated[
    Natural | Balanced | Reduced | Fractions | Exponential | Step,
    Field(discriminator="kind"),
]


class Regime(Setting):
    """A name for an imbalance profile together with the remedy tried on it."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9._-]*$")
    profile: Profile = Balanced()
    remedy: Remedy = Remedy()


# Models ----------------------------------------------------------------------


Optimizer = Literal["adam", "muon"]
Schedule = Literal["constant", "cosine", "one-cycle"]
Fill = Literal["black", "mirror"]
Precision = Literal["float32", "bfloat16"]


Monitor = Literal[
    "val_balanced_accuracy", "val_macro_f1", "val_accuracy", "val_loss", "last_epoch"
]


class OwnTraining(Setting):
    """How one model is trained, where that differs from the experiment's training.

    The fields are those of `Training`; None: as the experiment says.
    """

    learning_rate: float | None = Field(None, gt=0.0)
    batch_size: int | None = Field(None, ge=1, le=LARGEST_BATCH)
    optimizer: Optimizer | None = None
    weight_decay: float | None = Field(None, ge=0.0)
    schedule: Schedule | None = None
    averaging: float | None = Field(None, ge=0.0, lt=1.0)
    label_smoothing: float | None = Field(None, ge=0.0, lt=1.0)
    alternating_flip: bool | None = None
    crop_padding: int | None = Field(None, ge=0, le=LARGEST_SIDE)
    crop_fill: Fill | None = None
    cutout: int | None = Field(None, ge=0, le=LARGEST_SIDE)
    rotation: float | None = Field(None, ge=0.0, le=180.0)
    zoom: float | None = Field(None, ge=0.0, le=1.0)
    colour: float | None = Field(None, ge=0.0, le=1.0)
    precision: Precision | None = None
    monitor: Monitor | None = None
    origin: str | None = None
    """Where the values come from, for the results."""

    def values(self) -> dict[str, Any]:
        """What differs."""
        return self.model_dump(exclude={"origin"}, exclude_none=True)


class Start(Setting):
    """A finished training whose weights another one starts from."""

    run: str
    """Of the run's folder."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    """Of the weights there; a file that leaves it out means those that it finds."""


class _Model(Setting):
    kind: str
    name: str | None = Field(None, pattern=r"^[a-z0-9][a-z0-9._-]*$")
    """How tables call it; none: the kind."""
    training: OwnTraining | None = None
    """None: as the experiment says. `tessera search` writes it."""
    start: Start | None = None
    """Weights that all but the last layer starts from; none: drawn by the seed."""

    @property
    def label(self) -> str:
        """The name, or the kind where none was given."""
        return self.name or self.kind

    @property
    def own(self) -> dict[str, Any]:
        """What this model's training has of its own."""
        return self.training.values() if self.training else {}

    @property
    def origin(self) -> str | None:
        """Where that comes from, for the results."""
        return self.training.origin if self.training else None

    @property
    def network(self) -> Self:
        """The architecture alone: without a name, a training and a start."""
        bare = dict.fromkeys(("name", "training", "start"))
        return self.model_copy(update=bare)

    def trained(self, training: "Training") -> "Training":
        """The experiment's training, with what this model has of its own."""
        return training.model_copy(update=self.own)


def _divides_the_width(heads: int, info: ValidationInfo) -> int:
    """Every head attends within a part of its own, unless there are no blocks."""
    width = info.data.get("width") or info.data.get("widths", (0,))[-1]
    if info.data.get("depth") and width % heads:
        raise ValueError(f"a number that divides the width {width}")
    return heads


Heads = Annotated[
    int, Field(ge=1, validate_default=True), AfterValidator(_divides_the_width)
]
"""Of attention; stands below depth and width, which it is checked against."""


class Cnn(_Model):
    """Conv32-pool, Conv64-pool, Conv128, global average, the reference study's head."""

    kind: Literal["cnn"] = "cnn"
    dropout: float = Field(0.3, ge=0.0, lt=1.0)


class Transformer(_Model):
    """Compact convolutional transformer, CCT-2/3x2 (Hassani et al. 2021)."""

    kind: Literal["transformer"] = "transformer"
    depth: int = Field(2, ge=1, le=24)
    width: int = Field(128, ge=8)
    heads: Heads = 2
    convolutions: int = Field(2, ge=1, le=4)


class Hybrid(_Model):
    """The reference study's CNN-token hybrid; `depth` encoder blocks on its tokens."""

    kind: Literal["hybrid"] = "hybrid"
    depth: int = Field(0, ge=0, le=24)
    """Transformer encoder blocks with position embedding; 0: the reference study."""
    width: int = Field(128, ge=8)
    """Token embedding width."""
    heads: Heads = 2
    patch: int = Field(2, ge=1)
    """Patch height and width, in cells of the convolution map."""
    dropout: float = Field(0.3, ge=0.0, lt=1.0)


RECIPE = OwnTraining(
    learning_rate=0.01,
    batch_size=256,
    optimizer="muon",
    weight_decay=0.5,
    schedule="one-cycle",
    label_smoothing=0.1,
    alternating_flip=True,
    crop_padding=2,
    crop_fill="mirror",
    origin="The recipe of hybrid-plus; docs/hybrid-plus.md says how it was chosen.",
)
"""What `hybrid-plus` is trained with, except for what its own `training` says."""


Channels = Annotated[int, Field(ge=1)]


class HybridPlus(_Model):
    """A stronger hybrid: whitened patches, residual stages, attention over the map."""

    kind: Literal["hybrid-plus"] = "hybrid-plus"
    widths: tuple[Channels, Channels] = Field((36, 72), strict=False)
    """Channels of the two stages."""
    whitening: bool = True
    """Whether the first convolution is computed from the images."""
    residual: bool = True
    """Whether each stage has a way around its last two convolutions."""
    normalised: bool = True
    """Whether batch normalisation follows every convolution; else each has a bias."""
    separable: bool = False
    """Whether a stage's last two convolutions are separable: one filter for each
    channel, then a mixture of the channels."""
    late: bool = False
    """Whether a stage halves the map at its end, and not after its first convolution:
    the same parameters, more than twice the arithmetic."""
    depth: int = Field(1, ge=0, le=24)
    """Transformer encoder blocks over the map's cells; 0: no tokens at all."""
    heads: Heads = 4

    @property
    def own(self) -> dict[str, Any]:
        """The recipe, with what `training` replaces of it."""
        return RECIPE.values() | super().own

    @property
    def origin(self) -> str | None:
        """The recipe's, and that of what replaces some of it."""
        return " ".join(filter(None, (RECIPE.origin, super().origin)))


Model = Annotated[Cnn | Transformer | Hybrid | HybridPlus, Field(discriminator="kind")]


MODELS: tuple[Model, ...] = (Cnn(), Transformer(), Hybrid(), HybridPlus())
"""One of each kind, without settings; the first three are the reference study's."""


# Training --------------------------------------------------------------------


class Training(Setting):
    """How every model is trained, unless it has `training` of its own.

    The same for all cells, so that they compare.
    """

    epochs: int = Field(8, ge=1, le=MOST_EPOCHS)
    batch_size: int = Field(128, ge=1, le=LARGEST_BATCH)
    learning_rate: float = Field(1e-3, gt=0.0)
    optimizer: Optimizer = "adam"
    """`muon`: matrices and convolutions are changed by orthogonal steps (Jordan et al.
    2024), everything else by Adam at a part of the rate."""
    weight_decay: float = Field(0.0, ge=0.0)
    """Decoupled: a step takes rate x decay of a matrix or a convolution away."""
    schedule: Schedule = "constant"
    """`cosine`: the rate falls to 0 along half a cosine, step by step. `one-cycle`: it
    rises along a line for a tenth of the steps, then falls along one to 0."""
    averaging: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of the old in the moving average of weights that is validated and kept, per
    step; 0: the weights themselves."""
    label_smoothing: float = Field(0.0, ge=0.0, lt=1.0)
    """Share of every label spread evenly over all classes."""
    flip: bool = True
    """Random horizontal flip, drawn per image."""
    alternating_flip: bool = False
    """Drawn once per image; every epoch then shows the other side of the last."""
    crop_padding: int = Field(4, ge=0, le=LARGEST_SIDE)
    """Pixels added on every side before the random crop; 0: no crop."""
    crop_fill: Fill = "black"
    """What the added pixels hold: zeros, or the image mirrored at its edge."""
    cutout: int = Field(0, ge=0, le=LARGEST_SIDE)
    """Side, in pixels, of the grey square put at a random place; 0: none."""
    rotation: float = Field(0.0, ge=0.0, le=180.0)
    """Degrees by which an image is turned at most, to either side."""
    zoom: float = Field(0.0, ge=0.0, le=1.0)
    """0.2: an image is enlarged or shrunk by a factor of 1.2 at most."""
    colour: float = Field(0.0, ge=0.0, le=1.0)
    """0.3: an image's contrast and saturation are changed by factors of 0.7 to 1.3, its
    brightness by 0.3 of half the range at most."""
    precision: Precision = "float32"
    """`bfloat16`: a training step multiplies numbers of 16 bits, which is faster on
    processors and GPUs with instructions for it. Weights stay float32."""
    monitor: Monitor = "val_balanced_accuracy"
    """What decides which epoch's weights are kept. `last_epoch`: no score does, the
    last is kept, which suits a rate that falls to 0 and few validation images."""
    patience: int | None = Field(None, ge=1)
    """Epochs without a better score after which the last phase ends early."""

    @property
    def augments(self) -> bool:
        """Whether a training image differs from epoch to epoch."""
        moved = self.flip, self.crop_padding, self.rotation, self.zoom
        return any((*moved, self.cutout, self.colour))

    @property
    def score(self) -> str:
        """The validation score that is told of an epoch, whichever is kept."""
        last = self.monitor == "last_epoch"
        return "val_balanced_accuracy" if last else self.monitor


class Explain(Setting):
    """Which heatmaps a run leaves for the report."""

    examples: int = Field(1, ge=0, le=10)
    """Correct and wrong test images explained, of each kind, per class."""


# The whole -------------------------------------------------------------------


class Run(Setting):
    """One training: a model under one regime, with one seed."""

    data: Data
    model: Model
    regime: Regime
    training: Training
    explain: Explain
    seed: int = Field(ge=0, le=LARGEST_SEED)

    @property
    def cell(self) -> str:
        """What runs of different seeds share, for folders: `hybrid--imbalanced`."""
        return f"{self.model.label}--{self.regime.name}"

    def experiment(self) -> "Experiment":
        """The experiment that holds this run alone."""
        return Experiment(
            name=self.cell,
            data=self.data,
            models=(self.model,),
            regimes=(self.regime,),
            training=self.training,
            explain=self.explain,
            seeds=(self.seed,),
        )

    def starting_at(self, place: Path) -> "Run":
        """The same training, where the weights that it starts from lie elsewhere."""
        if self.model.start is None:
            return self
        start = self.model.start.model_copy(update={"run": str(place)})
        model = self.model.model_copy(update={"start": start})
        return self.model_copy(update={"model": model})

    def without_after(self) -> "Run":
        """The same training, without what its remedy does to the logits afterwards."""
        remedy = self.regime.remedy.model_copy(update={"after": None})
        regime = self.regime.model_copy(update={"remedy": remedy})
        return self.model_copy(update={"regime": regime})

    def digest(self, fingerprint: str) -> str:
        """Hash of all that decides the result: settings and the data's content.

        Names, the seed and the place where the data lies are left out, so that
        renaming a cell, adding a seed or moving the folder reuses finished work.
        """
        settings = _as_first_written(self)
        for key in ("seed", "explain"):
            settings.pop(key)
        for key in PLACE:
            settings["data"].pop(key, None)
        for key in ("name", "training"):  # the run's own training holds the latter
            settings["model"].pop(key)
        settings["model"].get("start", {}).pop("run", None)
        settings["regime"].pop("name")
        settings["regime"]["remedy"]["stacked"] = False  # allows, but changes nothing
        canonical = json.dumps([settings, fingerprint], sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


LATER = {
    "optimizer": "adam",
    "weight_decay": 0.0,
    "averaging": 0.0,
    "label_smoothing": 0.0,
    "alternating_flip": False,
    "crop_fill": "black",
    "cutout": 0,
    "rotation": 0.0,
    "zoom": 0.0,
    "colour": 0.0,
    "variation": None,
    "precision": "float32",
    "residual": True,
    "normalised": True,
    "separable": False,
    "late": False,
    "folds": None,
    "fold": None,
    "groups": None,
    "start": None,
}
"""Settings of any part that came later, with the values that change nothing."""


PLACE = ("path", "name", "columns")
"""Settings of data that say where it lies, and what it and its parts are called."""


def _as_first_written(part: Setting) -> dict[str, Any]:
    """Without later settings that change nothing, so that old digests still hold."""
    settings = part.model_dump(mode="json")
    for name, value in part:
        if isinstance(value, Setting):
            settings[name] = _as_first_written(value)
    return {k: v for k, v in settings.items() if k not in LATER or v != LATER[k]}


def _known(name: str) -> str:
    if name != "all":
        named(name)
    return name


RemedyName = Annotated[str, AfterValidator(_known)]
"""A name of the catalogue, or `all`."""

CLASS_WEIGHTS = Remedy(weights=InverseFrequency())
"""The reference study's remedy."""

STUDY_REGIMES = (
    Regime(name="balanced"),
    Regime(name="imbalanced", profile=Reduced()),
    Regime(name="weighted", profile=Reduced(), remedy=CLASS_WEIGHTS),
)


OWN_REGIMES = (
    Regime(name="balanced"),
    Regime(name="as-is", profile=Natural()),
    Regime(name="weighted", profile=Natural(), remedy=CLASS_WEIGHTS),
)
"""For data that is imbalanced as it comes, where nothing needs to be cut."""


class Compare(Setting):
    """Remedies of the catalogue on one profile: short for a regime for each.

    `[compare]` or several `[[compare]]` may stand for the regimes in a file.
    """

    profile: Profile = Reduced()
    remedies: tuple[RemedyName, ...] = ("all",)
    """Names of the catalogue, or `all` of it; `plain` is always among them."""
    prefix: str = Field("", pattern=r"^([a-z0-9][a-z0-9._-]*)?$")
    """Put before the name of each regime; needed where profiles are compared."""

    def regimes(self) -> tuple[Regime, ...]:
        """Balanced training without a remedy, plain training, then each remedy."""
        names = tuple(catalogue()) if "all" in self.remedies else self.remedies
        return (
            Regime(name="balanced"),
            *(
                Regime(
                    name=f"{self.prefix}{name}",
                    profile=self.profile,
                    remedy=named(name),
                )
                for name in dict.fromkeys(("plain", *names))
            ),
        )


class Experiment(Setting):
    """A study: every model under every regime, once for every seed."""

    name: str = Field("study", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    data: Data = Digits()
    models: tuple[Model, ...] = Field(MODELS[:3], min_length=1)
    regimes: tuple[Regime, ...] = Field(STUDY_REGIMES, min_length=1)
    training: Training = Training()
    explain: Explain = Explain()
    seeds: tuple[Annotated[int, Field(ge=0, le=LARGEST_SEED)], ...] = Field(
        (0, 1), min_length=1
    )

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for what, names in (
            ("models", [model.label for model in self.models]),
            ("regimes", [regime.name for regime in self.regimes]),
            ("seeds", [str(seed) for seed in self.seeds]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                names_of = "numbers" if what == "seeds" else "names"
                raise ValueError(
                    f"{what}: expected {names_of} that differ. Received more than "
                    f"once: {', '.join(twice)}"
                )
        return self

    @model_validator(mode="after")
    def _patience_has_a_score(self) -> Self:
        for model in self.models:
            training = model.trained(self.training)
            if training.patience and training.monitor == "last_epoch":
                raise ValueError(
                    "training.patience: expected none beside the monitor last_epoch, "
                    f"of {model.label}, which waits for no score. Received: "
                    f"{training.patience}"
                )
        return self

    @property
    def pooled(self) -> int:
        """How many folds a study of it puts together; 0 where its data is one split."""
        if not isinstance(self.data, Folder) or self.data.fold is not None:
            return 0
        return self.data.folds or 0

    def named_models(self) -> dict[str, Model]:
        """What may be asked for by name: its own models, and one of each other kind."""
        return {model.label: model for model in (*MODELS, *self.models)}

    def runs(self) -> tuple[Run, ...]:
        """One run per model, regime and seed.

        Seeds are outermost, so that a study stopped early holds whole comparisons.
        """
        return tuple(
            Run(
                data=self.data,
                model=model,
                regime=regime,
                training=model.trained(self.training),
                explain=self.explain,
                seed=seed,
            )
            for seed in self.seeds
            for model in self.models
            for regime in self.regimes
        )
