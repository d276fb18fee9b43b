"""Searches replayed on the tables of real scores that the project keeps."""

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.trial import TrialState
from threadpoolctl import threadpool_limits

from augsearch.space.presets import find_config
from augsearch.study_file import load_study_config
from augsearch.study_sections import SearchConfig, SuccessiveHalvingConfig, TpeConfig
from benchmarks.search.grid_scores import Table, read_table
from benchmarks.search.regrets import compute_to_reach, less_than
from benchmarks.search.replay import (
    BUDGET,
    STARTUP,
    STRATEGIES,
    Stage,
    Strategy,
    prepare,
    pruner_of,
    replay,
    run_trial,
    sampler_of,
    seed_order,
    trials,
)
from benchmarks.search.samplers import DEFAULT, REFERENCE

REPLAYS = 24


@pytest.fixture(autouse=True)
def prepared():
    with threadpool_limits(1):
        prepare()
        yield


def regrets(name, strategy, replays):
    """Of the best trial and after the confirmation, each `[replays, BUDGET + 1]`."""
    table = read_table(name)
    assert table.scores.shape[:-2] == (3, 3, 3, 3)
    (found,) = (each for each in STRATEGIES if each.name == strategy)
    ends = [replay(table, found, number) for number in range(replays)]
    return np.array([one.regret for one in ends]), np.array([one.confirmed for one in ends])


def test_the_default_is_what_a_study_does():
    config = load_study_config(find_config("standard", "studies"))
    assert config.search.sampler == TpeConfig(startup_trials=8) == SearchConfig().sampler
    assert config.search.pruner == SearchConfig().pruner
    assert isinstance(config.search.pruner, SuccessiveHalvingConfig)
    assert config.search.pruner.first_rung == config.pretrain.steps // 2
    assert config.confirm.top == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hue_orientation", "neu_cls"])
def test_the_default_is_sooner_at_the_top_than_random_search(name):
    """How much sooner, over 200 replays, is in docs/search.md."""
    best, default = regrets(name, DEFAULT, REPLAYS)
    random_best, random = regrets(name, REFERENCE, 4 * REPLAYS)
    half, end = BUDGET // 2, BUDGET
    assert np.median(best[:, half]) <= np.median(random_best[:, end])
    assert default[:, half].mean() < random[:, half].mean()
    assert default[:, STARTUP:].mean() < random[:, STARTUP:].mean() - 0.003
    assert default[:, half].mean() < 0.006
    assert default[:, end].mean() < 0.004


@pytest.mark.slow
def test_where_every_search_is_soon_at_the_top_the_default_is_there_too():
    """On hue the best policies differ by less than one seed can see, see docs/search.md."""
    _, default = regrets("hue", DEFAULT, REPLAYS)
    _, random = regrets("hue", REFERENCE, REPLAYS)
    half = BUDGET // 2
    assert default[:, half].mean() < 0.012
    assert default[:, STARTUP:].mean() < random[:, STARTUP:].mean() + 0.002


def test_one_lucky_run_leads_a_search_astray():
    """On hue and direction, with the first seed; see docs/search.md."""
    table = read_table("hue_orientation")
    assert table.scores.shape == (3, 3, 3, 3, 5, 4)
    first, others = table.scores[..., 0, -1], table.scores[..., 1:, -1]
    luck = np.unravel_index(first.argmax(), first.shape)
    assert first[luck] - others[luck].max() > 0.1
    assert table.best - table.ends[luck][1:].mean() > 0.2
    second = np.unravel_index(np.argsort(first, axis=None)[-2], first.shape)
    assert second == np.unravel_index(table.ends.mean(axis=-1).argmax(), first.shape)


@pytest.mark.slow
def test_a_confirmation_undoes_a_lucky_run():
    """Replays that begin with the lucky seed of the test above: the second trial is better."""
    table, strategy = read_table("hue_orientation"), Strategy("tpe", "pruned")
    lucky = [number for number in range(40) if seed_order(number, table.seeds)[1][0] == 0]
    ends = [replay(table, strategy, number) for number in lucky[:4]]
    astray = [one for one in ends if one.regret[-1] > 0.2]
    assert astray
    assert all(one.confirmed[-1] < 0.05 for one in astray)


def test_compute_is_counted_by_what_was_trained():
    """A policy whose score is known at every rung: what is stopped costs its share."""
    table = read_table("hue")
    study = optuna.create_study(direction="maximize", pruner=pruner_of("pruned"))

    def run_to_its_end(score, variant):
        trial = study.ask()
        scores = np.full((3, 4), score)
        *_, last = run_trial(trial, scores, table.shares, Strategy("tpe", variant))
        study.tell(trial, None if np.isnan(last.value) else last.value, state=last.state)
        return last

    assert run_to_its_end(0.9, "pruned") == Stage(1.0, TrialState.COMPLETE, 0.9)
    stopped = run_to_its_end(0.1, "pruned")
    assert (stopped.state, stopped.cost) == (TrialState.PRUNED, 0.5)
    raced = run_to_its_end(0.4, "raced")
    assert (raced.value, raced.cost) == (pytest.approx(0.4), 2)  # up to all seeds but one


def test_side_by_side_a_trial_is_asked_without_what_is_under_way():
    """Two at once: the second is asked before the first has shown anything, the third when the
    first of them has ended."""
    table = read_table("hue")
    study = optuna.create_study(direction="maximize", sampler=sampler_of("random", 0, "plain"))
    axes: dict[str, BaseDistribution] = {
        name: IntDistribution(0, table.levels - 1) for name in table.axes
    }
    order = np.arange(table.seeds)
    running = []
    for number, cost in enumerate(
        trials(study, axes, table, order, Strategy("random", "plain", 2))
    ):
        assert cost == 1
        running.append([t.number for t in study.trials if t.state == TrialState.RUNNING])
        if number == 3:
            break
    assert running == [[1], [2], [3], [4]]


@pytest.mark.parametrize(("seeds", "stops"), [(6, True), (3, False)])
def test_a_race_stops_what_is_worse_on_three_seeds(seeds, stops):
    """A made-up table whose seeds agree: most trials stop early, if there are seeds enough."""
    truth = np.random.default_rng(0).normal(0, 0.1, (3, 3, 3, 3, 1, 1))
    scores = np.broadcast_to(truth + np.linspace(0, 0.01, seeds)[:, None], (3,) * 4 + (seeds, 1))
    table = Table(("a", "b", "c", "d"), scores, (1.0,))
    found = replay(table, Strategy("random", "raced"), 0)
    assert (found.stopped > 0.5) is stops


def test_compute_to_reach_a_level_is_the_last_time_above_it():
    curve = np.full(BUDGET + 1, 3.0)
    curve[20:] = 1.0
    assert compute_to_reach(curve, 1.0) == 20
    curve[30] = 2.0
    assert compute_to_reach(curve, 1.0) == 31
    assert compute_to_reach(curve, 0.5) == np.inf


def test_replays_of_one_training_seed_count_once():
    """What differs by training seed alone is as uncertain as five seeds leave it."""
    firsts = [seed_order(number, 5)[1][0] for number in range(200)]
    gaps = np.array([0.0, 1.0, 2.0, 3.0, 4.0])[firsts]
    default = np.random.default_rng(0).normal(size=200)
    found = less_than((default + gaps).tolist(), default.tolist(), 5)
    sem = np.sqrt(2.5 / 5)
    assert found == pytest.approx((2.0, 2 - 2.776 * sem, 2 + 2.776 * sem), abs=0.002)
