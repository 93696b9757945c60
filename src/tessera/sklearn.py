"""A scikit-learn classifier of images: `fit`, `predict`, `predict_proba`.

    from sklearn.model_selection import cross_val_score
    from tessera.sklearn import TesseraClassifier

    scores = cross_val_score(
        TesseraClassifier("hybrid", remedy="balanced-softmax", epochs=40),
        images, labels, scoring="balanced_accuracy",
    )

It trains in this process, by the same plan, order and step as a run of a study.
"""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from tessera import runtime, settings
from tessera.arrays import Images, Probabilities
from tessera.data import in_memory
from tessera.data.dataset import Split
from tessera.experiment import Model, Run, Training
from tessera.frozen import Setting
from tessera.imbalance import guards
from tessera.remedies import Remedy

if TYPE_CHECKING:
    from tessera.training.resume import Row

ModelChoice: TypeAlias = str | Model
"""A kind, say `cnn` or `hybrid-plus`, or settings, say `Hybrid(depth=2)`."""

TRAINING = tuple(Training.model_fields)
"""Parameters of the classifier that are settings of the training."""


class TesseraClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A small network for images, with a remedy for imbalance.

    With the same int as `random_state`, two fits on one machine agree to rounding:
    initial weights, order, augmentation and the validation images depend on it alone,
    and no global random state is read or changed.

    Args:
        model: The network.
        remedy: What is done about the imbalance: a name that `tessera remedies` lists,
            or a `tessera.remedies.Remedy`.
        validation: Share of the images of each class, 0 to 0.5, that is not trained
            on: it chooses the epoch, and what a remedy has to choose.
        random_state: An int; a `RandomState`, or NumPy's own for None, draws one.
        verbose: Whether to print a line per epoch.
        epochs: Passes over the images.
        batch_size: Images per step.
        learning_rate: Of the optimizer. `hybrid-plus` has its own; see its settings.
        optimizer: `adam` or `muon`.
        weight_decay: Decoupled, of matrices and convolutions.
        schedule: `constant`, `cosine` or `one-cycle`.
        averaging: Share of the old in a moving average of weights; 0: none.
        label_smoothing: Share of every label spread over all classes.
        flip: Whether half of the images are mirrored, left to right.
        alternating_flip: Whether the next epoch mirrors the other half.
        crop_padding: Pixels by which images are shifted at random.
        crop_fill: `black` or `mirror`: what is shifted in.
        cutout: Side of a grey square on every image.
        rotation: Degrees by which images are turned at most.
        zoom: 0.2: images are enlarged or shrunk by a factor of 1.2 at most.
        colour: 0.3: contrast, saturation and brightness change by 30 % at most.
        precision: `float32`, or `bfloat16` for faster, coarser products in training.
        monitor: The validation score that chooses the epoch; `last_epoch`: none.
        patience: Epochs without a better score after which training stops.

    Attributes:
        classes_: The labels, sorted, [K].
        image_shape_: Height, width and channels of the images.
        network_: The `keras.Model`: pixels 0..255 in, logits [N, K] out.
        history_: One row per epoch.
        best_epoch_: The epoch whose weights were kept, counted from 1.
        tuned_: What the remedy chose on the validation images.
        notes_: What to know of the remedy on these images, in plain words.
    """

    def __init__(
        self,
        model: ModelChoice = "hybrid",
        remedy: str | Remedy = "class-weights",
        *,
        validation: float = 0.1,
        random_state: int | np.random.RandomState | None = 0,
        verbose: bool = False,
        epochs: int = 8,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        optimizer: str = "adam",
        weight_decay: float = 0.0,
        schedule: str = "constant",
        averaging: float = 0.0,
        label_smoothing: float = 0.0,
        flip: bool = True,
        alternating_flip: bool = False,
        crop_padding: int = 4,
        crop_fill: str = "black",
        cutout: int = 0,
        rotation: float = 0.0,
        zoom: float = 0.0,
        colour: float = 0.0,
        precision: str = "float32",
        monitor: str = "val_balanced_accuracy",
        patience: int | None = None,
    ) -> None:
        self.model, self.remedy = model, remedy
        self.validation, self.random_state = validation, random_state
        self.verbose, self.epochs, self.batch_size = verbose, epochs, batch_size
        self.learning_rate, self.optimizer = learning_rate, optimizer
        self.weight_decay, self.schedule = weight_decay, schedule
        self.averaging, self.label_smoothing = averaging, label_smoothing
        self.flip, self.alternating_flip = flip, alternating_flip
        self.crop_padding, self.crop_fill = crop_padding, crop_fill
        self.cutout, self.precision = cutout, precision
        self.rotation, self.zoom, self.colour = rotation, zoom, colour
        self.monitor, self.patience = monitor, patience

    def fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Train the network anew; a fit that fails or is stopped changes nothing.

        Args:
            X: Images, integers 0..255, [N, H, W, C], or [N, H, W] in grey.
            y: A label for each, of any type that sorts, [N].
            groups: What each belongs to, say a patient, [N]; no group is both trained
                and validated on. None: each stands alone.

        Raises:
            ValueError: The images, labels or settings cannot be used, or contradict
                one another (`ExperimentError`, `RemedyError`, `ModelError`).
            TrainingDiverged: The loss became NaN or infinite.
        """
        before = vars(self).copy()
        try:
            self._fit(X, y, groups)
        except BaseException:  # Ctrl-C too: labels of one fit, a network of another
            self.__dict__ = before
            raise
        return self

    def _fit(self, X: ArrayLike, y: ArrayLike, groups: ArrayLike | None) -> None:
        images = self._images(X, first=True)
        self.classes_, labels = in_memory.numbered(y, len(images))
        run = self._run()
        share = run.data.validation
        kept, held = in_memory.divided(labels, groups, share, seed=run.seed)
        counts = np.bincount(labels[kept], minlength=len(self.classes_))
        self.notes_ = guards.check(run.regime.remedy, counts, epochs=self.epochs)
        self.image_shape_ = images.shape[1:]
        self.run_ = run
        self._train(Split(images, labels), kept, held)

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most probable label of every image, [N]."""
        probabilities = self.predict_proba(X)
        found: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return found

    def predict_proba(self, X: ArrayLike) -> Probabilities:
        """The softmax of the logits, float64 [N, K], in the order of `classes_`.

        They are calibrated only where the remedy says so: `remedy="temperature"`.

        Raises:
            ValueError: These are no images of the shape trained on.
            NotFittedError: `fit` has not been called.
        """
        check_is_fitted(self)
        images = self._images(X, first=False)
        from tessera.evaluation import probabilities
        from tessera.training import predict

        return probabilities.softmax(predict.logits(self.network_, images))

    def _images(self, X: ArrayLike, *, first: bool) -> Images:
        """Check images; `first`: those that decide the shape."""
        images = in_memory.pixels(X)
        if not first and images.shape[1:] != self.image_shape_:
            raise ValueError(
                f"X: expected images of shape {list(self.image_shape_)}, as in `fit`. "
                f"Received: {list(images.shape[1:])}."
            )
        return images

    def _run(self) -> Run:
        """The parameters as the settings of one run, validated.

        Its data stands for the arrays; only the share held for validation counts.
        """
        seed, model = self.random_state, self.model
        if not isinstance(seed, int | np.integer):
            seed = check_random_state(seed).randint(2**31 - 1)
        regime = {"name": "fit", "profile": {"kind": "natural"}}
        table = {
            "data": {"kind": "digits", "validation": self.validation},
            "models": [{"kind": model} if isinstance(model, str) else _plain(model)],
            "regimes": [regime | {"remedy": _plain(self.remedy)}],
            "training": {name: _plain(getattr(self, name)) for name in TRAINING},
            "seeds": [_plain(seed)],
        }
        return settings.build(table, source="TesseraClassifier").runs()[0]

    def _train(
        self, split: Split, kept: NDArray[np.int64], held: NDArray[np.int64]
    ) -> None:
        """Train on some of the images, validate on the others."""
        runtime.prepare()
        runtime.load_backend()
        from tessera.imbalance import plan as plans
        from tessera.training import after, fit
        from tessera.training.batches import Material

        run, remedy = self.run_, self.run_.regime.remedy
        network = self._network()
        counts = np.bincount(split.labels[kept], minlength=len(self.classes_))
        outer = Split(split.images[held], split.labels[held])
        with tempfile.TemporaryDirectory() as folder:
            job = fit.Job(
                net=network,
                plan=plans.plan(remedy, counts),
                material=Material(split, kept, outer),
                training=run.training,
                seed=run.seed,
                weights=Path(folder) / "best.weights.h5",
                report=self._say,
            )
            fitted = fit.fit(job)
        end = remedy.after
        self.tuned_ = after.apply(network, end, counts, outer) if end else {}
        self.network_ = network
        self.history_, self.best_epoch_ = fitted.history, fitted.best_epoch

    def _network(self) -> Any:
        from tessera.models import build

        return build.for_run(self.run_, self.image_shape_, len(self.classes_))

    def _say(self, epoch: int, done: int, steps: int, row: "Row | None") -> None:
        if self.verbose and row is not None:
            training = self.run_.training
            print(
                f"epoch {epoch}/{training.epochs}: loss {row['loss']:.3f}, "
                f"{training.score} {row[training.score]:.3f}"
            )

    def __getstate__(self) -> dict[str, Any]:
        """Everything, with the network as plain arrays."""
        state = dict(super().__getstate__())
        if "network_" in state:
            state["network_"] = state["network_"].get_weights()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the network again and give it its weights."""
        arrays = state.get("network_")
        super().__setstate__({k: v for k, v in state.items() if k != "network_"})
        if arrays is not None:
            runtime.prepare()
            runtime.load_backend()
            self.network_ = self._network()
            self.network_.set_weights(arrays)

    def __sklearn_tags__(self) -> Any:
        """Images are no rows of features."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags


def _plain(value: Any) -> Any:
    """A setting or a NumPy number as what a settings file would hold."""
    if isinstance(value, np.generic):
        return value.item()
    return value.model_dump(mode="json") if isinstance(value, Setting) else value
