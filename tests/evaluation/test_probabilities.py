import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, special
from sklearn import metrics

from tessera.evaluation import probabilities as ours


@st.composite
def answers(draw, most=30.0):
    """Logits and labels of 1 to 30 images, 2 to 5 classes."""
    seed, size = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, 30))
    classes, scale = draw(st.integers(2, 5)), draw(st.floats(0.1, most))
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, scale, (size, classes)).astype(np.float32)
    return logits, rng.integers(0, classes, size).astype(np.int32)


@given(answers())
def test_scipy_gives_the_same_probabilities(case):
    logits, _ = case
    expected = special.log_softmax(logits.astype(np.float64), axis=1)
    assert ours.log_softmax(logits) == pytest.approx(expected)
    assert ours.softmax(logits).sum(axis=1) == pytest.approx(1)


@given(answers(most=3.0))
def test_scikit_learn_gives_the_same_nll_and_brier_score(case):
    logits, labels = case
    every = np.arange(logits.shape[1])
    shares = ours.softmax(logits)
    nll = ours.image_nll(ours.log_softmax(logits), labels).mean()
    assert nll == pytest.approx(metrics.log_loss(labels, shares, labels=every))
    brier = ours.image_brier(shares, labels).mean()
    # Of two classes scikit-learn's counts one; ours always counts every class.
    expected = metrics.brier_score_loss(
        labels, shares, labels=every, scale_by_half=False
    )
    assert brier == pytest.approx(expected)


def test_the_brier_score_reaches_from_zero_to_two():
    shares = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert ours.image_brier(shares, np.array([0, 1])).tolist() == [0.0, 2.0]


def test_a_hopeless_answer_has_a_large_but_finite_nll():
    logits = np.array([[1000.0, 0.0]], np.float32)
    assert ours.image_nll(ours.log_softmax(logits), np.array([1])) == [1000.0]


def test_the_temperature_of_two_logits_in_closed_form():
    # Three of four right at logits +-2: the NLL is least where 1/(1+e^(-4/T)) = 3/4.
    logits = np.array([[2, -2]] * 60, np.float32)
    found = ours.fitted_temperature(logits, np.array([0, 0, 0, 1] * 15))
    assert found == pytest.approx(4 / np.log(3))


@pytest.mark.parametrize("seed", range(5))
def test_scipys_optimiser_finds_the_same_temperature(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, 300)
    logits = (rng.normal(0, 2, (300, 4)) + 2 * np.eye(4)[labels]).astype(np.float32)

    def nll(temperature):
        return ours.image_nll(ours.log_softmax(logits, temperature), labels).mean()

    best = optimize.minimize_scalar(
        nll, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-7}
    )
    assert ours.fitted_temperature(logits, labels) == pytest.approx(best.x, rel=1e-4)


@given(answers(), st.floats(0.05, 20))
def test_a_temperature_changes_no_answer(case, temperature):
    logits, _ = case
    before, after = (ours.log_softmax(logits, t) for t in (1.0, temperature))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()


@pytest.mark.parametrize("factor", [0.5, 3.0])
def test_logits_that_are_too_large_are_cooled_by_the_same_factor(factor):
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 500)
    logits = (rng.normal(0, 1, (500, 3)) + np.eye(3)[labels]).astype(np.float32)
    one, other = (ours.fitted_temperature(f * logits, labels) for f in (1.0, factor))
    assert other == pytest.approx(factor * one, rel=1e-4)


def test_where_every_answer_is_right_the_temperature_stays_one():
    logits, labels = np.repeat(5 * np.eye(3), 20, axis=0), np.arange(3).repeat(20)
    found = ours.temperature(logits, labels)
    assert found.value == ours.fitted_temperature(logits, labels) == 1.0
    assert found.because.startswith("every answer to the 60 validation images is right")


def test_fewer_than_fifty_images_tell_no_temperature():
    logits, labels = np.array([[2.0, -2.0]] * 49), np.array([0, 0, 0, 1] * 12 + [0])
    found = ours.temperature(logits, labels)
    told = "49 validation images, where a temperature takes 50"
    assert (found.value, found.because) == (1.0, told)
    more = ours.temperature(np.vstack([logits, logits[:1]]), np.append(labels, 0))
    assert more.value != 1.0 and more.because == ""


@pytest.mark.parametrize(
    ("margin", "wrong"),
    [(1e-4, 1), (1000.0, 24), (1.0, 31), (0.0, 20), (1e-15, 30)],
    ids=[
        *("too sure by far", "hopelessly sure", "worse than chance", "nothing said"),
        "next to nothing said",
    ],
)
def test_a_best_temperature_beyond_the_bounds_is_not_used(margin, wrong):
    # Of 60 answers at odds e^margin the best T is margin / ln((60 - wrong) / wrong):
    # 0.00002, 2466, none above 0, any, and infinite.
    logits = np.array([[margin, 0.0]] * 60)
    found = ours.temperature(logits, (np.arange(60) < wrong).astype(int))
    assert found.value == 1.0
    assert found.because == (
        "on 60 validation images the best temperature is not between 0.01 and 100"
    )


@pytest.mark.parametrize(
    ("best", "used"),
    [(0.0101, True), (0.0099, False), (99.0, True), (101.0, False)],
)
def test_temperatures_are_used_up_to_the_bounds_and_no_further(best, used):
    # 40 of 60 right at odds e^margin: the best T is margin / ln 2.
    logits = np.array([[best * np.log(2), 0.0]] * 60)
    found = ours.fitted_temperature(logits, (np.arange(60) < 20).astype(int))
    assert found == pytest.approx(best if used else 1.0)


def test_a_true_class_that_always_ties_for_the_first_place_tells_no_temperature():
    # 1 / (2 + e^(-50/T)) grows towards 1/2 for ever as T falls.
    logits = np.array([[50.0, 50.0, 0.0]] * 60)
    found = ours.temperature(logits, np.ones(60, int))
    assert found.value == 1.0 and "not between 0.01 and 100" in found.because


@pytest.mark.parametrize(("size", "within"), [(ours.FEWEST, True), (10, False)])
def test_from_fifty_images_temperatures_are_known_to_a_factor_of_two(size, within):
    # 300 sets of 5 classes with labels drawn from the probabilities themselves: T is 1.
    rng = np.random.default_rng(0)
    raw = rng.normal(size=(300, size, 5)) * 2
    labels = (raw + rng.gumbel(size=raw.shape)).argmax(axis=2)

    def nll(log_t, scores, answers):
        logs = special.log_softmax(scores / np.exp(log_t), axis=1)
        return -logs[np.arange(size), answers].mean()

    found = [
        optimize.minimize_scalar(nll, bounds=(-5, 5), method="bounded", args=case).x
        for case in zip(raw, labels, strict=True)
    ]
    assert (np.quantile(np.abs(found), 0.95) < np.log(2)) == within


@pytest.mark.parametrize("true", [0.25, 4.0])
def test_the_temperature_that_made_the_labels_is_found(true):
    # Gumbel's noise draws labels from softmax(raw); of 200,000, T is known to 2 %.
    rng = np.random.default_rng(1)
    raw = rng.normal(size=(200_000, 3)) * 2
    labels = (raw + rng.gumbel(size=raw.shape)).argmax(axis=1)
    assert ours.fitted_temperature(raw * true, labels) == pytest.approx(true, rel=0.02)
