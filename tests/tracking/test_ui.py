"""`augsearch ui` as a process: it ends as it is told to, with all that it started."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from postgresql import needs_postgresql, postgresql

PATIENCE = 120  # seconds


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
            return True
    except (urllib.error.URLError, TimeoutError):
        return False


def wait_until_it_answers(ui, port):
    deadline = time.monotonic() + PATIENCE
    while not answers(port):
        assert ui.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)


@needs_postgresql
@pytest.mark.long
def test_no_command_shows_the_password_of_its_database(monkeypatch):
    port = free_port()
    with postgresql() as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server.url.replace("tester@", "tester:geheim@"))
        command = [sys.executable, "-m", "augsearch", "ui", "--port", str(port)]
        ui = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            wait_until_it_answers(ui, port)
            processes = [psutil.Process(ui.pid), *psutil.Process(ui.pid).children(recursive=True)]
            shown = [" ".join(process.cmdline()) for process in processes]
            listens = {c.laddr.ip for p in processes for c in p.net_connections() if not c.raddr}
        finally:
            ui.send_signal(signal.SIGTERM)
            said, _ = ui.communicate(timeout=PATIENCE)
    assert len(shown) > 1 and "geheim" not in "".join([*shown, said])
    assert listens == {"127.0.0.1"}


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_server_ends_with_it_and_frees_the_port(number):
    port = free_port()
    command = [str(Path(sys.executable).with_name("augsearch")), "ui", "--port", str(port)]
    before = signal.signal(number, signal.SIG_DFL)  # what is ignored here, as under nohup, is there
    ui = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    signal.signal(number, before)
    started = []
    try:
        wait_until_it_answers(ui, port)
        started = psutil.Process(ui.pid).children(recursive=True)
        assert started
        ui.send_signal(number)
        ui.wait(PATIENCE)
        _, alive = psutil.wait_procs(started, timeout=10)
        assert not alive
    finally:
        for process in started:
            if process.is_running():
                process.kill()
        if ui.poll() is None:
            os.killpg(ui.pid, signal.SIGKILL)
        said = ui.communicate()[1]
    assert "Traceback" not in said
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
