"""The sampler sees one static space and never repeats itself."""

import optuna
import pytest
from optuna.trial import TrialState

from augsearch.search.trials.sampler import SeededPerTrial, distributions, stopped_finished
from augsearch.space.presets import find_config
from augsearch.space.space import load_space
from augsearch.study_sections import GpConfig, TpeConfig

SPACE = load_space(find_config("factory", "spaces"))
AXES = distributions(SPACE)


def study(storage=None, seed=0):
    return optuna.create_study(
        storage=storage,
        study_name="s",
        direction="maximize",
        load_if_exists=True,
        sampler=SeededPerTrial(TpeConfig(startup_trials=5), seed),
    )


def score(params):
    return params["resized_crop.scale_min"] - abs(params["color_jitter.hue"] - 0.1)


def run(optuna_study, count):
    points = []
    for _ in range(count):
        trial = optuna_study.ask(fixed_distributions=AXES)
        points.append(trial.params)
        if trial.number % 4 == 3:
            trial.report(score(trial.params), 100)
            optuna_study.tell(trial, state=TrialState.PRUNED)
        elif trial.number == 6:
            optuna_study.tell(trial, state=TrialState.FAIL)
        else:
            optuna_study.tell(trial, score(trial.params))
    return points


def test_after_twenty_trials_the_relative_space_still_holds_every_parameter():
    optuna_study = study()
    run(optuna_study, 20)
    trial = optuna_study.ask(fixed_distributions=AXES)
    frozen = optuna_study.get_trials()[trial.number]
    relative = optuna_study.sampler.infer_relative_search_space(optuna_study, frozen)
    assert set(relative) == set(AXES)


def test_the_search_learns():
    """The model proposes better points than chance: a sampler that ignored scores would not."""
    points = run(study(), 40)
    early = sum(score(p) for p in points[:5]) / 5
    late = sum(score(p) for p in points[-15:]) / 15
    assert late > early + 0.1


@pytest.mark.long
def test_a_gaussian_process_learns_and_resumes(tmp_path):
    def gp(storage):
        return optuna.create_study(
            storage=storage, study_name="s", direction="maximize", load_if_exists=True,
            sampler=SeededPerTrial(GpConfig(startup_trials=5), 0),
        )  # fmt: skip

    storage = f"sqlite:///{tmp_path}/s.db"
    points = run(gp(storage), 8) + run(gp(storage), 4)
    assert points == run(gp(None), 12)
    best = max(map(score, points[:5]))
    assert max(map(score, points[5:])) > best


def test_a_stopped_trial_counts_with_what_others_gained_after_its_step():
    optuna_study = optuna.create_study(direction="maximize")
    x: dict[str, optuna.distributions.BaseDistribution] = {
        "x": optuna.distributions.FloatDistribution(0, 1)
    }
    for rung, end in ((0.5, 0.6), (0.4, 0.7), (0.2, 0.4)):  # gains of 0.1, 0.3 and 0.2
        trial = optuna_study.ask(fixed_distributions=x)
        trial.report(rung, 100)
        optuna_study.tell(trial, end)
    stopped = optuna_study.ask(fixed_distributions=x)
    stopped.report(0.1, 50)
    stopped.report(0.3, 100)
    optuna_study.tell(stopped, state=TrialState.PRUNED)
    seen = stopped_finished(optuna_study).trials
    assert [t.value for t in seen] == pytest.approx([0.6, 0.7, 0.4, 0.5])
    assert [t.params for t in seen] == [t.params for t in optuna_study.trials]
    assert optuna_study.trials[3].state == TrialState.PRUNED


@pytest.mark.long
def test_the_gaussian_process_learns_from_stopped_trials():
    """Only trials near 0 finish, and among these higher is better: the rest is known to be bad
    from stopped trials alone."""
    sampler = SeededPerTrial(GpConfig(startup_trials=4), 0)
    optuna_study = optuna.create_study(direction="maximize", sampler=sampler)
    points = []
    for _ in range(24):
        trial = optuna_study.ask(
            fixed_distributions={"x": optuna.distributions.FloatDistribution(0, 1)}
        )
        x = trial.params["x"]
        points.append(x)
        value = x if x < 0.3 else -x
        trial.report(value, 100)
        if x < 0.3:
            optuna_study.tell(trial, value)
        else:
            optuna_study.tell(trial, state=TrialState.PRUNED)
    assert sum(x < 0.4 for x in points[-8:]) >= 6


@pytest.mark.long
@pytest.mark.parametrize("config", [GpConfig(startup_trials=4), TpeConfig(startup_trials=4)])
def test_stopped_trials_and_constraints_go_together(config):
    sampler = SeededPerTrial(config, 0)
    optuna_study = optuna.create_study(direction="maximize", sampler=sampler)
    for number in range(16):
        trial = optuna_study.ask(
            fixed_distributions={"x": optuna.distributions.FloatDistribution(0, 1)}
        )
        x = trial.params["x"]
        trial.report(x, 5)
        if number % 3 == 2:
            optuna_study.tell(trial, state=TrialState.PRUNED)
        else:
            trial.set_constraint("loss", x - 0.6)
            optuna_study.tell(trial, x)
    kept = [t.params["x"] for t in optuna_study.trials[-6:]]
    assert sum(x <= 0.7 for x in kept) >= 4


def test_a_study_resumed_after_five_trials_suggests_no_point_twice(tmp_path):
    storage = f"sqlite:///{tmp_path}/s.db"
    points = run(study(storage), 5) + run(study(storage), 5)
    assert len({tuple(sorted(p.items())) for p in points}) == 10
    # What an undisturbed study would have suggested.
    assert points == run(study(), 10)


def test_another_seed_suggests_other_points():
    assert run(study(seed=0), 2) != run(study(seed=1), 2)


def test_points_become_policies_within_bounds():
    for point in run(study(), 12):
        policy = SPACE.policy(point)
        assert policy.views[0], point
        assert policy == SPACE.policy(dict(reversed(point.items())))


@pytest.mark.parametrize("name", ["factory", "satellite", "microscopy", "natural"])
def test_every_axis_becomes_one_distribution(name):
    space = load_space(find_config(name, "spaces"))
    assert list(distributions(space)) == [axis.name for axis in space.axes()]
