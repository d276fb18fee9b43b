"""Servers that are there and do not do their work: the search goes on, and is told once."""

import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from augsearch.tracking.client import quiet_mlflow
from augsearch.tracking.live import LiveRun
from augsearch.tracking.mirror import Mirror
from augsearch.tracking.tracker import DataReference, Page

DATA = DataReference(name="set", digest="0", source="here", profile={})
PAGE = Page(description="", metrics={}, artifacts={}, tags={})
HANGS = 3
"""Seconds until a client gives up on a server that does not answer; longer than a refusal."""


@contextmanager
def server(status, body, kind="text/html"):
    """Answers everything alike; `None` not at all. Gives its address and what it was asked."""
    asked, closing = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self):
            asked.append(self.path)
            if status is None:
                closing.wait(60)
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = answer

        def log_message(self, *_):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}", asked
    finally:
        closing.set()
        running.shutdown()
        thread.join()
        running.server_close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    quiet_mlflow()
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", str(HANGS))


@pytest.fixture
def said():
    return []


@pytest.fixture
def mirror(said):
    return Mirror(study="small", params={}, data=DATA, warn=said.append)


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (500, b"oh no", "text/plain", "500"),
        (401, b"who are you", "text/plain", "401"),
        (200, b"<html>Please log in</html>" * 99, "text/html", "log in"),
        (200, b'{"experiment": 3}', "application/json", "MLflow at"),
        (200, b"[]", "application/json", "MLflow at"),
        (302, b"", "text/html", "MLflow at"),
    ],
)
def test_whatever_it_answers_the_search_goes_on(
    mirror, said, monkeypatch, status, body, kind, word
):
    with server(status, body, kind) as (address, asked):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        for _ in range(4):
            assert not mirror.sync({})
        assert not mirror.finish(PAGE)
        assert len(asked) >= 5, "it is asked again each time: that costs nothing"
    (line,) = said
    assert word in line and "the search goes on" in line and "\n" not in line and len(line) < 600


def test_after_two_waits_only_the_end_of_a_phase_is_worth_another(mirror, said, monkeypatch):
    with server(None, b"") as (address, asked):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        for _ in range(2):
            assert not mirror.sync({})
        begin, so_far = time.monotonic(), len(asked)
        for _ in range(100):
            assert not mirror.sync({})
        assert time.monotonic() - begin < 1 and len(asked) == so_far
        assert not mirror.sync({}, at_end=True)
        assert len(asked) > so_far
    assert len(said) == 1


def test_a_training_waits_no_longer_either(said, monkeypatch):
    live = LiveRun(key="k", name="n", params={}, tags={}, data=DATA, warn=said.append)
    with server(None, b"") as (address, asked):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        for step in range(2):
            live.log(step, {"loss": 1.0})
        begin, so_far = time.monotonic(), len(asked)
        for step in range(2, 50):
            live.log(step, {"loss": 1.0})
        assert time.monotonic() - begin < 1 and len(asked) == so_far
        assert not live.finish("", {}, {})
        assert len(asked) > so_far
    assert len(said) == 1


def test_our_own_mistakes_are_not_called_mlflows(mirror):
    def make():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        mirror.sync({"trial/0": make})


@pytest.mark.long
def test_processes_that_start_together_make_one_store():
    program = (
        "import sys\n"
        "from augsearch.tracking.client import quiet_mlflow\n"
        "from augsearch.tracking.mirror import Mirror\n"
        "from augsearch.tracking.tracker import DataReference\n"
        "quiet_mlflow()\n"
        "data = DataReference(name='set', digest='0', source='here', profile={})\n"
        "said = []\n"
        "done = Mirror(study=sys.argv[1], params={}, data=data, warn=said.append).sync({})\n"
        "sys.exit(' '.join(said) if not done else 0)\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, f"study {number}"], stderr=subprocess.PIPE, text=True
        )
        for number in range(4)
    ]
    said = [process.communicate(timeout=300)[1] for process in started]
    assert [process.returncode for process in started] == [0] * 4, said
