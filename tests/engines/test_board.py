"""A board of jobs: nothing is done twice, nothing is lost with a worker."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from augsearch.engines import remote
from augsearch.engines.board import MOST_TRIES, Board, Posted
from augsearch.engines.engine import Lost, Returned
from augsearch.engines.remote import Codec, Remote
from augsearch.errors import StudyError

LEASE = 0.5


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/board.db"


@pytest.fixture
def board(url):
    made = Board(url, "study", lease=LEASE)
    made.make()
    return made


def test_each_job_goes_to_one_worker_in_order(board):
    for number in range(20):
        board.post(f"k{number}", "f", str(number))
        board.post(f"k{number}", "f", "posted again")
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda n: board.take(f"worker {n}"), range(24)))
    jobs = [job.job for job in taken if job is not None]
    assert sorted(jobs, key=int) == [str(number) for number in range(20)]
    assert taken.count(None) == 4


def test_a_study_sees_its_own_jobs_only(board, url):
    other = Board(url, "other")
    board.post("k", "f", "mine")
    assert other.take("w") is None and other.look(["k"]) == {}
    other.clear()
    assert board.take("w").job == "mine"


def test_what_was_said_and_what_came_of_it_is_read_back(board):
    board.post("k", "f", "job")
    assert board.look(["k"])["k"] == Posted((), None, "", False)
    board.take("w")
    board.say("w", "k", ["[1, 0.5]"])
    board.say("w", "k", ["[1, 0.5]", "[2, 0.6]"])
    board.finish("w", "k", result="1", failed=None)
    assert board.look(["k"])["k"] == Posted(("[1, 0.5]", "[2, 0.6]"), "1", "", False)
    board.take_down(["k"])
    assert board.look(["k"]) == {} and board.take("w") is None


def wait_for(condition):
    waiting = threading.Event()
    for _ in range(200):
        if (found := condition()) is not None:
            return found
        waiting.wait(0.05)
    raise AssertionError("nothing came")


def test_the_job_of_a_worker_that_died_is_anothers_and_its_word_counts_no_more(board):
    board.post("k", "f", "job")
    board.take("dead")
    board.say("dead", "k", ["[1, 0.1]"])
    assert board.take("other") is None, "it may be alive"
    assert wait_for(lambda: board.take("other")).job == "job"
    assert board.look(["k"])["k"].said == ()
    assert not board.beat("dead", "k")
    board.say("dead", "k", ["[1, 0.9]"])
    board.finish("dead", "k", result="of the dead", failed=None)
    assert board.look(["k"])["k"] == Posted((), None, "", False)
    board.finish("other", "k", result="right", failed=None)
    assert board.look(["k"])["k"].result == "right"


def test_a_worker_that_gives_signs_of_life_keeps_its_job(board):
    board.post("k", "f", "job")
    board.take("alive")
    for _ in range(8):
        threading.Event().wait(LEASE / 4)
        assert board.beat("alive", "k") and board.take("other") is None


def test_a_job_given_back_is_free_at_once_and_counts_as_no_attempt(board):
    board.post("k", "f", "job")
    for number in range(2 * MOST_TRIES):
        assert board.take(f"w{number}").key == "k"
        board.give_back(f"w{number}", "k")
    assert not board.look(["k"])["k"].lost


def test_a_job_that_kills_its_workers_is_given_up(board):
    board.post("k", "f", "job")
    for number in range(MOST_TRIES):
        wait_for(lambda number=number: board.take(f"w{number}"))
        assert not board.look(["k"])["k"].lost
    wait_for(lambda: board.look(["k"])["k"].lost or None)
    assert board.take("another") is None


def test_workers_that_live_are_known(board, url):
    assert Board(f"{url}.other", "study").workers() == {}
    board.sign_in("w", {"torch": "1"})
    board.sign_in("w", {"torch": "2"})
    assert board.workers() == {"w": {"torch": "2"}}
    assert Remote(url, "study").at_once(5) == 1
    board.sign_in("v", {})
    board.sign_out("w")
    assert board.workers() == {"v": {}}
    wait_for(lambda: True if not board.workers() else None)


def double(_shared: None, job: int) -> int:
    return 2 * job


def climb(_share: None, job: int, _talk: object) -> str:
    return str(job)


@pytest.fixture
def working(board):
    """A worker that doubles numbers, and fails with 13."""
    over = threading.Event()

    def work():
        while not over.wait(0.01):
            if (taken := board.take("w")) is not None:
                number = int(taken.job)
                failed = "unlucky" if number == 13 else None
                board.finish("w", taken.key, result=str(2 * number), failed=failed)

    thread = threading.Thread(target=work)
    thread.start()
    yield
    over.set()
    thread.join()


@pytest.mark.usefixtures("working")
def test_independent_jobs_come_back_each_once(url, board):
    found = dict(Remote(url, "study").run(double, None, [1, 2, 3]))
    assert found == {1: 2, 2: 4, 3: 6}
    assert board.take("w") is None, "nothing is left on the board"


@pytest.mark.usefixtures("working")
def test_a_job_that_fails_elsewhere_is_an_error_here(url):
    with pytest.raises(StudyError, match="unlucky"):
        list(Remote(url, "study").run(double, None, [13]))


def test_a_driver_that_starts_again_hears_what_was_said_before(url, board, monkeypatch):
    monkeypatch.setattr(remote, "POLL", 0.01)
    engine = Remote(url, "study", lease=LEASE)
    with engine.crew(climb, [None, None]) as crew:
        assert len(crew) == 2
        crew.start(0, 7)
        key = board.take("w").key
        board.say("w", key, ["[1, 0.25]"])
        assert crew.hear(0) == (1, 0.25)
    board.say("w", key, ["[1, 0.25]", "[2, 0.1]"])
    with engine.crew(climb, [None, None]) as crew:
        crew.start(1, 7)
        assert [crew.hear(1), crew.hear(1)] == [(1, 0.25), (2, 0.1)]
        board.finish("w", key, result='"7"', failed=None)
        last = crew.hear(1)
        assert isinstance(last, Returned) and last.result == "7"
        assert board.look([key]), "it stays until its result is kept"
        crew.start(1, 8)
        assert not board.look([key])
        assert board.take("w").job == "8"
        crew.stop(1)
        assert not board.beat("w", Codec.of(climb).post(board, 9))
        for number in range(MOST_TRIES):
            wait_for(lambda number=number: board.take(f"w{number}"))
        crew.start(0, 9)
        with pytest.raises(Lost, match="several workers died"):
            crew.hear(0)


def test_nobody_there_is_said_once(url, board, monkeypatch):
    monkeypatch.setattr(remote, "ALONE", 0.1)
    monkeypatch.setattr(remote, "POLL", 0.05)
    said = []
    runs = Remote(url, "study", said.append).run(double, None, [1])
    timer = threading.Timer(
        1, lambda: board.finish("w", board.take("w").key, result="2", failed=None)
    )
    timer.start()
    assert list(runs) == [(1, 2)]
    timer.join()
    (line,) = said
    assert "augsearch worker --study study" in line
