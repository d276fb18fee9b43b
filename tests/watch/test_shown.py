"""One bar for a whole study on a terminal, plain lines in a log, one line in a notebook."""

import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path

import pytest

from augsearch.progress import Estimate, PhaseCost, Quiet
from augsearch.watch.account import Account
from augsearch.watch.watched import watched

ESTIMATE = Estimate(
    name="small",
    images=28,
    classes=2,
    image_size=16,
    trials=4,
    steps=10,
    device="cpu",
    seconds=200.0,
    starting_seconds=8.0,
    phases=(
        PhaseCost("baselines", 2, 0, 10.0),
        PhaseCost("trials", 4, 0, 20.0),
        PhaseCost("confirmation", 5, 0, 20.0),
    ),
    views="",
    power=(),
    triage="",
    memory_mb=100.0,
    disk_mb=1.0,
    warnings=(),
)
STUDY = f"""
from augsearch.progress import *
from augsearch.watch.watched import watched
import time
with watched({{progress}}) as progress:
    progress.estimated({ESTIMATE!r})
    progress.phase("baselines", 0, 2)
    time.sleep(0.4)
    progress.run_ended("SimCLR s=1", 0.5, "")
    progress.run_ended("SimCLR s=0.5", 0.6, "")
    progress.phase("trials", 0, 4)
    progress.step("trial 0", 5, 10, 1234.0)
    time.sleep(0.6)
    progress.run_ended("trial 0", 0.7, "")
    progress.note("a note")
"""


def run_study(progress="None", *, columns=None, **environment):
    """What a script prints: into a pipe, or on a terminal of that many columns."""
    program = [sys.executable, "-W", "error", "-c", STUDY.format(progress=progress)]
    environment = {**os.environ, "TERM": "xterm-256color", **environment}
    if columns is None:
        piped = subprocess.run(program, capture_output=True, check=True, env=environment)
        return piped.stdout.decode()
    environment["COLUMNS"] = str(columns)
    ours, theirs = pty.openpty()
    with subprocess.Popen(program, stdout=theirs, stderr=theirs, env=environment) as running:
        os.close(theirs)
        said = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                said += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
    os.close(ours)
    assert running.returncode == 0, said.decode()
    return said.decode()


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_a_terminal_has_one_bar_for_all_phases(columns):
    said = run_study(columns=columns)
    plain = re.sub(r"\x1b\[[\d;]*m", "", said)  # colours, and below what moves the cursor
    plain = re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "\n", plain)
    pictures = [line for line in re.split(r"[\r\n]+", plain) if "━" in line]
    assert pictures
    assert all(len(line) <= columns for line in pictures)
    # 2 of 2 baselines and half of a trial, by the time that runs were guessed to take.
    assert any(re.match(r" 15 % ━*[╸╺]?━* about .* s left", line) for line in pictures), pictures
    if columns >= 80:
        assert any("search 0/4, then confirmation" in line for line in pictures)
        assert "trial 0: step 5 of 10, 1234 images/s" in said


def test_without_colour_a_terminal_gets_none():
    assert "\x1b[1m" in run_study(columns=80)
    assert not re.search(r"\x1b\[[\d;]*3\d", run_study(columns=80, NO_COLOR="1")), "a colour"


def test_a_log_has_lines_and_no_carriage_return():
    said = run_study("True")
    assert "\r" not in said
    assert "\x1b" not in said
    assert "━" not in said
    assert "\n    1/4   70.0  trial 0  (best 70.0, best baseline 60.0)\n" in said
    assert "baselines: 2 runs\n" in said
    assert "search: 4 runs\n" in said
    assert re.search(r"% of all is done, about .* left, as the runs so far went\n", said)
    assert not any(line.endswith(" ") for line in said.splitlines())


def test_a_script_in_a_pipe_says_nothing_unless_asked():
    assert run_study() == ""
    assert run_study("False", columns=80) == ""


