"""An interrupt that comes where nothing can be raised is not lost."""

import subprocess
import sys

import pytest

SCRIPT = """
import signal, sys, time, weakref
from augsearch.cli.app import _interrupt_again

sys.unraisablehook = _interrupt_again

class Thing: pass

def let_go(_):
    signal.raise_signal(signal.SIGINT)  # what a callback raises is ignored
    for _ in range(1000): pass

thing = Thing()
seen = weakref.ref(thing, let_go)
try:
    del thing
    time.sleep(20)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.long
def test_it_comes_once_more():
    # Where these tests were started in the background, a child would ignore it.
    handled = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    ended = subprocess.run(
        [sys.executable, "-c", handled + SCRIPT],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stdout == "interrupted\n" and ended.stderr == ""
