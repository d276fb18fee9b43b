"""Runs that an older version scored otherwise: left out, counted, and made again."""

import optuna

from augsearch.augment.baselines import crop_only
from augsearch.bench.bench import UNTRAINED
from augsearch.bench.outcome import Outcome
from augsearch.store.runs import BASELINE, CONFIRMATION, SCORING, Run
from augsearch.store.study_store import Store


def run(phase, name, replicate, scoring):
    outcome = Outcome(
        score=0.5, draw_scores=(), full_probe=None, knn=None, class_recall={}, curve=(), losses=(),
        steps=1, images_per_second=1, seconds={"total": 1.0}, peak_memory_mb=0,
    )  # fmt: skip
    policy = None if name == UNTRAINED else crop_only()
    return Run(phase=phase, name=name, policy=policy, replicate=replicate, outcome=outcome,
               ended=0, scoring=scoring)  # fmt: skip


def test_old_runs_are_not_mixed_with_new_ones():
    store = Store(optuna.storages.InMemoryStorage(), "s", settings={"seed": 0})
    for one in (
        run(BASELINE, "crop only", 0, 1),
        run(BASELINE, UNTRAINED, 0, 1),
        run(CONFIRMATION, "crop only", 1, 1),
        run(CONFIRMATION, UNTRAINED, 1, 1),
    ):
        store.add_run(one)
    # The search's own seed has the labels that it had; the floor and fresh seeds have not.
    assert set(store.runs(BASELINE)) == {("crop only", 0)}
    assert not store.runs(CONFIRMATION)
    assert store.outdated == 3
    store.add_run(run(CONFIRMATION, "crop only", 1, SCORING))
    assert set(store.runs(CONFIRMATION)) == {("crop only", 1)}
    assert store.outdated == 2
    assert len({one.key for one in store.all_runs()}) == 2
    # What MLflow knows under the old key stays another run.
    assert run(CONFIRMATION, "a", 1, 1).key != run(CONFIRMATION, "a", 1, SCORING).key
