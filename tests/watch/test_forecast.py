"""What is left of a study, from what its runs took."""

import pytest

from augsearch.progress import PhaseCost
from augsearch.watch.forecast import Forecast


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def run(forecast, clock, seconds, counts=True):
    clock.now += seconds
    forecast.run_ended(counts=counts)


def test_a_machine_that_is_slower_than_guessed_corrects_what_is_to_come():
    clock = Clock()
    forecast = Forecast(
        [PhaseCost("baselines", 5, 0, 10.0), PhaseCost("trials", 8, 0, 10.0)], clock
    )
    forecast.begin("baselines", 0, 5)
    assert forecast.left() == pytest.approx(5 * 10 + 8 * 10)  # as guessed
    run(forecast, clock, 30)
    assert forecast.left() == pytest.approx(4 * 30 + 8 * 30)  # three times as slow, all of it
    for _ in range(4):
        run(forecast, clock, 20)
    pace = (30 + 4 * 20) / 50
    assert forecast.left() == pytest.approx(8 * 10 * pace)
    forecast.begin("trials", 0, 8)
    run(forecast, clock, 40)
    run(forecast, clock, 5)  # stopped early
    assert forecast.left() == pytest.approx(6 * 22.5)  # its own pace


def test_a_failed_trial_takes_time_and_leaves_as_many_to_do():
    clock = Clock()
    forecast = Forecast([PhaseCost("trials", 4, 0, 10.0)], clock)
    forecast.begin("trials", 0, 4)
    run(forecast, clock, 10)
    run(forecast, clock, 10, counts=False)
    assert forecast.left() == pytest.approx(3 * 20)


def test_a_study_that_goes_on_counts_what_is_left():
    clock = Clock()
    forecast = Forecast(
        [
            PhaseCost("baselines", 5, 5, 10.0),
            PhaseCost("trials", 8, 6, 10.0),
            PhaseCost("confirmation", 20, 0, 30.0),
        ],
        clock,
    )
    forecast.begin("baselines", 5, 5)
    forecast.begin("trials", 6, 8)
    run(forecast, clock, 10)
    assert forecast.left() == pytest.approx(1 * 10 + 20 * 30)
    run(forecast, clock, 10)
    forecast.begin("confirmation", 0, 15)
    run(forecast, clock, 60)
    assert forecast.left() == pytest.approx(19 * 60)
    # A round that is longer than was guessed counts in full.
    forecast.begin("confirmation", 1, 31)
    assert forecast.left() == pytest.approx(30 * 60)


def test_a_phase_that_nobody_guessed_goes_by_its_runs():
    clock = Clock()
    forecast = Forecast(clock=clock)
    forecast.begin("ablation", 2, 10)
    assert forecast.left() is None
    run(forecast, clock, 7)
    assert forecast.left() == pytest.approx(7 * 7)


def test_a_phase_of_unknown_length_counts_as_the_others():
    """As of a pilot that goes on when all its pretrainings are there."""
    phases = [PhaseCost("pretrainings", 9, 9, 0.0), PhaseCost("classifiers", 18, 0, 20.0)]
    forecast = Forecast(phases, Clock())
    forecast.begin("pretrainings", 9, 9)
    assert forecast.share() == pytest.approx(9 / 27) and not forecast.over
    forecast.begin("classifiers", 0, 18)
    for length in [0.1, 1.9, 1.0] * 6:
        forecast.run_ended(counts=True, length=length)
    assert forecast.over and forecast.share() == pytest.approx(1.0)


def test_the_first_run_starts_the_processes():
    """What it takes longer is no pace: 20 runs of 2 s are ahead, not 20 of 12 s."""
    now = [0.0]
    phases = (PhaseCost("baselines", 5, 0, 2.0), PhaseCost("trials", 16, 0, 2.0))
    forecast = Forecast(phases, lambda: now[0], starting=10.0)
    forecast.begin("baselines", 0, 5)
    now[0] += 12.0
    forecast.run_ended(counts=True)
    assert forecast.left() == pytest.approx(40.0)
    now[0] += 4.0  # the machine is slower than guessed
    forecast.run_ended(counts=True)
    assert forecast.left() == pytest.approx(19 * 3.0)
    quick = Forecast(phases, lambda: now[0], starting=10.0)
    quick.begin("baselines", 0, 5)
    now[0] += 3.0  # they were there
    quick.run_ended(counts=True)
    assert quick.left() == pytest.approx(40.0)


def test_runs_of_other_lengths_count_for_what_they_are():
    """Two short pretrainings and a long one for each of three seeds, then classifiers."""
    clock = Clock()
    phases = [PhaseCost("pretrainings", 9, 0, 4.0), PhaseCost("classifiers", 4, 0, 3.0)]
    forecast = Forecast(phases, clock)
    forecast.begin("pretrainings", 0, 9)
    lengths, done = (0.25, 0.25, 2.5) * 3, 0.0
    for length in lengths:
        done += length
        clock.now += 8 * length  # twice as slow as guessed
        forecast.run_ended(counts=True, length=length)
        assert forecast.left() == pytest.approx(8 * (9 - done) + 4 * 6)
        assert forecast.share() == pytest.approx(8 * done / (9 * 8 + 4 * 6))
    assert forecast.ended == 9 and forecast.to_come == ["classifiers"]
