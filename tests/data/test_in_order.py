"""Jobs in threads: in their order, and never many at a time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from augsearch.data.in_order import AHEAD, in_order


def test_results_come_in_the_order_of_the_jobs():
    def late(job: int) -> int:
        time.sleep(0.001 * (job % 3))
        return job * job

    with ThreadPoolExecutor(4) as pool:
        assert list(in_order(pool, late, range(AHEAD + 50))) == [n * n for n in range(AHEAD + 50)]
        assert list(in_order(pool, late, [])) == []


def test_few_results_wait_for_whoever_takes_them():
    begun = []
    lock = threading.Lock()

    def work(job: int) -> int:
        with lock:
            begun.append(job)
        return job

    with ThreadPoolExecutor(4) as pool:
        found = in_order(pool, work, range(10 * AHEAD))
        for taken, _ in enumerate(found, 1):
            time.sleep(0 if taken % AHEAD else 0.05)
            assert len(begun) <= taken + AHEAD


def test_what_a_job_raises_is_raised_at_its_turn():
    with ThreadPoolExecutor(2) as pool:
        found = in_order(pool, lambda job: 1 // (3 - job), range(AHEAD))
        assert [next(found), next(found), next(found)] == [0, 0, 1]
        with pytest.raises(ZeroDivisionError):
            next(found)
