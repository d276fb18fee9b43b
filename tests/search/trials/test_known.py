"""A search that knows its baselines: they are in its history, and trials lie near the best."""

import optuna
import pytest
from optuna.trial import TrialState
from small_study import small_config, small_images, small_space

from augsearch.augment.baselines import BASELINES
from augsearch.progress import Quiet
from augsearch.search.trials.known import known_baselines
from augsearch.search.trials.sampler import CHANGED, SeededPerTrial, distributions
from augsearch.space.nearest import nearest_point
from augsearch.space.space import load_space
from augsearch.store.database import open_storage
from augsearch.store.runs import BASELINE
from augsearch.store.study_store import Store
from augsearch.study.prepare import prepare
from augsearch.study.request import StudyRequest
from augsearch.study_sections import RandomConfig, TpeConfig
from augsearch.verbs.run import run_study

SPACE = load_space("natural")
AXES = distributions(SPACE)
CORNER = nearest_point(SPACE, BASELINES["crop only"]).point


def known(score=0.6, point=CORNER):
    return optuna.trial.create_trial(params=point, distributions=AXES, value=score)


def asked(count, *, storage=None, score=lambda params: 0.3, config=None, baselines=None):
    config = config or TpeConfig()
    sampler = SeededPerTrial(config, 4, known=[known()] if baselines is None else baselines)
    study = optuna.create_study(
        storage=storage, study_name="s", direction="maximize", load_if_exists=True, sampler=sampler
    )
    points = []
    for _ in range(count):
        trial = study.ask(fixed_distributions=AXES)
        points.append(trial.params)
        study.tell(trial, score(trial.params))
    return points


def differing(point, other):
    return sum(point[name] != other[name] for name in AXES)


def test_every_other_trial_is_a_neighbour_of_the_best_baseline():
    points = asked(40)
    near = [differing(point, CORNER) for point in points[::2]]
    assert all(1 <= n < len(AXES) for n in near)
    assert abs(sum(near) / len(near) - CHANGED) < 1
    others = [differing(point, CORNER) for point in points[1:8:2]]
    assert sum(others) / len(others) > CHANGED + 1


def test_a_better_trial_takes_the_baselines_place():
    points = asked(12, score=lambda params: 0.9 - params["resized_crop.scale_min"] / 10)
    before, near = points[:10], points[10]
    closest = min(before, key=lambda point: differing(point, near))
    assert closest == min(before, key=lambda point: point["resized_crop.scale_min"])


def test_a_search_that_was_stopped_goes_on_as_if_it_had_not_been(tmp_path):
    storage = f"sqlite:///{tmp_path}/a.db"
    first = asked(5, storage=storage)
    assert first + asked(5, storage=storage) == asked(10)


def test_baselines_are_known_from_the_first_trial_on():
    startup = TpeConfig(startup_trials=1)
    assert differing(asked(1, config=startup)[0], CORNER) < len(AXES) / 2


def test_without_baselines_the_search_is_what_it_was():
    plain = optuna.create_study(direction="maximize", sampler=SeededPerTrial(TpeConfig(), 4))
    points = []
    for _ in range(10):
        trial = plain.ask(fixed_distributions=AXES)
        points.append(trial.params)
        plain.tell(trial, 0.3)
    assert asked(10, baselines=[]) == points


def test_random_search_stays_random():
    random = RandomConfig()
    assert asked(6, config=random) == asked(6, config=random, baselines=[])


@pytest.fixture(scope="module")
def bench_of(tmp_path_factory):
    def make(space):
        request = StudyRequest(space, data=small_images(), study=small_config())
        return prepare(request, progress=Quiet()).bench

    return make


@pytest.mark.long
def test_a_study_knows_what_its_space_expresses_and_counts_none_of_it(bench_of):
    result = run_study(small_space(), data=small_images(), study=small_config(), name="s")
    assert sum(result.trials.values()) == 4
    store = Store(open_storage("sqlite:///augsearch.db"), "s")
    found = known_baselines(store, bench_of(small_space()), small_space(), None)
    assert "crop only" in found.names
    assert "TrivialAugment" in found.apart
    scores = {name: run.score for (name, _), run in store.outcomes(BASELINE).items()}
    assert [trial.value for trial in found.trials] == [scores[name] for name in found.names]
    assert [trial.number for trial in store.trials()] == [0, 1, 2, 3]
    assert "the sampler knows the scores of" in found.sentence


def test_limits_come_before_scores():
    broken = optuna.trial.create_trial(
        params={**CORNER, "solarize.p": 0.2},
        distributions=AXES,
        value=0.9,
        constraints={"class loss": 3.0},
    )
    kept = optuna.trial.create_trial(
        params=CORNER, distributions=AXES, value=0.5, constraints={"class loss": -1.0}
    )
    points = asked(8, baselines=[broken, kept], score=lambda params: 0.1)
    assert all(differing(point, CORNER) <= differing(point, broken.params) for point in points[::2])


def test_points_that_make_a_policy_that_was_tried_are_drawn_again():
    """What a closed gate hides makes no other policy."""
    hidden = ("erasing.area",)

    def policy(point):
        return tuple(sorted((k, v) for k, v in point.items() if k not in hidden))

    sampler = SeededPerTrial(TpeConfig(), 4, known=[known()], identity=policy)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    seen = [policy(CORNER)]
    for _ in range(30):
        trial = study.ask(fixed_distributions=AXES)
        seen.append(policy(trial.params))
        study.tell(trial, 0.3)
    near = seen[1::2]
    assert len({*near, seen[0]}) == len(near) + 1


def test_states_of_the_study_are_not_touched():
    sampler = SeededPerTrial(TpeConfig(), 4, known=[known()])
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for number in range(6):
        trial = study.ask(fixed_distributions=AXES)
        if number % 3 == 2:
            trial.report(0.2, 1)
            study.tell(trial, state=TrialState.PRUNED)
        else:
            study.tell(trial, 0.3)
    assert [t.number for t in study.get_trials()] == list(range(6))


def test_an_axis_of_one_value_is_part_of_every_point():
    single = optuna.distributions.FloatDistribution(0.5, 0.5)
    axes = {**AXES, "one": single}
    first = optuna.trial.create_trial(params={**CORNER, "one": 0.5}, distributions=axes, value=0.6)
    sampler = SeededPerTrial(TpeConfig(), 4, known=[first], identity=lambda point: point["one"])
    study = optuna.create_study(direction="maximize", sampler=sampler)
    assert study.ask(fixed_distributions=axes).params["one"] == 0.5
