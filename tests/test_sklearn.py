"""The classifier keeps scikit-learn's contract, on images."""

import pickle
from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.utils.estimator_checks import (
    check_estimator,
    parametrize_with_checks,
)
from sklearn.utils.validation import validate_data

from tessera.arrays import Images
from tessera.data import in_memory
from tessera.experiment import Cnn, Hybrid
from tessera.models import blocks, logits
from tessera.remedies import Ldam, PostHocAdjustment, Remedy
from tessera.sklearn import TesseraClassifier

SIDE = 4


class Linear(TesseraClassifier):
    """The same classifier with a network of two variables, on the mean colour.

    To trace a step takes most of a short training, and longer for each variable.
    """

    def _network(self) -> Any:
        raw, scaled = blocks.pixels(self.image_shape_)
        seed = self.run_.seed
        dropout = layers.Dropout(0.1, seed=blocks.stream(seed, "dropout"))
        colour = dropout(layers.GlobalAveragePooling2D()(scaled))
        answer = logits.logits_layer(len(self.classes_), seed=seed, cosine=None)
        return keras.Model(raw, answer(colour))


class Rows(Linear):
    """Given rows of numbers: what scikit-learn's checks have.

    A row becomes a small grey image: its numbers, squashed to 0..255, again and again.
    The checks then see all that lies behind the images: training, labels, state.
    """

    def _images(self, X: Any, *, first: bool) -> Images:
        rows = validate_data(self, X, reset=first)
        grey = 255 / (1 + np.exp(-rows.astype(np.float64)))
        cells = np.resize(grey.round().astype(np.uint8).T, (SIDE**2, len(grey)))
        return super()._images(cells.T.reshape(-1, SIDE, SIDE), first=first)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = False
        return tags


ROWS = Rows(
    "cnn",
    remedy="plain",
    epochs=2,
    batch_size=16,  # Adam's first step alone is the same for many gradients
    learning_rate=1e-2,
    flip=False,
    crop_padding=0,
)

INAPPLICABLE = {
    "check_classifiers_train": "it asks for 83 % after training on 300 rows of two "
    "numbers, which two epochs of a network for images do not reach; that training "
    "learns is tested below",
}


@pytest.mark.slow
@pytest.mark.filterwarnings(
    # A check casts infinite numbers on purpose.
    "ignore:invalid value encountered in cast:RuntimeWarning"
)
@parametrize_with_checks([ROWS])
def test_scikit_learns_checks(
    estimator: TesseraClassifier, check: "partial[None]"
) -> None:
    if why := INAPPLICABLE.get(check.func.__name__):
        pytest.skip(why)
    check(estimator)


def test_without_the_rows_there_is_nothing_that_scikit_learn_would_check() -> None:
    """Its checks know no images, so the honest tags make it skip them all but one."""
    with pytest.warns(match="Can't test estimator TesseraClassifier"):
        found = check_estimator(TesseraClassifier(), on_skip=None)
    assert {result["check_name"] for result in found} <= {"check_estimator_cloneable"}


def images(count: int = 120) -> tuple[Images, np.ndarray]:
    """Dark nights and, a quarter of them, bright days."""
    labels = np.where(np.arange(count) % 4 == 0, "day", "night")
    noise = np.random.default_rng(0).integers(0, 100, (count, 8, 8, 3))
    bright = 150 * (labels == "day")[:, None, None, None]
    return (noise + bright).astype(np.uint8), labels


def classifier(
    kind: type[TesseraClassifier] = TesseraClassifier, **changes: Any
) -> TesseraClassifier:
    chosen = {"epochs": 6, "batch_size": 18, "learning_rate": 3e-3} | changes
    return kind("cnn", crop_padding=0, **chosen)


@pytest.fixture(scope="module")
def fitted() -> TesseraClassifier:
    return classifier().fit(*images())


@pytest.mark.slow
def test_it_learns_what_is_easy(fitted: TesseraClassifier) -> None:
    shown, labels = images()
    assert fitted.score(shown, labels) > 0.95
    assert fitted.classes_.tolist() == ["day", "night"]
    assert fitted.image_shape_ == (8, 8, 3)
    assert len(fitted.history_) == 6


@pytest.mark.slow
def test_the_answer_is_the_label_of_the_largest_probability(
    fitted: TesseraClassifier,
) -> None:
    shown, _ = images(20)
    shares = fitted.predict_proba(shown)
    assert shares.sum(axis=1) == pytest.approx(1.0)
    largest = [fitted.classes_[row.argmax()] for row in shares]
    assert fitted.predict(shown).tolist() == largest


@pytest.mark.slow
def test_a_pickle_answers_the_same_and_leaves_the_original_whole(
    fitted: TesseraClassifier,
) -> None:
    shown, _ = images(20)
    copy = pickle.loads(pickle.dumps(fitted))
    assert (copy.predict_proba(shown) == fitted.predict_proba(shown)).all()


@pytest.mark.slow
def test_images_of_another_shape_are_refused(fitted: TesseraClassifier) -> None:
    with pytest.raises(ValueError, match=r"shape \[8, 8, 3\].* Received: \[8, 8, 1\]"):
        fitted.predict(np.zeros((1, 8, 8), np.uint8))


