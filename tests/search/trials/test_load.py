"""Two thousand trials in one study: each costs what it cost before."""

import resource
import statistics
import time
from itertools import pairwise

import pytest
from test_course import Trainer, bench

from augsearch.search.trials.course import Course
from augsearch.search.trials.loop import follow
from augsearch.search.trials.sampler import MOST, SeededPerTrial
from augsearch.space.presets import find_config
from augsearch.space.space import load_space
from augsearch.store.database import open_storage
from augsearch.store.study_store import Store

__all__ = ["bench"]
TRIALS = 2000


def megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.slow
def test_two_thousand_trials_cost_the_same_each(bench):
    store = Store(open_storage("sqlite:///augsearch.db"), "many", settings={})
    course = Course(
        store, bench, load_space(find_config("factory", "spaces")),
        SeededPerTrial(bench.config.search.sampler, 0), wanted=TRIALS, allowed=3, limit=None,
    )  # fmt: skip
    ends: list[float] = []
    before = megabytes()
    follow(course, Trainer(course, bench), 2, course.end, lambda: ends.append(time.perf_counter()))
    taken = [after - before for before, after in pairwise(ends)]
    assert len(store.finished()) == TRIALS
    full = statistics.median(taken[MOST : MOST + 100])
    last = statistics.median(taken[-100:])
    print(f"a trial: {1000 * statistics.median(taken[:100]):.0f} ms, then {1000 * full:.0f}, "
          f"at last {1000 * last:.0f}; {megabytes() - before:.0f} MB more")  # fmt: skip
    assert last < 1.5 * full
    assert statistics.median(taken) < 0.15
    assert megabytes() - before < 200
