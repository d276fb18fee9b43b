"""A real PostgreSQL for tests, where its programs are installed."""

import pytest

from benchmarks.shared.postgresql import BINARIES, Server, postgresql

__all__ = ["Server", "needs_postgresql", "postgresql"]
needs_postgresql = pytest.mark.skipif(not BINARIES, reason="needs PostgreSQL's server programs")