@pytest.mark.slow
def test_a_remedy_that_tunes_itself_says_what_it_chose() -> None:
    remedy = Remedy(after=PostHocAdjustment())
    found = classifier(Linear, remedy=remedy, epochs=1).fit(*images())
    assert set(found.tuned_) == {"tau"} and 0 <= found.tuned_["tau"] <= 2


@pytest.mark.slow
def test_a_cosine_head_is_there_again_after_a_pickle() -> None:
    shown, labels = images()
    found = classifier(remedy=Remedy(loss=Ldam()), epochs=1).fit(shown, labels)
    copy = pickle.loads(pickle.dumps(found))
    assert (copy.predict_proba(shown) == found.predict_proba(shown)).all()


@pytest.mark.slow
def test_a_search_over_remedies_is_an_ordinary_search() -> None:
    search = GridSearchCV(
        classifier(Linear, epochs=np.int64(1), batch_size=30),
        {"remedy": ["plain", "balanced-softmax"]},
        scoring="balanced_accuracy",
        cv=2,
        error_score="raise",
    )
    search.fit(*images(60))
    assert search.best_params_["remedy"] in ("plain", "balanced-softmax")


def test_no_group_is_both_trained_and_validated_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown, labels = images(40)
    groups = np.repeat([f"film {n}" for n in range(10)], 4)
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    monkeypatch.setattr(
        TesseraClassifier, "_train", lambda _, __, *both: parts.append(both)
    )
    for seed in range(5):
        classifier(random_state=seed).fit(shown, labels, groups)
        classifier(random_state=seed).fit(shown, labels)
    parted = [set(groups[kept]) & set(groups[held]) for kept, held in parts]
    assert not any(parted[::2]) and all(parted[1::2])
    with pytest.raises(ValueError, match=r"groups: expected one for each of 40 images"):
        classifier().fit(shown, labels, groups[:3])


def test_scikit_learn_passes_groups_of_the_images_that_a_fold_learns_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown, labels = images(40)
    groups = np.repeat(np.arange(10), 4)
    given: list[np.ndarray] = []

    real = in_memory.divided

    def divided(labels: Any, groups: Any, share: float, *, seed: int) -> Any:
        given.append(groups)
        return real(labels, groups, share, seed=seed)

    monkeypatch.setattr(in_memory, "divided", divided)
    monkeypatch.setattr(TesseraClassifier, "_train", lambda *_: None)
    monkeypatch.setattr(TesseraClassifier, "predict", lambda _, X: labels[: len(X)])
    cross_val_score(
        classifier(),
        shown,
        labels,
        groups=groups,
        cv=GroupKFold(5),
        params={"groups": groups},
        error_score="raise",
    )
    assert [len(one) for one in given] == [32] * 5
    assert {len(set(one.tolist())) for one in given} == {8}


def test_before_fitting_there_is_no_answer() -> None:
    with pytest.raises(NotFittedError):
        TesseraClassifier().predict(images(1)[0])


def test_a_first_fit_that_fails_leaves_a_classifier_that_is_not_fitted() -> None:
    found = classifier(epochs=0)
    with pytest.raises(ValueError, match="epochs"):
        found.fit(*images(8))
    with pytest.raises(NotFittedError):
        found.predict(images(1)[0])


def test_a_fit_that_is_interrupted_leaves_what_was_learned_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown, labels = images(8)
    monkeypatch.setattr(TesseraClassifier, "_train", lambda *_: None)
    found = classifier().fit(shown, labels)

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TesseraClassifier, "_train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        found.fit(shown[..., 0], [label.upper() for label in labels])
    assert found.classes_.tolist() == ["day", "night"]
    assert found.image_shape_ == (8, 8, 3)


def test_models_and_remedies_may_be_names_or_settings() -> None:
    named = TesseraClassifier("cnn", remedy="ldam")._run()
    settings = TesseraClassifier(Cnn(), remedy=Remedy(loss=Ldam()))._run()
    assert named == settings
    assert TesseraClassifier(Hybrid(depth=2))._run().model == Hybrid(depth=2)
    assert clone(TesseraClassifier(Hybrid(depth=2))).model == Hybrid(depth=2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, r"training\.epochs: expected a number of at least 1"),
        ({"remedy": "none"}, r"remedy: expected one of plain, class-weights"),
        ({"validation": 0.9}, r"data\.digits\.validation|data\.validation"),
        ({"model": "resnet"}, r"models\.0\.kind: expected one of"),
    ],
    ids=["epochs", "remedy", "validation", "model"],
)
def test_a_wrong_parameter_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TesseraClassifier(**changes).fit(*images())


def test_labels_that_cannot_be_learned_are_refused() -> None:
    shown, labels = images(8)
    with pytest.raises(ValueError, match="one label for each of 8 images"):
        TesseraClassifier().fit(shown, labels[:5])
    with pytest.raises(ValueError, match="at least two classes"):
        TesseraClassifier().fit(shown, ["day"] * 8)


def test_progress_tells_a_score_also_where_the_last_epoch_is_kept(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (24, 8, 8, 3)).astype(np.uint8)
    settings = {"monitor": "last_epoch", "epochs": 1, "verbose": True}
    model = TesseraClassifier("cnn", **settings).fit(images, np.repeat([0, 1], 12))
    assert ", val_balanced_accuracy 0." in capsys.readouterr().out
    assert model.best_epoch_ == 1
