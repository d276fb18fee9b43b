"""Processes that are talked to while they work; real ones."""

import multiprocessing
import os
import time

import pytest

from augsearch.engines.crew import ProcessCrew
from augsearch.engines.engine import Returned
from augsearch.errors import StudyError

ENOUGH = 60
"""Seconds after which what should have been told is missing."""


def count(share, job, talk):
    """Counts to `job`, or until it is told to stop, and says every number."""
    for number in range(job):
        talk.say((share, number))
        if talk.stopped():
            return "stopped"
    return os.getpid()


def wait_for_the_word(_share, _job, talk):
    begin = time.monotonic()
    talk.say("here")
    while not talk.stopped():
        assert time.monotonic() < begin + ENOUGH
        time.sleep(0.01)
    return "stopped"


def raise_it(_share, job, _talk):
    raise StudyError(f"no {job}")


def test_each_process_has_its_own_share_and_says_things_in_order():
    with ProcessCrew(count, ["a", "b"], threads=1) as crew:
        assert len(crew) == 2
        crew.start(0, 2)
        crew.start(1, 1)
        assert [crew.hear(0), crew.hear(1), crew.hear(0)] == [("a", 0), ("b", 0), ("a", 1)]
        first, second = crew.hear(0), crew.hear(1)
        assert isinstance(first, Returned) and isinstance(second, Returned)
        assert len({first.result, second.result, os.getpid()}) == 3


def test_what_was_stopped_is_not_heard_of_again():
    with ProcessCrew(wait_for_the_word, [None], threads=1) as crew:
        for _ in range(3):
            crew.start(0, "job")
            assert crew.hear(0) == "here"
            crew.stop(0)


def test_a_word_to_stop_that_comes_too_late_does_not_reach_the_next_job():
    with ProcessCrew(count, ["a"], threads=1) as crew:
        for _ in range(20):
            crew.start(0, 1)
            assert crew.hear(0) == ("a", 0)
            crew.stop(0)  # about when it ends by itself
        crew.start(0, 1)
        assert crew.hear(0) == ("a", 0)
        assert isinstance(crew.hear(0).result, int)


def test_what_a_job_raises_is_raised_where_it_is_heard():
    with ProcessCrew(raise_it, [None], threads=1) as crew:
        crew.start(0, "bread")
        with pytest.raises(StudyError, match="no bread"):
            crew.hear(0)


def test_a_process_that_dies_is_an_error_in_words():
    with ProcessCrew(wait_for_the_word, [None], threads=1) as crew:
        crew.start(0, "job")
        crew.hear(0)
        (process,) = multiprocessing.active_children()
        process.kill()
        with pytest.raises(StudyError, match="was killed"):
            crew.hear(0)
        with pytest.raises(StudyError, match="was killed"):
            crew.start(0, "another")
