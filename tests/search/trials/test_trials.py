"""The trials of a search on real runs: continued, killed, failed, against cost."""

import signal
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import psutil
import pytest
from optuna.trial import TrialState
from small_study import small_config, small_images, small_space
from studying import STORAGE, Heard, mirrored, run

from augsearch.augment.baselines import BASELINES
from augsearch.bench.bench import Bench
from augsearch.engines.processes import Processes
from augsearch.errors import StudyError
from augsearch.progress import Quiet
from augsearch.search.confirm.confirmation import run_baselines
from augsearch.search.trials.loop import run_trials
from augsearch.simclr.device import resolve_device
from augsearch.store.database import open_storage
from augsearch.store.frozen_trials import trial_curve, trial_outcome, trial_policy, trial_score
from augsearch.store.study_store import Store


@pytest.mark.long
def test_more_trials_continue_a_study_and_train_nothing_twice(small_here):
    heard = Heard()
    run(trials=6, progress=heard)
    assert [name for name in heard.ended if name.startswith("trial") and "seed" not in name] == [
        "trial 4",
        "trial 5",
    ]
    assert not {"untrained encoder", "crop only"} & set(heard.ended)
    assert len([key for key in mirrored() if key.startswith("trial/")]) == 6


@pytest.mark.long
def test_a_study_killed_in_a_trial_goes_on_with_exactly_what_is_left(small_here):
    here = Path(__file__).parents[2] / "shared"
    program = (
        f"import sys; sys.path.insert(0, {str(here)!r})\n"
        "from small_study import *\n"
        "import time\n"
        "from augsearch.progress import Quiet\n"
        "from augsearch.verbs.run import run_study\n"
        "class Waiting(Quiet):\n"
        "    def step(self, run, *_):\n"
        "        if run == 'trial 2':\n"
        "            print('in trial 2', flush=True)\n"
        "            time.sleep(3600)\n"
        "run_study(small_space(), data=small_images(), study=small_config(), trials=4,"
        " name='killed', device='cpu', progress=Waiting())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline()
        assert said == "in trial 2\n", "the study ended before it could be killed"
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    trials = Store(open_storage(STORAGE), "killed").trials_study.get_trials()
    assert len(trials) > 2 and trials[-1].state == TrialState.RUNNING
    before = Store(open_storage(STORAGE), "killed").finished()
    assert len(before) >= 2

    result = run(trials=4, name="killed")
    store = Store(open_storage(STORAGE), "killed")
    assert [t.number for t in store.finished()][: len(before)] == [t.number for t in before]
    assert len(store.finished()) == 4
    # The dead trial's place is taken by the same point: the answer is the undisturbed one.
    assert [p.confirmed_scores for p in result.policies] == [
        p.confirmed_scores for p in small_here.policies
    ]
    keys = [key for key in mirrored("killed") if key.startswith("trial/")]
    assert sorted(keys) == sorted(f"trial/{t.number}" for t in store.finished())


WAITING = """
import sys; sys.path.insert(0, {shared!r})
import time
from small_study import *
from augsearch.progress import Quiet
from augsearch.verbs.run import run_study

class Waiting(Quiet):
    def run_ended(self, run, *_):
        if run == {run!r}:
            print('ended', flush=True)
            time.sleep(3600)

if __name__ == '__main__':
    run_study(small_space(), data=small_images(), study=small_config(parallel=2), trials=6,
              name='killed', device='cpu', progress=Waiting())
"""


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_study_killed_between_trials_side_by_side_gives_the_same_answer(number):
    def shown(result):
        return [(p.name, p.search_score, p.confirmed_scores) for p in result.policies]

    program = WAITING.format(shared=str(Path(__file__).parents[2] / "shared"), run="trial 2")
    with subprocess.Popen([sys.executable, "-c", program], stdout=PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ended\n", "the study ended before"
            below = psutil.Process(process.pid).children(recursive=True)
        finally:
            process.send_signal(number)
    _, alive = psutil.wait_procs(below, timeout=20)
    assert not alive, "what trained ends with its study"
    store = Store(open_storage(STORAGE), "killed")
    before = store.finished()
    assert 3 <= len(before) < 6
    result = run(trials=6, name="killed", parallel=2)
    undisturbed = run(trials=6, name="undisturbed", parallel=2)
    assert shown(result) == shown(undisturbed)
    trials, others = store.trials(), Store(open_storage(STORAGE), "undisturbed").trials()
    assert [(t.number, t.params, t.state) for t in trials] == [
        (t.number, t.params, t.state) for t in others
    ]
    assert {t.number: t.datetime_complete for t in before}.items() <= {
        t.number: t.datetime_complete for t in trials
    }.items()
    killed, other = (Path("runs", n, "policy.yaml").read_text() for n in ("killed", "undisturbed"))
    assert killed.replace("killed", "undisturbed") == other
    keys = [key for key in mirrored("killed") if key.startswith("trial/")]
    assert sorted(keys) == sorted(f"trial/{t.number}" for t in trials)


@pytest.mark.long
def test_an_interrupt_keeps_what_is_finished():
    class Interrupting(Quiet):
        def run_ended(self, run, score, remark):
            if run == "trial 1":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(progress=Interrupting())
    assert len(Store(open_storage(STORAGE), "small").finished()) == 2
    assert run().trials["complete"] + run().trials["pruned"] == 4


def test_diverging_baselines_and_trials_fail_with_their_reason():
    config = small_config(learning_rate=1e30)
    bench = Bench.build(small_images(), config, seed=0, device=resolve_device("cpu"))
    store = Store(
        open_storage(STORAGE),
        "diverging",
        settings={},
    )
    with pytest.raises(StudyError, match=r"no baseline trains through: .*learning rate"):
        run_baselines(store, bench, BASELINES, Quiet(), Processes(threads=1))
    with pytest.raises(StudyError, match="2 trials failed, more than the 1 that are replaced"):
        run_trials(store, bench, small_space(), 4, Quiet(), after_each=lambda: None)
    assert all("loss" in trial.user_attrs["failure"] for trial in store.failed())
    points = [tuple(trial.params.values()) for trial in store.failed()]
    assert len(set(points)) == 2


def test_a_search_against_cost_takes_the_price_of_the_views_off_the_score(tmp_path):
    config = small_config()
    search = config.search.model_copy(update={"cost_weight": 50.0, "trials": 2})
    bench = Bench.build(
        small_images(),
        config.model_copy(update={"search": search}),
        seed=0,
        device=resolve_device("cpu"),
    )
    store = Store(
        open_storage(f"sqlite:///{tmp_path}/s.db"),
        "dear",
        settings={},
    )
    run_trials(store, bench, small_space(), 2, Quiet(), after_each=lambda: None)
    for trial in store.best_trials(2):
        price = bench.price(trial_policy(trial))
        assert price > 0
        assert trial.value == pytest.approx(trial_score(trial) - price)
        # Reports show the scores as they were measured.
        outcome = trial_outcome(trial)
        assert [score for _, score in trial_curve(trial)] == pytest.approx(
            [score for step, score in outcome.curve if step in trial.intermediate_values]
        )
        assert trial.intermediate_values
    assert trial_score(store.best_trials(1)[0]) > 0
