"""The commands of docs/tutorial.md, and what they print.

uv run python -m tools.tutorial DIRECTORY    # run them there; put what they print, and pictures of
                                             # what they write, into the page. Needs Chromium

A block of commands is followed by a block `output`, which is replaced. A block that begins with a
file's name (`# classify.py`) is written into the directory. A command that serves
until it is stopped is left out.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "tutorial.md"
PICTURES = DOCS / "images" / "tutorial"
BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```\n", re.MULTILINE | re.DOTALL)
COUNTED = re.compile(r" *\d+/\d+ | *about .* left| *\d+ % of all is done|step +\d+/\d+")
SERVES = {"ui"}
WIDTH = 80
VIEWS = 828  # pixels of a preview's height down to the end of its first six images


@dataclass(frozen=True)
class Block:
    """A fenced block of the page: its language, what is in it, and where that stands."""

    language: str
    body: str
    start: int
    end: int


def blocks(page: str) -> list[Block]:
    """Those of the page, in order."""
    return [Block(m["language"], m["body"], *m.span("body")) for m in BLOCK.finditer(page)]


def commands(block: Block) -> Iterator[list[str]]:
    """The words of each command that ends by itself, without `uv run`."""
    for line in block.body.splitlines():
        words = shlex.split(line, comments=True)
        words = words[2:] if words[:2] == ["uv", "run"] else words
        if words[:1] == ["python"] or (words[:1] == ["augsearch"] and words[1] not in SERVES):
            yield words


def files(page: str) -> dict[str, str]:
    """Name -> text of the files that the page asks to write."""
    named = [(re.match(r"# (\w+\.(?:py|yaml))\n", block.body), block) for block in blocks(page)]
    return {match[1]: block.body for match, block in named if match}


def shortened(printed: str) -> str:
    """What a command printed, with `...` for the lines that count what is done,
    and sentences folded."""
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    counted = [number for number, line in enumerate(lines) if COUNTED.match(line)]
    if counted:
        lines[counted[0] : counted[-1] + 1] = ["..."]
    return "".join(f"{folded(line)}\n" for line in lines)


def folded(line: str) -> str:
    """A sentence as a terminal shows it, which wraps it at words; rows of tables stay whole."""
    indent = line[: len(line) - len(line.lstrip())]
    if len(line) <= WIDTH or "  " in line.strip() or "┃" in line or "│" in line:
        return line
    return textwrap.fill(
        line, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def written_anew(page: str, directory: Path) -> str:
    """The page with what its commands print in that directory.

    Raises:
        subprocess.CalledProcessError: a command failed.
    """
    for name, text in files(page).items():
        (directory / name).write_text(text, encoding="utf-8")
    parts, end, printed = [], 0, ""
    for block in blocks(page):
        if block.language == "":
            printed = "".join(_printed(words, directory) for words in commands(block))
        elif block.language == "output":
            parts += [page[end : block.start], shortened(printed)]
            end = block.end
    return "".join([*parts, page[end:]])


def take_pictures(directory: Path) -> None:
    """Pictures of the report's top and of the preview's views, for the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    report = directory.resolve() / "runs" / "surfaces" / "report.html"
    with tempfile.TemporaryDirectory() as profile:
        options = [f"--user-data-dir={profile}", "--hide-scrollbars", "--window-size=1000,520"]
        shot = f"--screenshot={PICTURES / 'report.png'}"
        command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", *options, shot]
        subprocess.run([*command, report.as_uri()], check=True, capture_output=True)
    with Image.open(directory / "preview.png") as preview:
        preview.crop((0, 0, preview.width, VIEWS)).save(PICTURES / "preview.webp", quality=85)


def _printed(words: list[str], directory: Path) -> str:
    program = {"augsearch": [sys.executable, "-m", "augsearch"], "python": [sys.executable]}
    print("$", shlex.join(words), flush=True)
    run = subprocess.run(
        [*program[words[0]], *words[1:]],
        cwd=directory,
        env={**os.environ, "COLUMNS": str(WIDTH)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return run.stdout


def main() -> None:
    """Run the page's commands and write it anew."""
    parser = argparse.ArgumentParser(description="Run docs/tutorial.md and put in what it prints.")
    parser.add_argument("directory", type=Path, help="a new one")
    directory = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(written_anew(PAGE.read_text("utf-8"), directory), encoding="utf-8")
    take_pictures(directory)
    print(f"wrote {PAGE} and {PICTURES}")


if __name__ == "__main__":
    main()
