"""What all tests share: their own directories, and no way out to the network."""

import os
import socket

# Before torch is imported: tests run side by side, and threads that wait for each other on busy
# cores are many times slower than one thread.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import pytest

LOOPBACK = {"127.0.0.1", "::1", "localhost", "0.0.0.0"}


@pytest.fixture(autouse=True)
def own_directories(tmp_path, monkeypatch):
    """Stores, caches and results of a test stay in its temporary directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUGSEARCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A connection beyond this machine fails the test: nothing may call home."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise AssertionError(f"connection to {address} attempted")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
