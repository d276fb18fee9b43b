"""Every command of the tutorial, on a study of seconds; and what the page says they print."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
from tiny_tutorial import smaller
from tracking.test_browser import start_server, wait_for_server
from tracking.test_ui import free_port

from tools.tutorial import PAGE, blocks, commands, files, shortened, written_anew

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.long
def test_every_command_runs_and_leaves_what_the_page_names():
    page = smaller(TEXT)
    assert page.count("--data surfaces --study tiny.yaml") == 2
    made = written_anew(page, Path.cwd())
    for block in blocks(made):
        assert block.language != "output" or block.body.strip()
    for name in re.findall(r"`(runs/[\w./-]+\.\w+)`", TEXT):
        assert Path(name).is_file(), name
    # The last block is the classifier's answer: a picture, a class, a probability.
    answers = re.findall(r"^(surfaces/\S+) (\w+) ([01]\.\d\d)$", made, re.MULTILINE)
    assert len(answers) >= 2
    assert {guess for _, guess, _ in answers} <= {path.name for path in Path("surfaces").iterdir()}

    port = free_port()
    server = start_server(Path.cwd(), port)
    try:
        wait_for_server(server, f"http://127.0.0.1:{port}", Path("ui.log"))
    finally:
        server.terminate()
        server.wait()


def test_every_block_of_output_is_that_of_commands_and_is_filled():
    found = blocks(TEXT)
    for before, block in pairwise(found):
        if block.language == "output":
            assert list(commands(before)), before.body
            assert block.body.strip(), before.body


def test_what_counts_is_left_out():
    printed = (
        "classes: a\nbaselines: 2 runs\n    1/2   33.9  x\n  about 3 s left, as\n    2/2  4\nend\n"
    )
    assert shortened(printed) == "classes: a\nbaselines: 2 runs\n...\nend\n"
    assert shortened("step  100/2000  probe 1\nstep  200/2000  probe 2\nend\n") == "...\nend\n"


def test_sentences_are_folded_and_tables_are_not():
    sentence = "  note: " + "word " * 30
    lines = shortened(sentence).splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= 80
    assert " ".join(" ".join(lines).split()) == sentence.strip()
    assert lines[1].startswith("  word")
    for row in ("│ " + "cell " * 30, "policy" + " " * 80 + "score"):
        assert shortened(row) == row.rstrip() + "\n"


def test_commands_that_fail_are_not_written_into_the_page(tmp_path):
    page = "```\nuv run augsearch report nothing\n```\n\n```output\n```\n"
    with pytest.raises(subprocess.CalledProcessError):
        written_anew(page, tmp_path)


def test_files_and_commands_of_a_page():
    page = "```\nuv run augsearch ui\nuv run python a.py x\n```\n```python\n# a.py\nprint(1)\n```\n"
    assert [words for block in blocks(page)[:1] for words in commands(block)] == [
        ["python", "a.py", "x"]
    ]
    assert files(page) == {"a.py": "# a.py\nprint(1)\n"}
    made = written_anew(
        page.replace("augsearch ui", "augsearch --version") + "```output\n```\n", Path.cwd()
    )
    assert made.endswith("```output\naugsearch 0.1.0\n1\n```\n")
