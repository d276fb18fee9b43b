"""Temperature and calibration error, where the truth is known."""

import numpy as np
import pytest
from scipy.special import softmax

from augsearch.stats.calibration import expected_calibration_error, fit_temperature, tempered


def drawn(count, sharpness, seed):
    """Logits whose truth is drawn from them, and what a network says that is too sure."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, 4))
    truth = softmax(logits, axis=1)
    labels = np.array([rng.choice(4, p=row) for row in truth])
    return sharpness * logits, labels


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_the_temperature_that_the_logits_were_sharpened_by_is_found(sharpness):
    logits, labels = drawn(4000, sharpness, seed=0)
    assert fit_temperature(logits, labels) == pytest.approx(sharpness, rel=0.08)


def test_calibration_lowers_the_error_on_other_images():
    fitted, labels = drawn(300, 3.0, seed=1)
    temperature = fit_temperature(fitted, labels)
    others, truth = drawn(3000, 3.0, seed=2)
    before = expected_calibration_error(tempered(others, 1.0), truth)
    after = expected_calibration_error(tempered(others, temperature), truth)
    assert before > 0.1 and after < 0.04


def test_the_error_of_an_answer_that_is_always_sure():
    probabilities = np.tile([1.0, 0.0], (10, 1))
    labels = np.array([0] * 7 + [1] * 3)
    assert expected_calibration_error(probabilities, labels) == pytest.approx(0.3)


def test_certainty_and_its_opposite_stay_finite():
    wrong = np.array([[1000.0, 0.0], [0.0, 1000.0]])
    assert np.isfinite(fit_temperature(wrong, np.array([1, 0])))
    assert np.isfinite(fit_temperature(wrong, np.array([0, 1])))


def test_a_few_images_that_are_all_right_do_not_make_it_bold():
    logits, labels = drawn(4000, 1.0, seed=3)
    sure = np.flatnonzero(softmax(logits, axis=1).max(axis=1) > 0.9)[:12]
    right = np.flatnonzero(logits.argmax(axis=1) == labels)
    few = np.intersect1d(sure, right)
    assert 0.5 < fit_temperature(logits[few], labels[few]) < 2
