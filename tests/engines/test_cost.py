"""What jobs take beside each other."""

from augsearch.engines.cost import makespan


def test_the_last_job_ends_when_each_process_takes_the_next_one():
    assert makespan([3, 1, 1, 1], 2) == 3
    assert makespan([1, 1, 1], 2) == 2
    assert makespan([2, 2], 1) == 4
