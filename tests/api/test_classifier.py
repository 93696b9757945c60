"""A scikit-learn classifier: its conventions, on images."""

import pickle

import numpy as np
import pytest
import toy_run
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.utils import estimator_checks as checks

from tessera.api.classifier import TesseraClassifier

SMALL = {
    "model": "cnn",
    "epochs": 12,
    "batch_size": 16,
    "image_size": 16,
    "learning_rate": 0.003,
    "crop_padding": 1,
}
FREE_OF_DATA = [
    checks.check_no_attributes_set_in_init,
    checks.check_get_params_invariance,
    checks.check_set_params,
    checks.check_estimator_cloneable,
    checks.check_estimator_repr,
    checks.check_valid_tag_types,
    checks.check_do_not_raise_errors_in_init_or_set_params,
    checks.check_parameters_default_constructible,
]


class Rows(TesseraClassifier):
    """Rows of any numbers, laid out as small pictures: what general checks send."""

    def _images(self, X):
        values = checks._enforce_estimator_tags_X(self, np.asarray(X)) * 1.0
        if values.ndim != 2:
            return super()._images(values)
        shown = np.clip(128 + 20 * values, 0, 255)  # NaN stays NaN
        outside = np.isinf(values).any()
        shown = np.full_like(shown, np.inf) if outside else shown
        return super()._images(np.resize(shown, (len(shown), 8, 8)))


def two_digits(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    data = toy_run.digits().train
    where = np.flatnonzero(np.isin(data.labels, [0, 1]))[:count]
    return data.images[where], np.array(["zero", "one"])[data.labels[where]]


@pytest.fixture(scope="module")
def fitted() -> TesseraClassifier:
    images, names = two_digits()
    return TesseraClassifier(**SMALL, flip=False, random_state=3).fit(images, names)


@pytest.mark.parametrize("check", FREE_OF_DATA, ids=lambda check: check.__name__)
def test_scikit_learns_own_checks_that_need_no_table(check) -> None:
    check("TesseraClassifier", TesseraClassifier(**SMALL))


def test_classes_keep_their_names_and_probabilities_their_order(
    fitted: TesseraClassifier,
) -> None:
    images, names = two_digits(90)
    assert fitted.classes_.tolist() == ["one", "zero"]
    shares = fitted.predict_proba(images)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    answers = fitted.predict(images)
    np.testing.assert_array_equal(fitted.classes_[shares.argmax(axis=1)], answers)
    assert fitted.score(images, names) > 0.9


def test_grey_images_rows_and_floats_are_the_same_images(
    fitted: TesseraClassifier,
) -> None:
    images, _ = two_digits(8)
    expected = fitted.decision_function(images)
    grey = images[..., 0]
    np.testing.assert_array_equal(fitted.decision_function(grey), expected)
    floats = grey.astype(np.float64)
    np.testing.assert_array_equal(fitted.decision_function(floats), expected)
    rows = clone(fitted).set_params(image_shape=(16, 16))
    rows.__dict__ |= {k: v for k, v in vars(fitted).items() if k.endswith("_")}
    found = rows.decision_function(grey.reshape(8, -1))
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_it_can_be_pickled_and_holds_no_model_then(fitted: TesseraClassifier) -> None:
    images, _ = two_digits(8)
    stored = pickle.dumps(fitted)
    assert b"keras" not in stored
    again = pickle.loads(stored)
    np.testing.assert_allclose(
        again.predict_proba(images), fitted.predict_proba(images), rtol=1e-5
    )


def test_the_same_random_state_gives_the_same_model(fitted: TesseraClassifier) -> None:
    images, names = two_digits()
    again = clone(fitted).fit(images, names)
    for one, other in zip(again.weights_, fitted.weights_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_asks_to_be_fitted_first() -> None:
    with pytest.raises(NotFittedError):
        TesseraClassifier().predict(two_digits(2)[0])


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((4, 9)), [0, 1, 0, 1], r"expected images .* Reshape your data"),
        (np.full((4, 8, 8), np.nan), [0, 1, 0, 1], "NaN or inf"),
        (np.full((4, 8, 8), 256), [0, 1, 0, 1], "from 0 to 255"),
        (np.zeros((0, 8, 8)), [], r"0 sample"),
        (np.zeros((4, 8, 8)), [1, 1, 1, 1], "one class"),
        (np.zeros((4, 8, 8)), [0, 1, 0], "one class per image"),
        (np.zeros((4, 8, 8)), [0.5, 1.5, 0.1, 0.2], "continuous"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(X, y, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TesseraClassifier(**SMALL).fit(X, y)


def test_a_remedy_is_one_of_the_catalogue() -> None:
    images, names = two_digits(20)
    with pytest.raises(ValueError, match=r"one of plain, class-weights"):
        TesseraClassifier(**SMALL, remedy="magic").fit(images, names)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "check",
    [
        checks.check_estimators_unfitted,
        checks.check_dict_unchanged,
        checks.check_fit_idempotent,
        checks.check_classifiers_one_label,
        checks.check_classifiers_regression_target,
        checks.check_estimators_nan_inf,
        checks.check_supervised_y_no_nan,
    ],
    ids=lambda check: check.__name__,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.DataConversionWarning")
def test_scikit_learns_checks_of_behaviour_with_rows_laid_out_as_pictures(
    check,
) -> None:
    check("Rows", Rows(**(SMALL | {"epochs": 1}), remedy="plain", random_state=0))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_takes_part_in_cross_validation() -> None:
    images, names = two_digits(60)
    found = cross_val_score(
        TesseraClassifier(**SMALL, flip=False, random_state=0), images, names, cv=2
    )
    assert found.mean() > 0.7