def test_a_listener_is_taken_as_it_is():
    listener = Quiet()
    with watched(listener) as told:
        assert told is listener


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_what_was_done_before_counts():
    account, clock = Account(Clock()), Clock()
    account = Account(clock)
    phases = (PhaseCost("baselines", 2, 2, 10.0), PhaseCost("trials", 4, 2, 20.0))
    account.estimated(Estimate(**{**vars(ESTIMATE), "phases": phases}))
    account.phase("trials", 2, 4, "")
    assert account.share == pytest.approx(60 / 100)
    assert account.time_left == "about 40 s left"
    clock.now += 10
    assert account.time_left == "about 30 s left"  # also between the ends of runs
    clock.now += 20
    account.run_ended("run", counts=True)
    # As long as the last one took, less the 8 s in which processes started.
    assert account.said == "about 22 s left: search 3/4"
    account.run_ended("run", counts=True)
    assert account.said == "search 4/4, results to be written"


def test_the_best_of_a_study_that_goes_on_is_of_this_sitting_only():
    account = Account(Clock())
    account.phase("trials", 0, 4, "")
    assert account.standing(0.7, "") == "best 70.0"
    assert account.standing(0.6, "") == "best 70.0"
    account = Account(Clock())
    account.phase("trials", 2, 4, "")
    assert account.standing(0.6, "") == "best of this sitting 60.0"


def test_the_bar_never_goes_back():
    clock = Clock()
    account = Account(clock)
    account.estimated(ESTIMATE)
    account.phase("baselines", 0, 2, "")
    clock.now += 100
    account.run_ended("run", counts=True)
    far = account.share
    account.run_ended("run", counts=True)
    account.phase("trials", 0, 4, "")
    clock.now += 1000
    account.run_ended("run", counts=True)
    assert account.share >= far
    account.phase("confirmation", 0, 50, "up to seed 5")  # many more than were guessed
    assert account.share >= far


def test_a_run_counts_by_its_length_and_a_search_before_it_does_not():
    clock = Clock()
    account = Account(clock)
    account.estimated(ESTIMATE)
    account.phase("confirmation", 2, 2, "")
    assert account.share > 10 / 45
    phases = (PhaseCost("pretrainings", 4, 1, 10.0), PhaseCost("classifiers", 1, 0, 5.0))
    account.expected(phases, {"short": 0.5, "long": 2.0})
    account.phase("pretrainings", 1, 4, "")
    assert account.share == pytest.approx(10 / 45) and account.time_left == "about 35 s left"
    clock.now += 5
    account.run_ended("short", counts=True)
    assert account.time_left == "about 30 s left" and account.done == 2
    clock.now += 20
    account.run_ended("long", counts=True)
    assert account.said == "about 10 s left: pretrainings 3/4, then classifiers"


def test_one_training_without_phases_has_its_time_left():
    clock = Clock()
    account = Account(clock)
    account.step("encoder", 100, 1000, 50.0)
    assert account.time_left == ""
    clock.now += 10
    account.step("encoder", 200, 1000, 50.0)
    assert account.said == "about 80 s left: training"
    assert account.share == pytest.approx(0.2)


NOTEBOOK = """
import nbformat, sys
from nbclient import NotebookClient
cells = [nbformat.v4.new_code_cell(source) for source in sys.argv[1:]]
book = nbformat.v4.new_notebook(cells=cells)
NotebookClient(book, timeout=300, kernel_name="python3").execute()
print(nbformat.writes(book))
"""


@pytest.mark.long
def test_a_notebook_has_one_line_that_changes():
    pytest.importorskip("ipykernel")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("nbclient")
    said = subprocess.run(
        [sys.executable, "-c", NOTEBOOK, STUDY.format(progress="None")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    (cell,) = nbformat.reads(said.stdout, as_version=4).cells
    shown = [one for one in cell.outputs if one.output_type == "display_data"]
    (line,) = [one["data"]["text/html"] for one in shown]
    assert line.startswith('<progress value="1.000" max="1"></progress> 100 % done in ')
    assert "trial 0: 70.0 (best 70.0, best baseline 60.0)" in line
    text = "".join(one.text for one in cell.outputs if one.output_type == "stream")
    assert "a note\n" in text
    assert "expected: about 3 min" in text
