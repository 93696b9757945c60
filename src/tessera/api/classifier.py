"""A scikit-learn classifier of images: `fit`, `predict`, `predict_proba`."""

import tempfile
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import Tags, assert_all_finite, check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from tessera import catalogue, pipeline, runtime, settings, trained
from tessera.arrays import Images, Logits, Probabilities
from tessera.data import decode
from tessera.data.dataset import Split, assemble
from tessera.experiment import Digits, Explain, Natural, Regime, Run, Training
from tessera.models import build
from tessera.record import RunFolder
from tessera.training import predict

SEEDS = 2**31


class TesseraClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """One of Tessera's models as a scikit-learn classifier of images.

    Images are arrays [N, H, W, 3] or [N, H, W] of values 0 to 255, integers or floats,
    or rows [N, H * W * C] together with `image_shape`, which is how samplers such as
    those of imbalanced-learn hand images on. A share of the images given to `fit` is
    kept to choose the best epoch and to calibrate the probabilities.

    Args:
        model: `cnn`, `transformer` or `hybrid`.
        remedy: Name of a remedy in `tessera.catalogue`; `plain` for none.
        epochs: Of the training.
        batch_size: Images per step.
        learning_rate: Of Adam.
        flip: Mirror training images at random.
        crop_padding: Pixels around training images before a random crop.
        validation: Share of the images of every class kept for validation.
        image_size: Height and width that images are brought to.
        image_shape: (H, W) or (H, W, C) of images given as rows; None: they are not.
        random_state: An integer, a `RandomState`, or None.
    """

    def __init__(
        self,
        model: str = "hybrid",
        *,
        remedy: str = "class-weights",
        epochs: int = 8,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        flip: bool = True,
        crop_padding: int = 4,
        validation: float = 0.1,
        image_size: int = 32,
        image_shape: tuple[int, ...] | None = None,
        random_state: Any = None,
    ) -> None:
        self.model = model
        self.remedy = remedy
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.flip = flip
        self.crop_padding = crop_padding
        self.validation = validation
        self.image_size = image_size
        self.image_shape = image_shape
        self.random_state = random_state

    def __sklearn_tags__(self) -> Tags:
        """Images, not tables."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = self.image_shape is not None
        tags.input_tags.three_d_array = True
        tags.non_deterministic = False
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Train.

        Args:
            X: Images, see the class.
            y: Their classes: integers or strings, [N].

        Raises:
            ValueError: X are no images, y no classes or of another length.
        """
        images = self._images(X)
        labels = np.asarray(y)
        assert_all_finite(labels, input_name="y")
        check_classification_targets(labels)
        if labels.shape != (len(images),):
            raise ValueError(
                f"y: expected one class per image, [{len(images)}]. "
                f"Received: {list(labels.shape)}."
            )
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                "y: expected at least two classes. Received: "
                f"{self.classes_.tolist()}, which is one class."
            )
        self._train(Split(images, numbers.astype(np.int32)))
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of every image, [N]."""
        best = self.decision_function(X).argmax(axis=1)
        answers: NDArray[Any] = self.classes_[best]
        return answers

    def predict_proba(self, X: Any) -> Probabilities:
        """Calibrated probabilities, float64 [N, K], in the order of `classes_`."""
        return trained.calibrated(self.decision_function(X), self.temperature_)

    def decision_function(self, X: Any) -> Logits:
        """Logits, float32 [N, K].

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: X are no images, or rows of another length than in `fit`.
        """
        check_is_fitted(self)
        return predict.logits(self._network(), self._images(X))

    def _train(self, images: Split) -> None:
        run = self._run()
        runtime.prepare()
        names = tuple(f"{k}: {name}" for k, name in enumerate(self.classes_))
        # There is no test set here: who uses scikit-learn keeps one outside.
        dataset = assemble("images in memory", names, train=images, test=images)
        runtime.make_deterministic(run.seed)
        chosen = pipeline.choose(run, dataset)
        net = build.for_run(run, dataset.image_shape, len(names))
        with tempfile.TemporaryDirectory() as folder:
            where = RunFolder(Path(folder))
            fitted = pipeline.train_model(
                run, net, dataset, chosen, folder=where, report=lambda *_: None
            )
            pipeline.finish(run, net, dataset, chosen, where)
        held = chosen.validation
        self.temperature_ = trained.temperature(
            predict.logits(net, held.images), held.labels
        )
        self.history_ = fitted.history
        self.weights_ = net.get_weights()
        self.run_, self.n_iter_ = run, self.epochs
        self._net = net

    def _run(self) -> Run:
        """The parameters as a run; checked here, as scikit-learn wants it."""
        random = check_random_state(self.random_state)
        whole = settings.build(
            {
                "data": {"kind": "digits", "validation": self.validation},
                "models": [{"kind": self.model}],
                "training": {
                    "epochs": self.epochs,
                    "batch_size": self.batch_size,
                    "learning_rate": self.learning_rate,
                    "flip": self.flip,
                    "crop_padding": self.crop_padding,
                },
            },
            source="TesseraClassifier",
        )
        seed = self.random_state
        return Run(
            data=Digits(validation=self.validation),  # its share is all that is used
            model=whole.models[0],
            regime=Regime(
                name="given",
                profile=Natural(),
                remedy=catalogue.named(self.remedy),
            ),
            training=Training.model_validate(whole.training),
            explain=Explain(examples=0),
            seed=int(seed if isinstance(seed, int) else random.randint(SEEDS)),
        )

    def _images(self, X: Any) -> Images:
        """Pixels uint8 [N, S, S, 3].

        Raises:
            ValueError: X are none.
        """
        values = np.asarray(X)
        if values.ndim == 2 and self.image_shape is not None:
            values = self._unrolled(values)
        if values.ndim == 3:
            values = values[..., None]
        if values.ndim != 4 or values.shape[3] not in (1, 3):
            raise ValueError(
                "X: expected images [N, H, W, 3] or [N, H, W], or rows and "
                f"image_shape=(H, W, C). Received: {list(values.shape)}. "
                "Reshape your data."
            )
        if not len(values):
            raise ValueError("X: expected at least one image. Received: 0 sample(s).")
        if values.dtype.kind not in "uif":
            values = values.astype(float)
        if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
            raise ValueError(
                "X: expected values from 0 to 255. Received: "
                f"{values.min()} to {values.max()} (NaN or inf count as outside)."
            )
        pixels = np.rint(values).astype(np.uint8)
        if pixels.shape[3] == 1:
            pixels = np.repeat(pixels, 3, axis=3)
        return decode.resized(pixels, self.image_size)

    def _unrolled(self, rows: NDArray[Any]) -> NDArray[Any]:
        shape = tuple(self.image_shape or ())
        if rows.shape[1] != np.prod(shape):
            raise ValueError(
                f"X: expected rows of {np.prod(shape)} values for images {shape}. "
                f"Received: {rows.shape[1]} features."
            )
        return rows.reshape(len(rows), *shape)

    def _network(self) -> Any:
        """The Keras model, built again from plain weights where it is not there."""
        if getattr(self, "_net", None) is None:
            runtime.prepare()
            shape = (self.image_size, self.image_size, 3)
            self._net = build.for_run(self.run_, shape, len(self.classes_))
            self._net.set_weights(self.weights_)
        return self._net

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the Keras model, which plain weights stand for."""
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "_net"}
