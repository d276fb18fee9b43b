"""Pictures in the terminal, on a real pseudo-terminal."""

import base64
import io
import os
import pty
import re
import sys
import threading
import tty
from contextlib import contextmanager

import numpy as np
import pytest
from command_line import run_verb, write_files
from PIL import Image

from augsearch.cli.terminal.thumbnail import grid, show_thumbnail
from augsearch.watch.console import terminal

COLUMNS = 62
XTERM = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
KITTY = re.compile(r"\x1b_G([^;]*);([^\x1b]*)\x1b\\")
ITERM2 = re.compile(r"\x1b\]1337;File=([^:]*):([^\a]*)\a")
HALVES = re.compile(r"\x1b\[38;2;(\d+);(\d+);(\d+);48;2;(\d+);(\d+);(\d+)m(▀+)")


class Screen:
    """What a program wrote to its terminal."""

    def __init__(self):
        self.bytes = b""

    @property
    def text(self):
        return self.bytes.decode()


@contextmanager
def screen(monkeypatch, **environment):
    """A terminal of 62 columns as standard output; what was written is there when it closes."""
    for name in ("TMUX", "COLORTERM", "TERM_PROGRAM", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    # rich asks the process's own streams for their width, and these are not replaced here.
    for name, value in {"COLUMNS": str(COLUMNS), **environment}.items():
        monkeypatch.setenv(name, value)
    master, slave = pty.openpty()
    tty.setraw(slave)
    seen = Screen()

    def read():
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # the other end is closed
                return
            seen.bytes += part

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with os.fdopen(slave, "w", encoding="utf-8") as file:
            monkeypatch.setattr(sys, "stdout", file)
            yield seen
    finally:
        reader.join(timeout=300)
        os.close(master)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, 5, 3, 16, 16), dtype=np.uint8)


def decoded(text):
    with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("term", ["xterm-kitty", "xterm-ghostty"])
def test_kitty_gets_the_picture_in_pieces(monkeypatch, rows, term):
    with screen(monkeypatch, TERM=term) as seen:
        show_thumbnail(rows, "views", terminal())
    assert seen.text.startswith("views\n\x1b_Ga=T,f=100,q=2,c=62,m=1;")
    pieces = KITTY.findall(seen.text)
    assert [keys[-1] for keys, _ in pieces] == ["1"] * (len(pieces) - 1) + ["0"]
    assert all(len(letters) <= 4096 for _, letters in pieces) and len(pieces) > 1
    picture = decoded("".join(letters for _, letters in pieces))
    np.testing.assert_array_equal(picture, np.asarray(grid(rows, 96, gap=6)))


@pytest.mark.parametrize("program", ["iTerm.app", "WezTerm"])
def test_iterm2_gets_the_picture(monkeypatch, rows, program):
    with screen(monkeypatch, **XTERM, TERM_PROGRAM=program) as seen:
        show_thumbnail(rows, "views", terminal())
    ((keys, letters),) = ITERM2.findall(seen.text)
    assert keys == f"inline=1;size={len(base64.b64decode(letters))};width=62"
    np.testing.assert_array_equal(decoded(letters), np.asarray(grid(rows, 96, gap=6)))


@pytest.mark.parametrize(
    "environment",
    [XTERM, {**XTERM, "TERM": "tmux-256color", "TMUX": "yes", "TERM_PROGRAM": "iTerm.app"}],
)
def test_other_terminals_get_two_pixels_in_a_character(monkeypatch, rows, environment):
    with screen(monkeypatch, **environment) as seen:
        show_thumbnail(rows, "views", terminal())
    first, *lines = seen.text.splitlines()
    assert first == "views" and "\x1b_G" not in seen.text and "1337" not in seen.text
    assert {len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in lines} == {58}  # 5 x 10 and gaps
    picture = np.asarray(grid(rows, 10, gap=2))[..., :3]
    shown = [(run, number) for number, line in enumerate(lines) for run in HALVES.findall(line)]
    colours = [[*map(int, run[:6])] for run, _ in shown for _ in run[6]]
    covered = np.asarray(grid(rows, 10, gap=2))[::2, :, 3] > 0
    expected = np.concatenate([picture[::2][covered], picture[1::2][covered]], axis=1)
    np.testing.assert_array_equal(colours, expected)


@pytest.mark.parametrize(
    "environment",
    [
        {"TERM": "dumb", "COLORTERM": "truecolor"},
        {"TERM": "xterm-256color"},
        {**XTERM, "NO_COLOR": "1"},
        {"TERM": "xterm-kitty", "NO_COLOR": "1"},
    ],
)
def test_terminals_that_cannot_or_would_rather_not_get_nothing(monkeypatch, rows, environment):
    with screen(monkeypatch, **environment) as seen:
        show_thumbnail(rows, "views", terminal())
    assert seen.bytes == b""


def test_a_pipe_gets_nothing_even_if_colour_is_forced(monkeypatch, rows, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-kitty")
    show_thumbnail(rows, "views", terminal())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("wanted", [True, False])
def test_preview_shows_a_thumbnail(monkeypatch, capsys, wanted):
    write_files()
    with screen(monkeypatch, **XTERM) as seen:
        more = [] if wanted else ["--no-thumbnail"]
        said = run_verb(["preview", "--policy", "policy.yaml", "--image-size", "16", *more], capsys)
    assert said.code == 0
    assert ("▀" in seen.text) == wanted
    assert ("original, two views by mine and two by SimCLR s=1" in seen.text) == wanted
    assert seen.text.endswith("wrote preview.png\n")
